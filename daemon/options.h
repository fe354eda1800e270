/*
 * options.h - the command line of unicornd.
 */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include "base/error.h"
#include "configuration/configuration_file.h"

#include <stdbool.h>
#include <stddef.h>

enum options_action {
	OPTIONS_RUN,
	OPTIONS_TEST,  /**< -t: check the configuration */
	OPTIONS_PRINT, /**< -T: check and print it with all defaults */
	OPTIONS_HELP,
	OPTIONS_VERSION
};

/** Addresses and assignments that a command line may have. */
#define OPTIONS_LIST_MAX 64
/** Longest name of a site, terminator included. */
#define OPTIONS_SITE_SIZE 64

struct options {
	enum options_action action;
	struct configuration_source source; /**< points into argv and into this struct */
	const char *socket;                 /**< --socket, or NULL */
	bool develops;                      /**< --reload or --reload-dir: roll when the source changes */
	char site[OPTIONS_SITE_SIZE];
	const char *binds[OPTIONS_LIST_MAX];
	const char *assignments[OPTIONS_LIST_MAX];
	const char *folders[OPTIONS_LIST_MAX]; /**< of --reload-dir; none: where the workers start */
	size_t folder_count;
};

/** @param argv  must outlive the options */
bool options_parse(struct options *options, int argc, char **argv, struct error *error);
/** Prints the help to standard output. */
void options_print_help(void);

#endif
