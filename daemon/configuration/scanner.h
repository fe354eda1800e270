/*
 * scanner.h - the tools of configuration_scan.c: looking at the current token, complaining, going on behind a mistake.
 */
#ifndef DAEMON_CONFIGURATION_SCANNER_H
#define DAEMON_CONFIGURATION_SCANNER_H

#include "configuration/configuration_scan.h"
#include "configuration/configuration_tokens.h"

/** Longest word that is looked up or quoted in a problem. */
#define WORD_SIZE 64

struct scanner {
	struct token_reader reader;
	struct configuration_scan *scan;
	struct problem_list *problems;
	bool failed; /**< no memory */
};

/** Adds a problem; behind a string that is not closed everything would be one, so nothing is added there. */
void scanner_complain(struct scanner *scanner, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** @return true when something was wrong since there were `before` problems */
bool scanner_is_spoiled(const struct scanner *scanner, size_t before);

/** Reads the next token. */
void scanner_next(struct scanner *scanner);
/** @return true when the current token is of the kind */
bool scanner_at(const struct scanner *scanner, enum token_kind kind);
/** Goes past a token of the kind, if it is the current one. */
bool scanner_take(struct scanner *scanner, enum token_kind kind);
/** Copies the current token, without its quotes; what is too long is cut. */
void scanner_copy_word(const struct scanner *scanner, char word[WORD_SIZE]);
/** Replaces what was read since `start`, but not the current token, by blanks. */
void scanner_blank_since(struct scanner *scanner, size_t start);

/** From an opening brace to behind the closing one. */
void scanner_skip_braces(struct scanner *scanner);
/** To the end of a line, or to the brace that closes the block there. */
void scanner_skip_line(struct scanner *scanner, unsigned line);
/** Behind the name of something that is not known: a setting with its value, or a block. */
void scanner_skip_unknown(struct scanner *scanner, unsigned line);
/** Complains about something that is no name where a name should be, and blanks its line. */
void scanner_skip_stray(struct scanner *scanner);

#endif
