/*
 * Program lookup and the words of resource limits: the parts of spawn.h that happen long before the fork.
 */
#include "system/spawn.h"

#include "base/text.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** Where a name without a slash is looked for when the daemon has no PATH. */
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

/** A place to look at and the buffer for what is found there. */
struct candidate {
	char *path;
	size_t size;
	int code; /**< why the best one so far does not do: EACCES beats ENOENT */
};

/** Puts a path together; a relative one becomes absolute, because the child changes its directory before it executes.
 */
static bool candidate_write(struct candidate *candidate, const char *folder, size_t folder_length, const char *name)
{
	size_t used = 0;
	int length;

	if (folder_length == 0 || folder[0] != '/') {
		if (getcwd(candidate->path, candidate->size) == NULL)
			return false;
		used = strlen(candidate->path);
	}
	if (folder_length == 0)
		length = snprintf(candidate->path + used, candidate->size - used, "/%s", name);
	else
		length = snprintf(candidate->path + used, candidate->size - used, "%s%.*s/%s", used > 0 ? "/" : "",
				  (int)folder_length, folder, name);
	return length >= 0 && (size_t)length < candidate->size - used;
}

static bool candidate_is_program(struct candidate *candidate)
{
	struct stat status;

	if (stat(candidate->path, &status) < 0) {
		if (candidate->code == 0 || errno == EACCES)
			candidate->code = errno;
		return false;
	}
	if (S_ISREG(status.st_mode) && access(candidate->path, X_OK) == 0)
		return true;
	candidate->code = EACCES;
	return false;
}

static bool candidate_try(struct candidate *candidate, const char *folder, size_t folder_length, const char *name)
{
	return candidate_write(candidate, folder, folder_length, name) && candidate_is_program(candidate);
}

/** Looks in each folder of a colon-separated list; an empty one is the current directory, as everywhere. */
static bool candidate_search(struct candidate *candidate, const char *folders, const char *name)
{
	for (const char *folder = folders;;) {
		size_t length = strcspn(folder, ":");

		if (candidate_try(candidate, folder, length, name))
			return true;
		if (folder[length] == '\0')
			return false;
		folder += length + 1;
	}
}

static bool find_by_path(const char *name, const char *directory, struct candidate *candidate, struct error *error)
{
	bool found;

	if (name[0] == '/' || directory == NULL) {
		int length = snprintf(candidate->path, candidate->size, "%s", name);

		found = length >= 0 && (size_t)length < candidate->size && candidate_is_program(candidate);
	} else {
		found = candidate_try(candidate, directory, strlen(directory), name);
	}
	if (found)
		return true;
	if (candidate->code == EACCES)
		return error_set(error, ERROR_CONFIGURATION, "%s is not an executable file", candidate->path);
	return error_set_errno(error, ERROR_CONFIGURATION, candidate->code != 0 ? candidate->code : ENAMETOOLONG,
			       "cannot find the program %s", name);
}

bool spawn_find_program(const char *name, const char *directory, const char *fallback_directory, char *path,
			size_t size, struct error *error)
{
	struct candidate candidate = { .path = path, .size = size };
	const char *folders = getenv("PATH");

	if (name[0] == '\0')
		return error_set(error, ERROR_CONFIGURATION, "the name of the program is empty");
	if (strchr(name, '/') != NULL)
		return find_by_path(name, directory, &candidate, error);
	if (folders == NULL)
		folders = DEFAULT_PATH;
	if (candidate_search(&candidate, folders, name))
		return true;
	if (fallback_directory != NULL &&
	    candidate_try(&candidate, fallback_directory, strlen(fallback_directory), name))
		return true;
	return error_set(error, ERROR_CONFIGURATION, "cannot find %s program %s in %s%s%s",
			 candidate.code == EACCES ? "an executable" : "a", name, folders,
			 fallback_directory != NULL ? " nor in " : "",
			 fallback_directory != NULL ? fallback_directory : "");
}

static const struct {
	const char *name;
	int resource;
} limit_names[] = {
	{ "as", RLIMIT_AS },           { "core", RLIMIT_CORE },         { "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },       { "fsize", RLIMIT_FSIZE },       { "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK }, { "msgqueue", RLIMIT_MSGQUEUE }, { "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },   { "nproc", RLIMIT_NPROC },       { "rss", RLIMIT_RSS },
	{ "rtprio", RLIMIT_RTPRIO },   { "rttime", RLIMIT_RTTIME },     { "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};

#define LIMIT_NAME_COUNT (sizeof(limit_names) / sizeof(limit_names[0]))

static bool unknown_limit(const char *string, struct error *error)
{
	struct text names = { 0 };

	for (size_t i = 0; i < LIMIT_NAME_COUNT; i++)
		text_append(&names, " %s", limit_names[i].name);
	(void)error_set(error, ERROR_CONFIGURATION, "'%s' is not NAME=VALUE with one of the names%s", string,
			text_string(&names));
	text_finish(&names);
	return false;
}

static bool find_limit(const char *name, size_t length, int *resource)
{
	for (size_t i = 0; i < LIMIT_NAME_COUNT; i++)
		if (strlen(limit_names[i].name) == length && memcmp(limit_names[i].name, name, length) == 0) {
			*resource = limit_names[i].resource;
			return true;
		}
	return false;
}

/** Reads `length` characters as a number, a size or "unlimited". */
static bool parse_limit_value(const char *string, size_t length, rlim_t *value)
{
	char copy[32];
	uint64_t number;

	if (length >= sizeof(copy))
		return false;
	memcpy(copy, string, length);
	copy[length] = '\0';
	if (!text_parse_size(copy, &number))
		return false;
	*value = number == UINT64_MAX ? RLIM_INFINITY : (rlim_t)number;
	return *value == RLIM_INFINITY || (uint64_t)*value == number;
}

bool spawn_limit_parse(const char *string, struct spawn_limit *limit, struct error *error)
{
	size_t name_length = strcspn(string, "=");
	const char *value = string + name_length + 1;
	struct spawn_limit parsed;
	size_t soft_length;

	if (string[name_length] == '\0' || !find_limit(string, name_length, &parsed.resource))
		return unknown_limit(string, error);
	soft_length = strcspn(value, ":");
	if (!parse_limit_value(value, soft_length, &parsed.value.rlim_cur))
		return error_set(error, ERROR_CONFIGURATION,
				 "'%s': a limit is a number, such as 1024 or 64k, or \"unlimited\"", string);
	parsed.value.rlim_max = parsed.value.rlim_cur;
	if (value[soft_length] == ':' &&
	    !parse_limit_value(value + soft_length + 1, strlen(value + soft_length + 1), &parsed.value.rlim_max))
		return error_set(error, ERROR_CONFIGURATION, "'%s': behind the colon stands the hard limit, a number",
				 string);
	if (parsed.value.rlim_cur > parsed.value.rlim_max)
		return error_set(error, ERROR_CONFIGURATION, "'%s': the soft limit is above the hard limit", string);
	*limit = parsed;
	return true;
}
