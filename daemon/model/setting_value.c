#include "model/setting_value.h"

#include <stdio.h>
#include <string.h>

/** Words of one list; more is a mistake, and comparisons of each with each stay cheap. */
#define LIST_MAX 1024

/** @return the member of a row in a struct of its scope */
static void *member_of(const struct setting *setting, void *target)
{
	return (char *)target + setting->offset;
}

static const void *constant_member_of(const struct setting *setting, const void *source)
{
	return (const char *)source + setting->offset;
}

const struct setting_type *setting_type_of(enum setting_kind kind)
{
	const struct setting_type *type = setting_number_type(kind);

	if (type == NULL)
		type = setting_text_type(kind);
	return type != NULL ? type : setting_list_type(kind);
}

bool setting_kind_is_list(enum setting_kind kind)
{
	return setting_type_of(kind)->is_list;
}

bool setting_assign(const struct setting *setting, void *target, const char *const *values, size_t count,
		    struct error *error)
{
	const struct setting_type *type = setting_type_of(setting->kind);

	if (!type->is_list && count != 1)
		return error_set(error, ERROR_CONFIGURATION, "takes one value");
	if (count > LIST_MAX)
		return error_set(error, ERROR_CONFIGURATION, "has more than %d words", LIST_MAX);
	return type->parse(setting, member_of(setting, target), values, count, error);
}

void setting_print(const struct setting *setting, const void *source, struct text *text)
{
	setting_type_of(setting->kind)->print(setting, constant_member_of(setting, source), text);
}

/** Values are the same when they print the same: printing is canonical, and so no kind needs a comparison. */
bool setting_equal(const struct setting *setting, const void *a, const void *b)
{
	struct text text_a = { 0 };
	struct text text_b = { 0 };
	bool equal;

	setting_print(setting, a, &text_a);
	setting_print(setting, b, &text_b);
	equal = !text_a.failed && !text_b.failed && strcmp(text_string(&text_a), text_string(&text_b)) == 0;
	text_finish(&text_a);
	text_finish(&text_b);
	return equal;
}

/** The table's texts are right by test; what can go wrong is memory. */
static bool set_default(const struct setting *setting, void *target)
{
	struct error error;

	if (setting->kind == SETTING_MODE)
		*(int *)member_of(setting, target) = -1;
	if (setting->default_text == NULL)
		return true;
	return setting_assign(setting, target, &setting->default_text, 1, &error);
}

bool settings_set_defaults(enum setting_scope scope, void *target)
{
	size_t count;
	const struct setting *table = settings_table(&count);

	for (size_t i = 0; i < count; i++) {
		if (table[i].scope == scope && !set_default(&table[i], target))
			return false;
	}
	return true;
}

void settings_finish(enum setting_scope scope, void *target)
{
	size_t count;
	const struct setting *table = settings_table(&count);

	for (size_t i = 0; i < count; i++) {
		const struct setting_type *type = setting_type_of(table[i].kind);

		if (table[i].scope == scope && type->finish != NULL)
			type->finish(member_of(&table[i], target));
	}
}

static void print_character(char character, struct text *text)
{
	unsigned char byte = (unsigned char)character;

	if (byte == '"' || byte == '\\' || byte == '$')
		text_append(text, "\\%c", byte);
	else if (byte == '\n')
		text_append(text, "\\n");
	else if (byte < ' ' || byte == 0x7f)
		text_append(text, "\\x%02x", byte);
	else
		text_append_bytes(text, &character, 1);
}

void setting_print_quoted(const char *string, struct text *text)
{
	text_append(text, "\"");
	for (const char *c = string; *c != '\0'; c++)
		print_character(*c, text);
	text_append(text, "\"");
}
