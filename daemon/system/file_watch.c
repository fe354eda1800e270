#include "system/file_watch.h"

#include "base/ownership.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define WATCHED                                                                                                        \
	(IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF |        \
	 IN_ONLYDIR | IN_EXCL_UNLINK)

/** Reads of one file_watch_read(); whoever writes without end must not hold the loop. */
#define READS_MAX 256
/** Longest name that is told, cut beyond. */
#define CHANGED_SIZE 256
#define MANY_FILES   "more than can be told"

struct folder {
	int wd; /**< of inotify */
	char *path;
};

/** A folder that was asked for. */
struct root {
	int wd; /**< -1: not there */
	char *path;
};

struct file_watch {
	int fd;
	struct file_watch_rules rules;
	size_t folders_max;
	struct folder *folders;
	struct folder *spare; /**< as many again, for when all are looked for anew */
	size_t folder_count;
	struct root *roots;
	size_t root_count;
	char changed[CHANGED_SIZE]; /**< "" while nothing has */
	bool kernel_is_full;        /**< told, or to be told */
	bool is_full;
	bool has_complaint;
	struct error complaint;
};

struct file_watch *file_watch_create(const struct file_watch_rules *rules, size_t folders_max, struct error *error)
{
	struct file_watch *watch = calloc(1, sizeof(*watch));

	if (watch == NULL) {
		error_set(error, ERROR_MEMORY, "no memory to watch files");
		return NULL;
	}
	watch->rules = *rules;
	watch->folders_max = folders_max;
	watch->folders = calloc(folders_max, sizeof(*watch->folders));
	watch->spare = calloc(folders_max, sizeof(*watch->spare));
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->folders != NULL && watch->spare != NULL && watch->fd >= 0)
		return watch;
	if (watch->folders == NULL || watch->spare == NULL)
		error_set(error, ERROR_MEMORY, "no memory to watch files");
	else if (errno == EMFILE)
		error_set(error, ERROR_SYSTEM,
			  "cannot watch files: too many open files, or watchers (fs.inotify.max_user_instances)");
	else
		error_set_errno(error, ERROR_SYSTEM, errno, "cannot watch files");
	file_watch_destroy(watch);
	return NULL;
}

void file_watch_destroy(struct file_watch *watch)
{
	if (watch == NULL)
		return;
	close_fd(&watch->fd);
	for (size_t i = 0; i < watch->folder_count; i++)
		free(watch->folders[i].path);
	for (size_t i = 0; i < watch->root_count; i++)
		free(watch->roots[i].path);
	free(watch->folders);
	free(watch->spare);
	free(watch->roots);
	free(watch);
}

int file_watch_fd(const struct file_watch *watch)
{
	return watch->fd;
}

static void note_change(struct file_watch *watch, const char *folder, const char *name)
{
	if (watch->changed[0] == '\0')
		(void)snprintf(watch->changed, sizeof(watch->changed), "%s%s%s", folder, name[0] != '\0' ? "/" : "",
			       name);
}

/* ---- folders */

static struct folder *find_folder(const struct file_watch *watch, int wd)
{
	for (size_t i = 0; i < watch->folder_count; i++) {
		if (watch->folders[i].wd == wd)
			return &watch->folders[i];
	}
	return NULL;
}

static void complain(struct file_watch *watch, bool *told, const char *path, const char *why)
{
	if (*told)
		return;
	*told = true;
	watch->has_complaint = true;
	error_set(&watch->complaint, ERROR_SYSTEM, "%s: changes in %s and in other folders go unnoticed", why, path);
}

static void complain_of_limit(struct file_watch *watch, const char *path)
{
	char why[64];

	(void)snprintf(why, sizeof(why), "%zu folders are watched and no more", watch->folders_max);
	complain(watch, &watch->is_full, path, why);
}

/** Takes the path over; a folder that is known already has a new name. */
static void remember_folder(struct file_watch *watch, int wd, char *path)
{
	struct folder *known = find_folder(watch, wd);

	if (known == NULL) {
		watch->folders[watch->folder_count++] = (struct folder){ .wd = wd, .path = path };
		return;
	}
	free(known->path);
	known->path = path;
}

/** Watches one folder; takes the path over. @return its number in the kernel, or -errno */
static int watch_folder(struct file_watch *watch, char *path, uint32_t flags)
{
	int wd;

	if (path == NULL)
		return -ENOMEM;
	if (watch->folder_count == watch->folders_max) {
		complain_of_limit(watch, path);
		free(path);
		return -ENOSPC;
	}
	wd = inotify_add_watch(watch->fd, path, WATCHED | flags);
	if (wd < 0) {
		wd = -errno;
		if (wd == -ENOSPC || wd == -ENOMEM)
			complain(watch, &watch->kernel_is_full, path,
				 "the kernel watches no more folders, see fs.inotify.max_user_watches");
		free(path);
		return wd;
	}
	remember_folder(watch, wd, path);
	return wd;
}

static char *join(const char *folder, const char *name)
{
	struct text path = { 0 };

	text_append(&path, "%s/%s", folder, name);
	if (!path.failed)
		return path.data;
	text_finish(&path);
	return NULL;
}

static bool is_folder(int folder_fd, const struct dirent *entry)
{
	struct stat status;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(folder_fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

/** Watches the folders in a folder. @return whether there are files that matter */
static bool watch_entries(struct file_watch *watch, const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	bool has_files = false;

	if (directory == NULL)
		return false;
	while ((entry = readdir(directory)) != NULL) {
		if (!is_folder(dirfd(directory), entry))
			has_files = has_files || watch->rules.file_matters(entry->d_name);
		else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			 watch->rules.folder_matters(entry->d_name))
			(void)watch_folder(watch, join(path, entry->d_name), IN_DONT_FOLLOW);
	}
	(void)closedir(directory);
	return has_files;
}

/**
 * Watches a folder and all below it; takes the path over. New folders are put behind those that are known, so this goes
 * through the tree level by level.
 * @return the folder's number in the kernel, or -errno; *has_files tells whether files that matter were found
 */
static int watch_tree(struct file_watch *watch, char *path, uint32_t flags, bool *has_files)
{
	size_t first = watch->folder_count;
	int wd = watch_folder(watch, path, flags);

	*has_files = false;
	for (size_t i = first; i < watch->folder_count; i++)
		*has_files = watch_entries(watch, watch->folders[i].path) || *has_files;
	return wd;
}

static void forget_folder(struct file_watch *watch, struct folder *folder)
{
	for (size_t i = 0; i < watch->root_count; i++) {
		if (watch->roots[i].wd == folder->wd)
			watch->roots[i].wd = -1;
	}
	free(folder->path);
	*folder = watch->folders[--watch->folder_count];
}

static bool is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return strncmp(path, folder, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/** Stops watching a folder that went elsewhere, and all below it. */
static void unwatch_tree(struct file_watch *watch, const char *path)
{
	owned_memory char *gone = strdup(path);

	for (size_t i = watch->folder_count; gone != NULL && i > 0; i--) {
		struct folder *folder = &watch->folders[i - 1];
		if (!is_below(folder->path, gone))
			continue;
		(void)inotify_rm_watch(watch->fd, folder->wd);
		forget_folder(watch, folder);
	}
}

/* ---- what was asked for */

bool file_watch_has_lost(const struct file_watch *watch)
{
	for (size_t i = 0; i < watch->root_count; i++) {
		if (watch->roots[i].wd < 0)
			return true;
	}
	return false;
}

/** @return 0 or an errno value */
static int watch_root(struct file_watch *watch, struct root *root)
{
	bool has_files;
	int wd = watch_tree(watch, strdup(root->path), 0, &has_files);

	root->wd = wd;
	return wd < 0 ? -wd : 0;
}

bool file_watch_add(struct file_watch *watch, const char *folder, struct error *error)
{
	struct root *roots = realloc(watch->roots, (watch->root_count + 1) * sizeof(*roots));
	char *path = strdup(folder);
	int code = ENOMEM;

	if (roots != NULL)
		watch->roots = roots;
	if (roots != NULL && path != NULL) {
		roots[watch->root_count] = (struct root){ .wd = -1, .path = path };
		code = watch_root(watch, &roots[watch->root_count++]);
	} else {
		free(path);
	}
	return code == 0 || error_set_errno(error, ERROR_SYSTEM, code, "cannot watch %s", folder);
}

bool file_watch_refresh(struct file_watch *watch)
{
	bool found = false;

	for (size_t i = 0; i < watch->root_count; i++) {
		if (watch->roots[i].wd < 0)
			found = watch_root(watch, &watch->roots[i]) == 0 || found;
	}
	return found;
}

bool file_watch_is_incomplete(struct file_watch *watch, struct error *error)
{
	bool has_complaint = watch->has_complaint;

	watch->has_complaint = false;
	if (has_complaint)
		*error = watch->complaint;
	return has_complaint;
}

/* ---- events */

/**
 * Some events are lost, perhaps those of new folders: looks through everything again. What is found again stays
 * watched, for each folder that is given up is one more event.
 */
static void begin_anew(struct file_watch *watch)
{
	struct folder *before = watch->folders;
	size_t count = watch->folder_count;

	watch->folders = watch->spare;
	watch->spare = before;
	watch->folder_count = 0;
	for (size_t i = 0; i < watch->root_count; i++)
		watch->roots[i].wd = -1;
	(void)file_watch_refresh(watch);
	for (size_t i = 0; i < count; i++) {
		if (find_folder(watch, before[i].wd) == NULL)
			(void)inotify_rm_watch(watch->fd, before[i].wd);
		free(before[i].path);
	}
	note_change(watch, MANY_FILES, "");
}

static void folder_changed(struct file_watch *watch, const struct folder *folder, const struct inotify_event *event)
{
	bool has_files = false;
	owned_memory char *path = NULL;

	if (!watch->rules.folder_matters(event->name))
		return;
	path = join(folder->path, event->name);
	if (path == NULL)
		return;
	if ((event->mask & (IN_MOVED_FROM | IN_DELETE)) != 0)
		unwatch_tree(watch, path);
	if ((event->mask & (IN_CREATE | IN_MOVED_TO)) != 0)
		(void)watch_tree(watch, strdup(path), IN_DONT_FOLLOW, &has_files);
	if (has_files || (event->mask & IN_MOVED_FROM) != 0)
		note_change(watch, path, "");
}

/** A new file is told when it is written; one that is only a new name for something is complete at once. */
static bool is_only_a_name(const struct folder *folder, const char *name)
{
	owned_memory char *path = join(folder->path, name);
	struct stat status;

	return path != NULL && lstat(path, &status) == 0 &&
	       (S_ISLNK(status.st_mode) || (S_ISREG(status.st_mode) && status.st_nlink > 1));
}

static void file_changed(struct file_watch *watch, const struct folder *folder, const struct inotify_event *event)
{
	if (!watch->rules.file_matters(event->name))
		return;
	if ((event->mask & IN_CREATE) == 0 || is_only_a_name(folder, event->name))
		note_change(watch, folder->path, event->name);
}

static void handle(struct file_watch *watch, const struct inotify_event *event)
{
	struct folder *folder = find_folder(watch, event->wd);

	if ((event->mask & IN_Q_OVERFLOW) != 0)
		begin_anew(watch);
	else if (folder == NULL)
		return; /* forgotten meanwhile */
	else if ((event->mask & IN_IGNORED) != 0)
		forget_folder(watch, folder);
	else if ((event->mask & (IN_MOVE_SELF | IN_DELETE_SELF)) != 0)
		unwatch_tree(watch, folder->path);
	else if ((event->mask & IN_ISDIR) != 0)
		folder_changed(watch, folder, event);
	else if (event->len > 0)
		file_changed(watch, folder, event);
}

const char *file_watch_read(struct file_watch *watch)
{
	_Alignas(struct inotify_event) char bytes[8 * (sizeof(struct inotify_event) + NAME_MAX + 1)];

	watch->changed[0] = '\0';
	for (int i = 0; i < READS_MAX; i++) {
		ssize_t count = read(watch->fd, bytes, sizeof(bytes));
		if (count <= 0)
			break;
		for (size_t at = 0; at < (size_t)count;) {
			const struct inotify_event *event = (const void *)(bytes + at);
			at += sizeof(*event) + event->len;
			handle(watch, event);
		}
	}
	return watch->changed[0] != '\0' ? watch->changed : NULL;
}
