#include "configuration/suggestion.h"

#include <string.h>

/** Longest word that is compared. */
#define WORD_MAX 40
/** No word is so far from another that it is a slip of the finger. */
#define FAR WORD_MAX

static unsigned smallest(unsigned a, unsigned b, unsigned c)
{
	unsigned smaller = a < b ? a : b;

	return smaller < c ? smaller : c;
}

/** @return how many letters must be added, taken away or changed to make one word the other (Levenshtein) */
static unsigned distance(const char *a, const char *b)
{
	size_t length_a = strlen(a);
	size_t length_b = strlen(b);
	unsigned row[WORD_MAX + 1];

	if (length_a > WORD_MAX || length_b > WORD_MAX)
		return FAR;
	for (size_t k = 0; k <= length_b; k++)
		row[k] = (unsigned)k;
	for (size_t i = 1; i <= length_a; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t k = 1; k <= length_b; k++) {
			unsigned changed = diagonal + (a[i - 1] != b[k - 1]);

			diagonal = row[k];
			row[k] = smallest(row[k] + 1, row[k - 1] + 1, changed);
		}
	}
	return row[length_b];
}

/** A guess is worth saying when most of the word is right. */
static bool is_near(unsigned distance, const char *word)
{
	return distance <= 3 && distance * 2 < strlen(word) + 1;
}

/** A word that begins another one ("timeout", "drain") is a better guess than its distance says. */
static unsigned setting_distance(const char *word, const char *name)
{
	size_t length = strlen(word);

	if (length >= 4 && strncmp(word, name, length) == 0)
		return 1;
	return distance(word, name);
}

static const char *find_setting(enum setting_scope scope, const char *word)
{
	size_t count;
	const struct setting *table = settings_table(&count);
	const char *best = NULL;
	unsigned best_distance = FAR;

	for (size_t i = 0; i < count; i++) {
		unsigned far = table[i].scope == scope ? setting_distance(word, table[i].name) : FAR;

		if (far < best_distance) {
			best_distance = far;
			best = table[i].name;
		}
	}
	return is_near(best_distance, word) ? best : NULL;
}

/** @return true when a block has a setting of exactly this name, which is then said */
static bool append_scopes_of(const char *word, struct text *text)
{
	bool found = false;

	for (unsigned scope = 0; scope < SETTING_SCOPE_COUNT; scope++) {
		if (setting_find((enum setting_scope)scope, word) != NULL) {
			text_append(text, "%s %s", found ? " or" : "; it is a setting of a block",
				    setting_scope_name((enum setting_scope)scope));
			found = true;
		}
	}
	return found;
}

void suggestion_append_setting(enum setting_scope scope, const char *word, struct text *text)
{
	const char *guess = find_setting(scope, word);

	if (guess != NULL)
		text_append(text, "; did you mean `%s`?", guess);
	else
		(void)append_scopes_of(word, text);
}

void suggestion_append_block(const char *word, struct text *text)
{
	if (append_scopes_of(word, text))
		return;
	for (unsigned scope = 0; scope < SETTING_SCOPE_COUNT; scope++) {
		const char *name = setting_scope_name((enum setting_scope)scope);

		if (is_near(distance(word, name), word)) {
			text_append(text, "; did you mean `%s`?", name);
			return;
		}
	}
	text_append(text, "; there are listener, pool, control, log and include(...)");
}
