#include "control/control_path.h"

#include "unicornd/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** What is made below /tmp for a user without a runtime folder. */
static void print_last_resort(char *folder, size_t size)
{
	(void)snprintf(folder, size, "/tmp/" UNICORND_RUNTIME_NAME "-%u", (unsigned)geteuid());
}

static bool print_folder(char *folder, size_t size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char usual[32];

	if (geteuid() == 0)
		return snprintf(folder, size, "%s", UNICORND_RUNTIME_DIRECTORY) < (int)size;
	/* The XDG specification wants a relative path to be ignored. */
	if (runtime != NULL && runtime[0] == '/')
		return snprintf(folder, size, "%s/%s", runtime, UNICORND_RUNTIME_NAME) < (int)size;
	(void)snprintf(usual, sizeof(usual), "/run/user/%u", (unsigned)geteuid());
	if (access(usual, F_OK) == 0)
		return snprintf(folder, size, "%s/%s", usual, UNICORND_RUNTIME_NAME) < (int)size;
	print_last_resort(folder, size);
	return true;
}

bool control_default_path(const char *site_name, char *buffer, size_t size)
{
	char folder[CONTROL_PATH_SIZE];
	bool fits = print_folder(folder, sizeof(folder));

	return snprintf(buffer, size, "%s/%s%s", folder, site_name, UNICORND_SOCKET_SUFFIX) < (int)size && fits;
}

/** Anybody may have been there before us. */
static bool check_is_ours(const char *folder, struct error *error)
{
	struct stat status;

	if (lstat(folder, &status) < 0)
		return error_set_errno(error, ERROR_SYSTEM, errno, "cannot look %s up", folder);
	if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077) != 0)
		return error_set(error, ERROR_DENIED, "%s is not a folder that belongs to this user alone", folder);
	return true;
}

static bool make_folder(const char *folder, struct error *error)
{
	mode_t mode = geteuid() == 0 ? 0755 : 0700;

	if (mkdir(folder, 0700) < 0)
		return errno == EEXIST ||
		       error_set_errno(error, ERROR_SYSTEM, errno, "cannot make the folder %s", folder);
	if (chmod(folder, mode) < 0)
		return error_set_errno(error, ERROR_SYSTEM, errno, "cannot set the mode of the folder %s", folder);
	return true;
}

bool control_path_prepare(const char *path, struct error *error)
{
	const char *slash = strrchr(path, '/');
	char folder[CONTROL_PATH_SIZE];
	char last_resort[CONTROL_PATH_SIZE];

	if (strlen(path) >= CONTROL_PATH_SIZE)
		return error_set(error, ERROR_CONFIGURATION, "the path of the control socket is too long: %s", path);
	if (slash == NULL || slash == path)
		return true;
	(void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	if (!make_folder(folder, error))
		return false;
	print_last_resort(last_resort, sizeof(last_resort));
	return strcmp(folder, last_resort) != 0 || check_is_ours(folder, error);
}
