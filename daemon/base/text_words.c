/*
 * text_words.c - text_split_words() of text.h: a command line without a shell.
 */
#include "base/text.h"

#include <string.h>

/** Characters that would need a shell when they are not quoted; not `?`, which words have: `files:DIR?max-age=60`. */
static const char needs_shell[] = "|&;<>()$`*\n";

struct splitter {
	const char *cursor;
	struct text word;
	bool has_word; /**< a word is open; it may still be empty, as after '' */
	struct string_list *words;
	struct error *error;
};

static bool no_memory(struct splitter *splitter)
{
	return error_set(splitter->error, ERROR_MEMORY, "no memory to split a command into words");
}

static bool end_word(struct splitter *splitter)
{
	bool done = true;

	if (splitter->has_word) {
		done = !splitter->word.failed && string_list_append(splitter->words, text_string(&splitter->word));
		text_finish(&splitter->word);
		splitter->has_word = false;
	}
	return done || no_memory(splitter);
}

static void add_character(struct splitter *splitter, char character)
{
	splitter->has_word = true;
	text_append_bytes(&splitter->word, &character, 1);
}

/** The cursor is behind the opening quote; goes behind the closing one. */
static bool split_quoted(struct splitter *splitter, char quote)
{
	splitter->has_word = true;
	while (*splitter->cursor != quote) {
		char character = *splitter->cursor++;

		if (character == '\0')
			return error_set(splitter->error, ERROR_CONFIGURATION, "a closing %c is missing", quote);
		if (quote == '"' && character == '\\' && *splitter->cursor != '\0' &&
		    strchr("\"\\$`", *splitter->cursor) != NULL)
			character = *splitter->cursor++;
		add_character(splitter, character);
	}
	splitter->cursor++;
	return true;
}

static bool refuse_shell(struct splitter *splitter, char character)
{
	if (character == '\n')
		return error_set(splitter->error, ERROR_CONFIGURATION,
				 "a line break outside of quotes: no shell is involved");
	return error_set(splitter->error, ERROR_CONFIGURATION,
			 "`%c` outside of quotes: no shell is involved; quote it, or use sh -c '...'", character);
}

static bool split_next(struct splitter *splitter)
{
	char character = *splitter->cursor++;

	if (character == ' ' || character == '\t')
		return end_word(splitter);
	if (character == '\'' || character == '"')
		return split_quoted(splitter, character);
	if (strchr(needs_shell, character) != NULL)
		return refuse_shell(splitter, character);
	if (character == '\\') {
		if (*splitter->cursor == '\0')
			return error_set(splitter->error, ERROR_CONFIGURATION, "nothing stands behind the last \\");
		character = *splitter->cursor++;
	}
	add_character(splitter, character);
	return true;
}

bool text_split_words(const char *string, struct string_list *words, struct error *error)
{
	struct splitter splitter = { .cursor = string, .words = words, .error = error };
	bool done = true;

	while (done && *splitter.cursor != '\0')
		done = split_next(&splitter);
	done = done && end_word(&splitter);
	text_finish(&splitter.word);
	if (!done)
		string_list_finish(words);
	return done;
}
