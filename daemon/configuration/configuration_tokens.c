#include "configuration/configuration_tokens.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/** Ends a word that is not quoted; the rest is as in libConfuse's lexer. */
static const char word_ends[] = " #\"'\t\n\r={}()+,*";

static void complain_at(struct token_reader *reader, unsigned line, const char *what)
{
	struct place place = reader->place;

	place.line = line;
	problem_list_add(reader->problems, &place, "%s", what);
}

/** Complains about a value, or a part of it. */
static void complain_in_value(struct token_reader *reader, unsigned line, const char *what)
{
	struct text text = { 0 };

	if (reader->setting != NULL)
		text_append(&text, "%s: ", reader->setting);
	text_append(&text, "%s", what);
	complain_at(reader, line, text_string(&text));
	text_finish(&text);
}

/** Replaces bytes by blanks; line breaks stay, so that lines keep their numbers. */
static void blank(struct token_reader *reader, size_t start, size_t end)
{
	for (size_t i = start; i < end; i++) {
		if (reader->text[i] != '\n')
			reader->text[i] = ' ';
	}
}

static void skip_line_comment(struct token_reader *reader)
{
	size_t start = reader->position;

	reader->position += strcspn(reader->text + start, "\n");
	blank(reader, start, reader->position);
}

static void skip_block_comment(struct token_reader *reader)
{
	size_t start = reader->position;
	const char *end = strstr(reader->text + start + 2, "*/");
	unsigned line = reader->place.line;

	if (end == NULL) {
		complain_at(reader, line, "the comment that begins here is not closed");
		reader->unclosed = true;
	}
	reader->position = end != NULL ? (size_t)(end + 2 - reader->text) : start + strlen(reader->text + start);
	for (size_t i = start; i < reader->position; i++)
		reader->place.line += reader->text[i] == '\n';
	blank(reader, start, reader->position);
}

/** Goes to the first byte of a token. */
static void skip_blanks(struct token_reader *reader)
{
	for (;;) {
		const char *here = reader->text + reader->position;

		if (*here == '#' || (here[0] == '/' && here[1] == '/')) {
			skip_line_comment(reader);
		} else if (here[0] == '/' && here[1] == '*') {
			skip_block_comment(reader);
		} else if (*here == '\n' || *here == ' ' || *here == '\t' || *here == '\r') {
			reader->place.line += *here == '\n';
			reader->position++;
		} else {
			return;
		}
	}
}

static void check_variable_is_set(struct token_reader *reader, const char *name, size_t length)
{
	char *copy = strndup(name, length);

	if (copy == NULL)
		reader->problems->failed = true;
	else if (getenv(copy) == NULL)
		problem_list_add(reader->problems, &reader->place,
				 "%s%sthe environment variable %s is not set; ${%s:-} would make it empty",
				 reader->setting != NULL ? reader->setting : "", reader->setting != NULL ? ": " : "",
				 copy, copy);
	free(copy);
}

/** At "${": libConfuse puts the value of the variable there. Goes behind the brace. */
static void read_variable(struct token_reader *reader)
{
	const char *name = reader->text + reader->position + 2;
	size_t length = 0;
	size_t fallback = 0;

	while (isalnum((unsigned char)name[length]) || name[length] == '_')
		length++;
	if (strncmp(name + length, ":-", 2) == 0)
		fallback = 2 + strcspn(name + length + 2, "}\"'\n");
	if (length == 0 || name[length + fallback] != '}') {
		complain_in_value(reader, reader->place.line,
				  "`${` is for a variable, ${NAME} or ${NAME:-default}; write \\${ for the characters");
		reader->position += 2;
		return;
	}
	if (fallback == 0)
		check_variable_is_set(reader, name, length);
	reader->position += 2 + length + fallback + 1;
}

/** At the digits of an escape: libConfuse takes up to three octal ones. A zero byte would end the string. */
static bool is_valid_octal(const char *digits)
{
	size_t length = strspn(digits, "0123456789");

	return length <= 3 && strspn(digits, "01234567") >= length && strtol(digits, NULL, 8) <= 0377 &&
	       strspn(digits, "0") < length;
}

static bool is_valid_hexadecimal(const char *digits)
{
	size_t length = 0;

	while (length < 2 && isxdigit((unsigned char)digits[length]))
		length++;
	return strspn(digits, "0") < length || length == 0;
}

static void check_escape(struct token_reader *reader, const char *escaped)
{
	bool valid = true;

	if (isdigit((unsigned char)*escaped))
		valid = is_valid_octal(escaped);
	else if (*escaped == 'x')
		valid = is_valid_hexadecimal(escaped + 1);
	if (!valid)
		complain_in_value(
			reader, reader->place.line,
			"a \\ before digits stands for a byte, \\001 to \\377 or \\x01 to \\xff; write \\\\ for a \\");
}

/** Reads one character of a string, or what stands for it. */
static void read_string_part(struct token_reader *reader, char quote)
{
	const char *here = reader->text + reader->position;

	if (quote == '"' && here[0] == '$' && here[1] == '{') {
		read_variable(reader);
		return;
	}
	if (here[0] == '\\' && here[1] != '\0') {
		if (quote == '"')
			check_escape(reader, here + 1);
		here++;
		reader->position++;
	}
	reader->place.line += *here == '\n';
	reader->position++;
}

static void read_string(struct token_reader *reader)
{
	char quote = reader->text[reader->position++];
	unsigned line = reader->place.line;

	while (reader->text[reader->position] != quote) {
		if (reader->text[reader->position] == '\0') {
			complain_in_value(reader, line, "the string that begins here is not closed");
			reader->unclosed = true;
			return;
		}
		read_string_part(reader, quote);
	}
	reader->position++;
}

static void read_word(struct token_reader *reader)
{
	const char *here = reader->text + reader->position;

	if (here[0] == '$' && here[1] == '{')
		read_variable(reader);
	else
		reader->position += strcspn(here, word_ends);
}

static enum token_kind sign_kind(char sign)
{
	switch (sign) {
	case '{':
		return TOKEN_OPEN;
	case '}':
		return TOKEN_CLOSE;
	case '(':
		return TOKEN_OPEN_PARENTHESIS;
	case ')':
		return TOKEN_CLOSE_PARENTHESIS;
	case '=':
		return TOKEN_ASSIGN;
	case ',':
		return TOKEN_COMMA;
	default:
		return TOKEN_WORD;
	}
}

void token_next(struct token_reader *reader)
{
	struct token *token = &reader->token;
	const char *here;

	skip_blanks(reader);
	here = reader->text + reader->position;
	*token = (struct token){ .kind = sign_kind(*here), .start = reader->position, .line = reader->place.line };
	if (*here == '\0') {
		token->kind = TOKEN_END;
	} else if (here[0] == '+' && here[1] == '=') {
		token->kind = TOKEN_APPEND;
		reader->position += 2;
	} else if (token->kind != TOKEN_WORD) {
		reader->position++;
	} else if (*here == '"' || *here == '\'') {
		read_string(reader);
	} else if (*here == '*' || *here == '+') {
		token->kind = TOKEN_STRAY;
		reader->position++;
	} else {
		read_word(reader);
	}
	token->end = reader->position;
}

bool token_is_followed_by_assignment(const struct token_reader *reader)
{
	const char *behind = reader->text + reader->token.end;

	behind += strspn(behind, " \t");
	return *behind == '=' || (behind[0] == '+' && behind[1] == '=');
}
