#include "configuration/scanner.h"

#include <string.h>

void scanner_complain(struct scanner *scanner, unsigned line, const char *fmt, ...)
{
	struct place place = scanner->reader.place;
	struct text text = { 0 };
	va_list arguments;

	if (scanner->reader.unclosed)
		return;
	place.line = line;
	va_start(arguments, fmt);
	text_append_list(&text, fmt, arguments);
	va_end(arguments);
	problem_list_add(scanner->problems, &place, "%s", text_string(&text));
	text_finish(&text);
}

bool scanner_is_spoiled(const struct scanner *scanner, size_t before)
{
	return scanner->problems->count != before || scanner->reader.unclosed;
}

void scanner_next(struct scanner *scanner)
{
	token_next(&scanner->reader);
}

bool scanner_at(const struct scanner *scanner, enum token_kind kind)
{
	return scanner->reader.token.kind == kind;
}

bool scanner_take(struct scanner *scanner, enum token_kind kind)
{
	if (!scanner_at(scanner, kind))
		return false;
	scanner_next(scanner);
	return true;
}

void scanner_copy_word(const struct scanner *scanner, char word[WORD_SIZE])
{
	const struct token *token = &scanner->reader.token;
	const char *text = scanner->reader.text;
	size_t start = token->start;
	size_t end = token->end;

	if (end - start >= 2 && (text[start] == '"' || text[start] == '\'')) {
		start++;
		end--;
	}
	if (end - start >= WORD_SIZE)
		end = start + WORD_SIZE - 1;
	memcpy(word, text + start, end - start);
	word[end - start] = '\0';
}

void scanner_blank_since(struct scanner *scanner, size_t start)
{
	char *text = scanner->reader.text;

	for (size_t i = start; i < scanner->reader.token.start; i++) {
		if (text[i] != '\n')
			text[i] = ' ';
	}
}

void scanner_skip_braces(struct scanner *scanner)
{
	unsigned depth = 0;

	do {
		depth += scanner_at(scanner, TOKEN_OPEN);
		depth -= scanner_at(scanner, TOKEN_CLOSE);
		scanner_next(scanner);
	} while (depth > 0 && !scanner_at(scanner, TOKEN_END));
}

void scanner_skip_line(struct scanner *scanner, unsigned line)
{
	while (!scanner_at(scanner, TOKEN_END) && !scanner_at(scanner, TOKEN_CLOSE) &&
	       scanner->reader.token.line == line) {
		if (scanner_at(scanner, TOKEN_OPEN))
			scanner_skip_braces(scanner);
		else
			scanner_next(scanner);
	}
}

void scanner_skip_unknown(struct scanner *scanner, unsigned line)
{
	if (scanner_take(scanner, TOKEN_ASSIGN) || scanner_take(scanner, TOKEN_APPEND)) {
		if (scanner_at(scanner, TOKEN_OPEN))
			scanner_skip_braces(scanner);
		else
			(void)scanner_take(scanner, TOKEN_WORD);
		return;
	}
	if (scanner->reader.token.line == line)
		(void)scanner_take(scanner, TOKEN_WORD);
	if (scanner_at(scanner, TOKEN_OPEN))
		scanner_skip_braces(scanner);
	else
		scanner_skip_line(scanner, line);
}

void scanner_skip_stray(struct scanner *scanner)
{
	size_t start = scanner->reader.token.start;
	unsigned line = scanner->reader.token.line;
	char word[WORD_SIZE];

	scanner_copy_word(scanner, word);
	scanner_complain(scanner, line, "`%s` is not expected here", word);
	scanner_next(scanner);
	scanner_skip_line(scanner, line);
	scanner_blank_since(scanner, start);
}
