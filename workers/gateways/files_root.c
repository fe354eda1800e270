#include "files_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIND_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
/* The kernel gives up with EAGAIN when something was renamed while it climbed a `..` of a symbolic link. */
#define FIND_ATTEMPTS 8

static int open_beneath(int fd, const char *name)
{
	const struct open_how how = { .flags = FIND_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, fd, name, &how, sizeof(how));
}

int files_root_open(struct files_root *root, const char *base, const char *name)
{
	const int folder_flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
	int base_fd = AT_FDCWD;
	int probe;
	int error;

	*root = (struct files_root){ .fd = -1 };
	if (base != NULL)
		base_fd = open(base, folder_flags);
	if (base_fd == -1)
		return -errno;
	root->fd = openat(base_fd, name, folder_flags);
	error = errno;
	if (base != NULL)
		(void)close(base_fd);
	if (root->fd < 0)
		return -error;
	/* Filters of system calls answer with EPERM or ENOSYS; a folder that may not be read is told by EACCES. */
	probe = open_beneath(root->fd, ".");
	root->is_walked = probe < 0 && (errno == ENOSYS || errno == EPERM);
	if (probe >= 0)
		(void)close(probe);
	return 0;
}

void files_root_close(struct files_root *root)
{
	if (root != NULL && root->fd >= 0)
		(void)close(root->fd);
}

/** Opens one step of the way. @return as files_root_find() */
static int open_step(int folder, const char *segment, size_t length, bool is_last)
{
	const int flags = is_last ? FIND_FLAGS : O_PATH | O_DIRECTORY | O_CLOEXEC;
	char name[NAME_MAX + 1];
	int fd;

	if (length > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, segment, length);
	name[length] = '\0';
	fd = openat(folder, name, flags | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static int walk(int root, const char *name)
{
	const char *slash;
	int folder = root;
	int next = root;

	while (next >= 0) {
		slash = strchrnul(name, '/');
		next = open_step(folder, name, (size_t)(slash - name), *slash == '\0');
		if (folder != root)
			(void)close(folder);
		if (*slash == '\0')
			break;
		folder = next;
		name = slash + 1;
	}
	return next;
}

int files_root_find(const struct files_root *root, const char *name)
{
	int fd = -1;

	if (root->is_walked)
		return walk(root->fd, name);
	for (int attempt = 0; attempt < FIND_ATTEMPTS; attempt++) {
		fd = open_beneath(root->fd, name);
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd < 0 ? -errno : fd;
}
