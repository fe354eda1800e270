#include "model/known_servers.h"

#include <string.h>

static const struct {
	const char *name;
	const char *ready;
} servers[] = {
#define KNOWN_SERVER(name, ready) { (name), (ready) },
#include "model/known_servers.def"
};

static const char *basename_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/** @return the word that names the server behind a Python interpreter: the module, the script, or NULL */
static const char *python_program(const struct string_list *command)
{
	for (size_t i = 1; i < command->count; i++) {
		const char *word = command->items[i];

		if (strcmp(word, "-m") == 0)
			return i + 1 < command->count ? command->items[i + 1] : NULL;
		if (word[0] != '-')
			return basename_of(word);
	}
	return NULL;
}

const char *known_server_readiness(const struct string_list *command)
{
	const char *name = command->count > 0 ? basename_of(command->items[0]) : NULL;

	if (name != NULL && strncmp(name, "python", 6) == 0)
		name = python_program(command);
	for (size_t i = 0; name != NULL && i < sizeof(servers) / sizeof(servers[0]); i++) {
		if (strcmp(servers[i].name, name) == 0)
			return servers[i].ready;
	}
	return "message";
}
