/*
 * socket_path.c - which control socket is meant.
 */
#include "socket_path.h"

#include "unicornd/control.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** The sockets of a folder. */
struct sites {
	size_t count;
	char *only; /**< name of the first one found */
	FILE *list; /**< collects all names */
};

static bool path_format(char **path, struct failure *failure, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static bool path_format(char **path, struct failure *failure, const char *fmt, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, fmt);
	length = vasprintf(path, fmt, arguments);
	va_end(arguments);
	if (length >= 0)
		return true;
	*path = NULL;
	return failure_set_no_memory(failure);
}

/* In /tmp anybody may create the folder, so it must be ours; that it does not exist is seen later. */
static bool folder_check_owner(const char *folder, struct failure *failure)
{
	struct stat status;

	if (lstat(folder, &status) != 0)
		return true;
	if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid())
		return failure_set(failure, UNICORNCTL_EXIT_DENIED, "%s is not a folder that belongs to you", folder);
	return true;
}

static bool folder_find_of_user(char **folder, struct failure *failure)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const unsigned long uid = (unsigned long)geteuid();
	char usual[64];

	/* The XDG specification wants a relative path to be ignored. */
	if (runtime != NULL && runtime[0] == '/')
		return path_format(folder, failure, "%s/%s", runtime, UNICORND_RUNTIME_NAME);
	snprintf(usual, sizeof(usual), "/run/user/%lu", uid);
	if (access(usual, F_OK) == 0)
		return path_format(folder, failure, "%s/%s", usual, UNICORND_RUNTIME_NAME);
	return path_format(folder, failure, "/tmp/%s-%lu", UNICORND_RUNTIME_NAME, uid) &&
	       folder_check_owner(*folder, failure);
}

static bool is_socket(DIR *folder, const char *name)
{
	struct stat status;

	return fstatat(dirfd(folder), name, &status, 0) == 0 && S_ISSOCK(status.st_mode);
}

/* Hidden files are sockets that a daemon is about to put in place. */
static void sites_consider(struct sites *sites, DIR *folder, const char *name)
{
	const size_t suffix = strlen(UNICORND_SOCKET_SUFFIX);
	const size_t length = strlen(name);

	if (name[0] == '.' || length <= suffix || strcmp(name + length - suffix, UNICORND_SOCKET_SUFFIX) != 0)
		return;
	if (!is_socket(folder, name))
		return;
	fprintf(sites->list, "%s%.*s", sites->count > 0 ? ", " : "", (int)(length - suffix), name);
	if (sites->count++ == 0)
		sites->only = strndup(name, length - suffix);
}

static bool sites_read(struct sites *sites, const char *path, struct failure *failure)
{
	const struct dirent *entry;
	DIR *folder = opendir(path);

	if (folder == NULL && errno == EACCES)
		return failure_set(failure, UNICORNCTL_EXIT_DENIED, "you may not read %s", path);
	if (folder == NULL && errno == ENOENT)
		return true;
	if (folder == NULL)
		return failure_set(failure, UNICORNCTL_EXIT_NOT_RUNNING, "no daemon answers: cannot read %s: %s", path,
				   strerror(errno));
	while ((entry = readdir(folder)) != NULL)
		sites_consider(sites, folder, entry->d_name);
	closedir(folder);
	return true;
}

static bool sites_choose(const struct sites *sites, const char *list, char **found, const char *folder,
			 struct failure *failure)
{
	if (sites->count == 0)
		return failure_set(failure, UNICORNCTL_EXIT_NOT_RUNNING, "no daemon answers: no socket in %s", folder);
	if (sites->count > 1)
		return failure_set(failure, UNICORNCTL_EXIT_USAGE, "several sites run; choose one with --site: %s",
				   list);
	if (sites->only == NULL)
		return failure_set_no_memory(failure);
	return path_format(found, failure, "%s/%s%s", folder, sites->only, UNICORND_SOCKET_SUFFIX);
}

static bool socket_path_find_only(char **found, const char *folder, struct failure *failure)
{
	struct sites sites = { .count = 0 };
	char *list = NULL;
	size_t size;
	bool success;

	sites.list = open_memstream(&list, &size);
	if (sites.list == NULL)
		return failure_set_no_memory(failure);
	success = sites_read(&sites, folder, failure);
	if (fclose(sites.list) != 0)
		success = failure_set_no_memory(failure);
	success = success && sites_choose(&sites, list, found, folder, failure);
	free(sites.only);
	free(list);
	return success;
}

static bool find_in(char **found, const char *folder, const char *site, struct failure *failure)
{
	if (site == NULL)
		return socket_path_find_only(found, folder, failure);
	return path_format(found, failure, "%s/%s%s", folder, site, UNICORND_SOCKET_SUFFIX);
}

/** Neither is there: what root's daemons have to say is told, unless that is only that there are none. */
static bool find_nothing(const struct failure *system_wide, struct failure *failure)
{
	const size_t length = strlen(failure->text);

	if (failure->exit_status == UNICORNCTL_EXIT_NOT_RUNNING &&
	    system_wide->exit_status != UNICORNCTL_EXIT_NOT_RUNNING)
		*failure = *system_wide;
	else if (failure->exit_status == UNICORNCTL_EXIT_NOT_RUNNING)
		snprintf(failure->text + length, sizeof(failure->text) - length, ", nor in %s",
			 UNICORND_RUNTIME_DIRECTORY);
	return false;
}

/** A user's own daemons first; operators and observers of root's daemons find those next. */
static bool find_as_user(char **found, const char *site, struct failure *failure)
{
	struct failure system_wide = { 0 };
	char *folder = NULL;
	char *other = NULL;
	bool success = folder_find_of_user(&folder, failure) && find_in(found, folder, site, failure);

	free(folder);
	if (success && access(*found, F_OK) == 0)
		return true;
	if (!find_in(&other, UNICORND_RUNTIME_DIRECTORY, site, &system_wide))
		return success || find_nothing(&system_wide, failure);
	if (success && access(other, F_OK) != 0) {
		free(other);
		return true;
	}
	free(*found);
	*found = other;
	return true;
}

bool socket_path_find(char **found, const char *path, const char *site, struct failure *failure)
{
	*found = NULL;
	if (path != NULL)
		return path_format(found, failure, "%s", path);
	if (geteuid() != 0)
		return find_as_user(found, site, failure);
	return find_in(found, UNICORND_RUNTIME_DIRECTORY, site, failure);
}
