#include "system/instance_lock.h"

#include "base/ownership.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/** Says who holds the lock, as far as the file tells. */
static bool refuse(int fd, const char *path, struct error *error)
{
	char holder[16] = "";
	ssize_t length = pread(fd, holder, sizeof(holder) - 1, 0);

	holder[length > 0 ? (size_t)length : 0] = '\0';
	holder[strspn(holder, "0123456789")] = '\0';
	if (holder[0] == '\0')
		return error_set(error, ERROR_CONFLICT, "another unicornd runs this site: it holds %s", path);
	return error_set(error, ERROR_CONFLICT, "another unicornd runs this site: process %s holds %s", holder, path);
}

/** Leaves our pid in the file, for people and for refuse(). */
static bool write_holder(int fd, const char *path, struct error *error)
{
	char holder[16];
	int length = snprintf(holder, sizeof(holder), "%d\n", (int)getpid());

	if (ftruncate(fd, 0) < 0 || pwrite(fd, holder, (size_t)length, 0) != length)
		return error_set_errno(error, ERROR_SYSTEM, errno, "cannot write the lock file %s", path);
	return true;
}

/** @return true when `path` still names the locked file; somebody may have removed it before we had the lock. */
static bool is_current(int fd, const char *path)
{
	struct stat locked, named;

	return fstat(fd, &locked) == 0 && stat(path, &named) == 0 && locked.st_dev == named.st_dev &&
	       locked.st_ino == named.st_ino;
}

int instance_lock_take(const char *path, struct error *error)
{
	owned_fd fd = -1;

	do {
		close_fd(&fd);
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
		if (fd < 0) {
			(void)error_set_errno(error, ERROR_SYSTEM, errno, "cannot open the lock file %s", path);
			return -1;
		}
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			if (errno == EWOULDBLOCK)
				(void)refuse(fd, path, error);
			else
				(void)error_set_errno(error, ERROR_SYSTEM, errno, "cannot lock %s", path);
			return -1;
		}
	} while (!is_current(fd, path));
	return write_holder(fd, path, error) ? take_fd(&fd) : -1;
}
