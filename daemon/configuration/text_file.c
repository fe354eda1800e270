#include "configuration/text_file.h"

#include "base/ownership.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool check_kind(int fd, struct error *error)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return error_set_errno(error, ERROR_CONFIGURATION, errno, "cannot be read");
	if (S_ISDIR(status.st_mode))
		return error_set(error, ERROR_CONFIGURATION, "is a directory");
	if (!S_ISREG(status.st_mode))
		return error_set(error, ERROR_CONFIGURATION, "is not a regular file");
	return true;
}

bool text_file_read(const char *path, struct text *text, struct error *error)
{
	owned_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char buffer[2048];
	ssize_t length;

	if (fd < 0)
		return error_set_errno(error, ERROR_CONFIGURATION, errno, "cannot be read");
	if (!check_kind(fd, error))
		return false;
	while ((length = read(fd, buffer, sizeof(buffer))) > 0 && text->length <= TEXT_FILE_MAX)
		text_append_bytes(text, buffer, (size_t)length);
	if (length < 0)
		return error_set_errno(error, ERROR_CONFIGURATION, errno, "cannot be read");
	if (text->failed)
		return error_set(error, ERROR_MEMORY, "no memory to read it");
	if (text->length > TEXT_FILE_MAX)
		return error_set(error, ERROR_CONFIGURATION, "is larger than %d bytes", TEXT_FILE_MAX);
	if (text->length > 0 && memchr(text->data, '\0', text->length) != NULL)
		return error_set(error, ERROR_CONFIGURATION, "is not a text file: it has a zero byte");
	return true;
}

char *text_file_resolve(const char *folder, const char *path)
{
	struct text resolved = { 0 };

	if (path[0] == '/')
		return strdup(path);
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	if (*path == '\0' || strcmp(path, ".") == 0)
		return strdup(folder);
	text_append(&resolved, "%s%s%s", folder, strcmp(folder, "/") == 0 ? "" : "/", path);
	if (resolved.failed)
		text_finish(&resolved);
	return resolved.data;
}

char *text_file_folder(const char *name)
{
	const char *slash = strrchr(name, '/');
	char *here = getcwd(NULL, 0);
	char *relative = slash != NULL ? strndup(name, slash == name ? 1 : (size_t)(slash - name)) : strdup(".");
	char *folder = NULL;

	if (relative != NULL && strcmp(relative, ".") == 0 && here != NULL)
		folder = strdup(here);
	else if (relative != NULL && (relative[0] == '/' || here != NULL))
		folder = text_file_resolve(here, relative);
	free(relative);
	free(here);
	return folder;
}
