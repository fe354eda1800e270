/*
 * help.h - help, written from the rows of command_table.h.
 */
#ifndef CTL_HELP_H
#define CTL_HELP_H

#include <stdio.h>

struct command;

/** Writes one line: how unicornctl, or with a command how that command, is called. */
void help_print_usage(FILE *stream, const struct command *command);
/** Writes the help of unicornctl, or of a command. */
void help_print(FILE *stream, const struct command *command);

#endif
