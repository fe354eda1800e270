#include "files_choice.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** What to answer when a file could not be opened; what is the machine's fault is logged. */
static int status_of_error(int error, const char *name)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
	/* A symbolic link that leads out of the folder, or in circles. */
	case EXDEV:
	case ELOOP:
	/* A socket, or a device without a driver. */
	case ENXIO:
	case ENODEV:
		return 404;
	case EACCES:
	case EPERM:
		return 403;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EAGAIN:
		unicorn_log(UNICORN_ERROR, "files: cannot open %s: %s", name, strerror(error));
		return 503;
	default:
		unicorn_log(UNICORN_ERROR, "files: cannot open %s: %s", name, strerror(error));
		return 500;
	}
}

/** Opens a regular file. @return as files_choice_open() */
static int open_regular(const struct files_root *root, const char *name, struct files_choice *choice)
{
	struct stat status;
	int result = 0;
	int fd = files_root_find(root, name);

	if (fd < 0)
		return status_of_error(-fd, name);
	if (fstat(fd, &status) != 0)
		result = status_of_error(errno, name);
	else if (S_ISDIR(status.st_mode))
		result = 301;
	else if (!S_ISREG(status.st_mode))
		result = 404;
	if (result != 0) {
		(void)close(fd);
		return result;
	}
	choice->fd = fd;
	choice->size = status.st_size;
	choice->modified = status.st_mtim;
	return 0;
}

/** Takes the sibling in place of the plain file, if there is a good one. */
static bool take_sibling(const struct files_root *root, const char *name, enum files_coding coding,
			 struct files_choice *choice)
{
	struct files_choice sibling = { .coding = coding, .type = choice->type };

	if (open_regular(root, name, &sibling) != 0)
		return false;
	/* In seconds: some compressors copy the file's time, and not all of them to the nanosecond. */
	if (sibling.modified.tv_sec < choice->modified.tv_sec) {
		(void)close(sibling.fd);
		return false;
	}
	(void)close(choice->fd);
	*choice = sibling;
	return true;
}

static size_t order_codings(const struct files_fields *fields, enum files_coding order[FILES_CODINGS])
{
	const struct unicorn_header *header = fields->first[FILES_ACCEPT_ENCODING];
	struct files_codings codings = FILES_CODINGS_UNSAID;

	for (; header != NULL; header = files_fields_next(fields, header))
		files_codings_add(&codings, header->value, header->value_length);
	return files_codings_order(&codings, order);
}

/** Goes through what the client accepts, best first. @return as files_choice_open() */
static int choose_coding(const struct files_root *root, char *name, const struct files_fields *fields,
			 struct files_choice *choice)
{
	const size_t length = strlen(name);
	enum files_coding order[FILES_CODINGS];
	const size_t count = order_codings(fields, order);
	bool is_chosen = false;

	for (size_t i = 0; i < count && !is_chosen; i++) {
		if (order[i] == FILES_IDENTITY) {
			is_chosen = true;
			continue;
		}
		(void)strcpy(name + length, files_coding_ending(order[i]));
		is_chosen = take_sibling(root, name, order[i], choice);
		name[length] = '\0';
	}
	return is_chosen ? 0 : 406;
}

int files_choice_open(const struct files_root *root, char *name, const struct files_fields *fields,
		      struct files_choice *choice)
{
	int status;

	*choice = (struct files_choice){ .fd = -1, .coding = FILES_IDENTITY, .type = files_type_find(name) };
	status = open_regular(root, name, choice);
	if (status != 0 || fields->first[FILES_ACCEPT_ENCODING] == NULL || !choice->type->is_compressible)
		return status;
	status = choose_coding(root, name, fields, choice);
	if (status != 0)
		(void)close(choice->fd);
	return status;
}
