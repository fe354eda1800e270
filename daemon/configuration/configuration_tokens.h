/*
 * configuration_tokens.h - the words and signs of a configuration text, as libConfuse's lexer would see them.
 */
#ifndef DAEMON_CONFIGURATION_CONFIGURATION_TOKENS_H
#define DAEMON_CONFIGURATION_CONFIGURATION_TOKENS_H

#include "configuration/problems.h"

#include <stdbool.h>
#include <stddef.h>

enum token_kind {
	TOKEN_END,
	TOKEN_WORD, /**< quoted or not: libConfuse makes no difference */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_OPEN_PARENTHESIS,
	TOKEN_CLOSE_PARENTHESIS,
	TOKEN_ASSIGN,
	TOKEN_APPEND, /**< += */
	TOKEN_COMMA,
	TOKEN_STRAY /**< `*` or `+` outside of quotes, which libConfuse would skip without a word */
};

struct token {
	enum token_kind kind;
	size_t start; /**< first byte in the text */
	size_t end;   /**< behind the last byte */
	unsigned line;
};

struct token_reader {
	char *text; /**< comments in it become blanks while it is read */
	size_t position;
	struct place place; /**< its line is that of `position` */
	struct problem_list *problems;
	const char *setting; /**< whose value is read, for problems within it; NULL: none */
	struct token token;  /**< the current one */
	bool unclosed;       /**< a string or comment runs to the end of the text: nothing more can be said about it */
};

/** Reads the next token into reader->token. What is wrong inside of a token is added to the problems. */
void token_next(struct token_reader *reader);

/** @return true when the token is followed by = or +=, so that it is the name of a setting */
bool token_is_followed_by_assignment(const struct token_reader *reader);

#endif
