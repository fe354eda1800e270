/*
 * help.c - help, written from the rows of the command table.
 */
#include "help.h"

#include "command_table.h"

/** Room for an option with its value in the left column. */
#define LEFT_SIZE 80

static void option_print(FILE *stream, char letter, const char *name, const char *word, const char *summary)
{
	char left[LEFT_SIZE];
	char short_form[] = "    ";

	if (letter != '\0')
		snprintf(short_form, sizeof(short_form), "-%c, ", letter);
	snprintf(left, sizeof(left), "%s--%s%s%s", short_form, name, word[0] != '\0' ? " " : "", word);
	fprintf(stream, "  %-26s  %s\n", left, summary);
}

static void usage_print_parameter(FILE *stream, const struct parameter *parameter)
{
	const char *open = parameter->required ? "" : "[";
	const char *close = parameter->required ? "" : "]";

	if (parameter->option[0] == '\0')
		fprintf(stream, " %s%s%s", open, parameter->word, close);
	else
		fprintf(stream, " %s--%s%s%s%s", open, parameter->option, parameter->word[0] != '\0' ? " " : "",
			parameter->word, close);
}

void help_print_usage(FILE *stream, const struct command *command)
{
	const struct parameter *parameter = NULL;

	if (command == NULL) {
		fputs("Usage: unicornctl [OPTION...] COMMAND [ARGUMENT...]\n", stream);
		return;
	}
	fprintf(stream, "Usage: unicornctl %s", command->name);
	while ((parameter = parameter_next(command, parameter)) != NULL)
		usage_print_parameter(stream, parameter);
	fputc('\n', stream);
}

static void global_options_print(FILE *stream)
{
	for (size_t i = 0; i < GLOBAL_COUNT; i++) {
		const struct global_option *option = &global_option_table[i];

		option_print(stream, option->letter, option->name, option->word, option->summary);
	}
}

static void parameters_print(FILE *stream, const struct command *command)
{
	const struct parameter *parameter = NULL;

	while ((parameter = parameter_next_positional(command, parameter)) != NULL)
		fprintf(stream, "  %-26s  %s\n", parameter->word, parameter->summary);
	while ((parameter = parameter_next(command, parameter)) != NULL) {
		if (parameter->option[0] != '\0')
			option_print(stream, parameter_letter(parameter), parameter->option, parameter->word,
				     parameter->summary);
	}
}

static void commands_print(FILE *stream)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(stream, "  %-26s  %s\n", command_table[i].name, command_table[i].summary);
}

void help_print(FILE *stream, const struct command *command)
{
	help_print_usage(stream, command);
	if (command == NULL) {
		fputs("Control a running unicornd.\n\nCommands:\n", stream);
		commands_print(stream);
	} else {
		fprintf(stream, "What it does: %s.\nWho may: %s or stronger.\n\n", command->summary,
			command_role_name(command));
		parameters_print(stream, command);
	}
	fputs(command != NULL && parameter_next(command, NULL) == NULL ? "Options:\n" : "\nOptions:\n", stream);
	global_options_print(stream);
}
