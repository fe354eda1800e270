/*
 * setting_text.c - kinds whose value is one word that is no number: texts, choices, addresses, readiness.
 */
#include "model/setting_value.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#define PARSE(kind)                                                                                                    \
	static bool parse_##kind(const struct setting *setting, void *member, const char *const *values, size_t count, \
				 struct error *error)
#define PRINT(kind) static void print_##kind(const struct setting *setting, const void *member, struct text *text)

/* ---- texts */

PARSE(text)
{
	char *copy;

	(void)setting;
	(void)count;
	if (*values[0] == '\0')
		return error_set(error, ERROR_CONFIGURATION, "is empty; leave the line out for the default");
	copy = strdup(values[0]);
	if (copy == NULL)
		return error_set(error, ERROR_MEMORY, "no memory");
	free(*(char **)member);
	*(char **)member = copy;
	return true;
}

PRINT(text)
{
	const char *string = *(char *const *)member;

	(void)setting;
	if (string != NULL)
		setting_print_quoted(string, text);
}

static void finish_text(void *member)
{
	free(*(char **)member);
	*(char **)member = NULL;
}

/* ---- choices */

PARSE(choice)
{
	struct text choices = { 0 };

	(void)count;
	for (int i = 0; setting->choices[i] != NULL; i++) {
		if (strcmp(setting->choices[i], values[0]) == 0) {
			*(int *)member = i;
			text_finish(&choices);
			return true;
		}
		text_append(&choices, "%s%s", i > 0 ? ", " : "", setting->choices[i]);
	}
	(void)error_set(error, ERROR_CONFIGURATION, "`%s` is none of: %s", values[0], text_string(&choices));
	text_finish(&choices);
	return false;
}

PRINT(choice)
{
	text_append(text, "%s", setting->choices[*(const int *)member]);
}

/* ---- addresses */

PARSE(address)
{
	(void)setting;
	(void)count;
	return address_parse(member, values[0], error);
}

PRINT(address)
{
	const struct address *address = member;
	char buffer[ADDRESS_TEXT_SIZE];

	(void)setting;
	if (address->kind != ADDRESS_NONE)
		setting_print_quoted(address_print(address, buffer, sizeof(buffer)), text);
}

/* ---- readiness */

static const char output_word[] = "output ";
static const char alive_word[] = "alive ";

static bool check_pattern(const char *pattern, struct error *error)
{
	char reason[128];
	regex_t compiled;
	int code;

	if (*pattern == '\0')
		return error_set(error, ERROR_CONFIGURATION, "the pattern behind output is empty");
	code = regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB);
	if (code != 0) {
		(void)regerror(code, &compiled, reason, sizeof(reason));
		return error_set(error, ERROR_CONFIGURATION, "`%s` is not a regular expression: %s", pattern, reason);
	}
	regfree(&compiled);
	return true;
}

static bool parse_output(const char *pattern, struct readiness *readiness, struct error *error)
{
	if (!check_pattern(pattern, error))
		return false;
	readiness->kind = READINESS_OUTPUT;
	readiness->pattern = strdup(pattern);
	return readiness->pattern != NULL || error_set(error, ERROR_MEMORY, "no memory for a pattern");
}

static bool parse_alive(const char *time, struct readiness *readiness, struct error *error)
{
	readiness->kind = READINESS_ALIVE;
	if (!text_parse_duration(time, &readiness->alive_ms))
		return error_set(error, ERROR_CONFIGURATION, "`%s` is not a time, as 500ms or 5s", time);
	return true;
}

static bool parse_readiness_words(const char *value, struct readiness *readiness, struct error *error)
{
	if (strncmp(value, output_word, sizeof(output_word) - 1) == 0)
		return parse_output(value + sizeof(output_word) - 1, readiness, error);
	if (strncmp(value, alive_word, sizeof(alive_word) - 1) == 0)
		return parse_alive(value + sizeof(alive_word) - 1, readiness, error);
	if (strcmp(value, "auto") == 0)
		readiness->kind = READINESS_AUTO;
	else if (strcmp(value, "message") == 0)
		readiness->kind = READINESS_MESSAGE;
	else
		return error_set(error, ERROR_CONFIGURATION,
				 "`%s` is none of: auto, message, \"output REGEX\", \"alive TIME\"", value);
	return true;
}

PARSE(readiness)
{
	struct readiness readiness = { .kind = READINESS_AUTO };
	struct readiness *target = member;

	(void)setting;
	(void)count;
	if (!parse_readiness_words(values[0], &readiness, error))
		return false;
	free(target->pattern);
	*target = readiness;
	return true;
}

PRINT(readiness)
{
	const struct readiness *readiness = member;
	struct text value = { 0 };
	char time[64];

	(void)setting;
	switch (readiness->kind) {
	case READINESS_OUTPUT:
		text_append(&value, "%s%s", output_word, readiness->pattern);
		setting_print_quoted(text_string(&value), text);
		break;
	case READINESS_ALIVE:
		text_append(text, "\"%s%s\"", alive_word,
			    text_format_duration(time, sizeof(time), readiness->alive_ms));
		break;
	case READINESS_MESSAGE:
		text_append(text, "message");
		break;
	case READINESS_AUTO:
	default:
		text_append(text, "auto");
		break;
	}
	text->failed = text->failed || value.failed;
	text_finish(&value);
}

static void finish_readiness(void *member)
{
	finish_text(&((struct readiness *)member)->pattern);
}

/* ---- */

static const struct setting_type types[SETTING_EXITS + 1] = {
	[SETTING_TEXT] = { .parse = parse_text, .print = print_text, .finish = finish_text },
	[SETTING_CHOICE] = { .parse = parse_choice, .print = print_choice },
	[SETTING_ADDRESS] = { .parse = parse_address, .print = print_address },
	[SETTING_READINESS] = { .parse = parse_readiness, .print = print_readiness, .finish = finish_readiness },
};

const struct setting_type *setting_text_type(enum setting_kind kind)
{
	return types[kind].parse != NULL ? &types[kind] : NULL;
}
