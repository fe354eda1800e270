#include "policy/source_names.h"

#include <stddef.h>
#include <string.h>

static const char *const folders[] = { "__pycache__", "node_modules" };

static const char *const endings[] = {
	/* editors */
	"~",
	".swp",
	".swx",
	".tmp",
	"___jb_tmp___",
	"___jb_old___",
	/* bytecode */
	".pyc",
	".pyo",
	/* applications: one that keeps its database beside its source must not be rolled by each request */
	".log",
	".pid",
	".db",
	".sqlite",
	".sqlite3",
	"-journal",
	"-wal",
	"-shm",
};

/** Vim tries with a file of this name whether it can write in a folder. */
#define VIM_PROBE "4913"

static bool ends_with(const char *name, const char *ending)
{
	size_t length = strlen(name);
	size_t ending_length = strlen(ending);

	return length >= ending_length && strcmp(name + length - ending_length, ending) == 0;
}

bool source_folder_matters(const char *name)
{
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (strcmp(name, folders[i]) == 0)
			return false;
	}
	return name[0] != '.';
}

bool source_file_matters(const char *name)
{
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (ends_with(name, endings[i]))
			return false;
	}
	return name[0] != '.' && name[0] != '#' && strcmp(name, VIM_PROBE) != 0;
}
