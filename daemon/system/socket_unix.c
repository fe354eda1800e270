#include "system/socket_unix.h"

#include "base/ownership.h"
#include "system/privileges.h"
#include "system/socket.h"
#include "system/socket_diag.h"
#include "system/socket_holder.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/** Mode of a socket's file when the settings have none. */
#define DEFAULT_MODE 0660

static bool refuse(const char *path, int code, const char *what, struct error *error)
{
	return error_set_errno(error, ERROR_ADDRESS, code, "cannot listen on %s: %s", path, what);
}

/** Who may give a file away is what most go wrong with: the unit's user is not in the web server's group. */
static bool refuse_owner(const struct listener_settings *settings, int code, struct error *error)
{
	const char *path = settings->address.path;
	const struct passwd *entry = getpwuid(geteuid());
	const char *user = entry != NULL ? entry->pw_name : "of the daemon";

	if (code != EPERM || settings->owner != NULL || settings->group == NULL)
		return refuse(path, code, "cannot change the owner of the socket", error);
	return error_set(error, ERROR_ADDRESS,
			 "cannot listen on %s: the user %s may not give it to the group %s, for this process is not in "
			 "it: usermod -aG %s %s, then restart the daemon",
			 path, user, settings->group, settings->group, user);
}

static void make_endpoint(struct sockaddr_un *endpoint, const char *path)
{
	memset(endpoint, 0, sizeof(*endpoint));
	endpoint->sun_family = AF_UNIX;
	memcpy(endpoint->sun_path, path, strnlen(path, sizeof(endpoint->sun_path) - 1));
}

/**
 * Knocks.
 *
 * @param pid  of who answers; 0: not known
 * @return 0 when somebody answers, or the errno value. A full queue (EAGAIN) is an answer.
 */
static int knock(const char *path, pid_t *pid)
{
	owned_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un endpoint;

	*pid = 0;
	if (fd < 0)
		return errno;
	make_endpoint(&endpoint, path);
	if (connect(fd, (const struct sockaddr *)&endpoint, sizeof(endpoint)) < 0)
		return errno;
	*pid = socket_holder_of_peer(fd);
	return 0;
}

/** @return true when there is nothing at the path, or a socket that nobody listens on any more. */
static bool check_path_is_free(const char *path, struct error *error)
{
	char holder[SOCKET_HOLDER_SIZE];
	struct stat status;
	pid_t pid;
	int code;

	if (lstat(path, &status) < 0)
		return errno == ENOENT || refuse(path, errno, "the path cannot be looked up", error);
	if (!S_ISSOCK(status.st_mode))
		return error_set(error, ERROR_ADDRESS,
				 "cannot listen on %s: a file that is not a socket is there, and is left alone", path);
	code = knock(path, &pid);
	if (code == ECONNREFUSED || code == ENOENT)
		return true;
	if (code == 0 || code == EAGAIN || code == EPROTOTYPE)
		return error_set(error, ERROR_ADDRESS, "cannot listen on %s: %s", path,
				 socket_holder_print(pid, ADDRESS_UNIX, holder, sizeof(holder)));
	return refuse(path, code, "cannot find out whether the socket there is in use", error);
}

/** Owner and group for chown(2), -1 where they stay. */
static bool find_owner(const struct listener_settings *settings, uid_t *uid, gid_t *gid, struct error *error)
{
	struct privileges privileges;

	*uid = (uid_t)-1;
	*gid = (gid_t)-1;
	if (settings->group != NULL && !privileges_find_group(settings->group, gid, error))
		return false;
	if (settings->owner == NULL)
		return true;
	/* Only the user is wanted: for a bare number any group makes the lookup content. */
	if (!privileges_resolve(settings->owner, settings->group != NULL ? settings->group : "0", &privileges, error))
		return false;
	*uid = privileges.uid;
	return true;
}

/**
 * Gives the file to its owner without following a name twice: whoever may write to the folder could put a link to
 * somebody else's file there between two calls.
 */
static bool give_to_owner(const char *path, const struct listener_settings *settings, uid_t uid, gid_t gid,
			  struct error *error)
{
	owned_fd file = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;

	if (file < 0 || fstat(file, &status) < 0)
		return refuse(path, errno, "the new socket is gone", error);
	if (!S_ISSOCK(status.st_mode))
		return refuse(path, ENOTSOCK, "somebody replaced the new socket", error);
	if (fchownat(file, "", uid, gid, AT_EMPTY_PATH) < 0)
		return refuse_owner(settings, errno, error);
	return true;
}

/** Binds with the exact mode: a Unix socket's file takes it over from the descriptor, less the umask. */
static int bind_with_mode(int fd, const char *path, int mode)
{
	struct sockaddr_un endpoint;
	mode_t umask_before;
	int code = 0;

	make_endpoint(&endpoint, path);
	if (fchmod(fd, (mode_t)(mode < 0 ? DEFAULT_MODE : mode)) < 0)
		return errno;
	umask_before = umask(0);
	if (bind(fd, (const struct sockaddr *)&endpoint, sizeof(endpoint)) < 0)
		code = errno;
	(void)umask(umask_before);
	return code;
}

/** Listens under the temporary name, then puts the socket into its place: nobody sees it unfinished. */
static bool finish_in_place(int fd, const char *temporary, const struct listener_settings *settings,
			    struct error *error)
{
	const char *path = settings->address.path;
	uid_t uid;
	gid_t gid;

	if (!find_owner(settings, &uid, &gid, error)) {
		error->kind = ERROR_ADDRESS;
		return error_wrap(error, "cannot listen on %s", path);
	}
	if ((uid != (uid_t)-1 || gid != (gid_t)-1) && !give_to_owner(temporary, settings, uid, gid, error))
		return false;
	if (listen(fd, settings->backlog) < 0)
		return refuse(path, errno, "listen", error);
	return rename(temporary, path) == 0 || refuse(path, errno, "cannot put the socket into its place", error);
}

bool socket_unix_bind(int fd, const struct listener_settings *settings, struct error *error)
{
	const char *path = settings->address.path;
	char temporary[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	size_t length = strnlen(path, sizeof(settings->address.path));
	int code;

	if (length + sizeof(SOCKET_UNIX_SUFFIX) > sizeof(temporary))
		return error_set(error, ERROR_ADDRESS, "cannot listen on %s: the path has more than %zu characters",
				 path, sizeof(temporary) - sizeof(SOCKET_UNIX_SUFFIX));
	memcpy(temporary, path, length);
	memcpy(temporary + length, SOCKET_UNIX_SUFFIX, sizeof(SOCKET_UNIX_SUFFIX));
	if (!check_path_is_free(path, error) || !check_path_is_free(temporary, error))
		return false;
	(void)unlink(temporary); /* left by a daemon that died right here */
	code = bind_with_mode(fd, temporary, settings->mode);
	if (code != 0)
		return refuse(path, code, "cannot create the socket", error);
	if (finish_in_place(fd, temporary, settings, error))
		return true;
	(void)unlink(temporary);
	return false;
}

bool socket_unix_has_file(int fd, const char *path)
{
	struct socket_diag diag;
	struct stat status;

	return lstat(path, &status) == 0 && S_ISSOCK(status.st_mode) && socket_diag_unix(fd, &diag) && diag.has_file &&
	       diag.file_number == (uint32_t)status.st_ino;
}

void socket_unlink(int fd, const struct address *address)
{
	/* Somebody may have replaced it. When the kernel does not tell it stays: the next start replaces a dead one. */
	if (address->kind == ADDRESS_UNIX && socket_unix_has_file(fd, address->path))
		(void)unlink(address->path);
}
