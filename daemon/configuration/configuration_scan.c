#include "configuration/configuration_scan.h"

#include "configuration/scanner.h"
#include "configuration/suggestion.h"
#include "model/setting_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Blocks of one file; more is a mistake, and comparisons of each with each stay cheap. */
#define BLOCKS_MAX 4096

/* ---- settings */

/** At a word in a list that is followed by "=": a value without quotes, or the next setting. */
static void scan_list_assignment(struct scanner *scanner, const char *name, unsigned line)
{
	if (scanner->reader.token.line != line) {
		scanner_complain(scanner, line, "%s: the closing brace is missing", name);
		return;
	}
	scanner_complain(scanner, line, "%s: a value with `=` stands in quotes: \"...\"", name);
	while (!scanner_at(scanner, TOKEN_CLOSE) && !scanner_at(scanner, TOKEN_END))
		scanner_next(scanner);
	(void)scanner_take(scanner, TOKEN_CLOSE);
}

/** Behind the opening brace of a list. */
static void scan_list(struct scanner *scanner, const char *name, unsigned line)
{
	bool complained = false;

	while (scanner_at(scanner, TOKEN_WORD)) {
		if (token_is_followed_by_assignment(&scanner->reader)) {
			scan_list_assignment(scanner, name, line);
			return;
		}
		scanner_next(scanner);
		if (!scanner_take(scanner, TOKEN_COMMA) && scanner_at(scanner, TOKEN_WORD) && !complained) {
			scanner_complain(scanner, line, "%s: a comma or the closing brace is missing", name);
			complained = true;
		}
	}
	scanner->reader.setting = NULL;
	if (scanner_take(scanner, TOKEN_CLOSE))
		return;
	if (!complained)
		scanner_complain(scanner, line, "%s: a list is words with commas between them in braces: { a, b }",
				 name);
	scanner_skip_line(scanner, scanner->reader.token.line);
	(void)scanner_take(scanner, TOKEN_CLOSE);
}

/** At the first token of the value, behind which another setting comes unless it is a list. */
static void scan_value(struct scanner *scanner, const struct setting *setting, unsigned line)
{
	bool list = setting_kind_is_list(setting->kind);

	if (!scanner_at(scanner, TOKEN_OPEN))
		scanner->reader.setting = NULL;
	if (scanner_at(scanner, TOKEN_WORD) && token_is_followed_by_assignment(&scanner->reader)) {
		scanner_complain(scanner, line, "%s has no value", setting->name);
		return;
	}
	if (scanner_at(scanner, TOKEN_OPEN) && !list) {
		scanner_complain(scanner, line, "%s takes one value, not a list", setting->name);
		scanner_skip_braces(scanner);
		return;
	}
	if (scanner_take(scanner, TOKEN_OPEN)) {
		scan_list(scanner, setting->name, line);
		return;
	}
	if (!scanner_take(scanner, TOKEN_WORD) && !scanner_at(scanner, TOKEN_STRAY)) {
		scanner_complain(scanner, line, "%s has no value", setting->name);
		scanner_skip_line(scanner, line);
	} else if (scanner->reader.token.line == line && !scanner_at(scanner, TOKEN_END) &&
		   !scanner_at(scanner, TOKEN_CLOSE) && !token_is_followed_by_assignment(&scanner->reader)) {
		scanner_complain(scanner, line, "%s: a value with blanks or signs stands in quotes: \"...\"",
				 setting->name);
		scanner_skip_line(scanner, line);
	}
}

static void scan_known_setting(struct scanner *scanner, const struct setting *setting, unsigned *seen, unsigned line)
{
	bool append = scanner_at(scanner, TOKEN_APPEND);

	scanner->reader.setting = setting->name;
	if (!scanner_take(scanner, TOKEN_ASSIGN) && !scanner_take(scanner, TOKEN_APPEND)) {
		scanner->reader.setting = NULL;
		scanner_complain(scanner, line, "%s: `=` is missing", setting->name);
		scanner_skip_line(scanner, line);
		return;
	}
	if (append && !setting_kind_is_list(setting->kind))
		scanner_complain(scanner, line, "%s takes one value; += is for lists", setting->name);
	else if (!append && *seen != 0)
		scanner_complain(scanner, line, "%s is already set in line %u", setting->name, *seen);
	if (*seen == 0)
		*seen = line;
	scan_value(scanner, setting, line);
	scanner->reader.setting = NULL;
}

static void complain_unknown_setting(struct scanner *scanner, enum setting_scope scope, const char *word, unsigned line)
{
	struct text hint = { 0 };

	suggestion_append_setting(scope, word, &hint);
	scanner_complain(scanner, line, "unknown setting `%s` in a block %s%s", word, setting_scope_name(scope),
			 text_string(&hint));
	text_finish(&hint);
}

static void scan_setting(struct scanner *scanner, struct scan_block *block)
{
	size_t before = scanner->problems->count;
	size_t start = scanner->reader.token.start;
	unsigned line = scanner->reader.token.line;
	const struct setting *setting;
	char word[WORD_SIZE];
	size_t count;

	scanner_copy_word(scanner, word);
	setting = setting_find(block->scope, word);
	scanner_next(scanner);
	if (setting == NULL) {
		complain_unknown_setting(scanner, block->scope, word, line);
		scanner_skip_unknown(scanner, line);
	} else {
		scan_known_setting(scanner, setting, &block->lines[setting - settings_table(&count)], line);
	}
	if (scanner_is_spoiled(scanner, before)) {
		scanner_blank_since(scanner, start);
		block->damaged = true;
	}
}

/* ---- blocks */

bool configuration_name_is_valid(const char *name)
{
	size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

	return length > 0 && length <= CONFIGURATION_NAME_MAX && name[length] == '\0';
}

/** @return the scope of a block's name, SETTING_SCOPE_COUNT for other words */
static enum setting_scope find_scope(const char *word)
{
	unsigned scope = 0;

	while (scope < SETTING_SCOPE_COUNT && strcmp(word, setting_scope_name((enum setting_scope)scope)) != 0)
		scope++;
	return (enum setting_scope)scope;
}

static void check_first(struct scanner *scanner, const struct scan_block *block)
{
	for (size_t i = 0; i < scanner->scan->block_count; i++) {
		const struct scan_block *other = &scanner->scan->blocks[i];

		if (other->scope == block->scope && strcmp(other->name, block->name) == 0)
			scanner_complain(scanner, block->line, "%s%s%s is already defined in line %u",
					 setting_scope_name(block->scope), *block->name != '\0' ? " " : "", block->name,
					 other->line);
	}
}

/** At what stands between the block's kind and its brace. */
static void scan_title(struct scanner *scanner, struct scan_block *block)
{
	const char *scope = setting_scope_name(block->scope);
	bool named = block->scope == SETTING_LISTENER || block->scope == SETTING_POOL;
	char word[WORD_SIZE];

	if (!scanner_at(scanner, TOKEN_WORD)) {
		if (named)
			scanner_complain(scanner, block->line, "a %s has a name: %s NAME {", scope, scope);
		return;
	}
	scanner_copy_word(scanner, word);
	scanner_next(scanner);
	if (!named)
		scanner_complain(scanner, block->line, "a block %s has no name: %s {", scope, scope);
	else if (!configuration_name_is_valid(word))
		scanner_complain(scanner, block->line, "`%s` is not a name: 1 to %d of letters, digits, _ . -", word,
				 CONFIGURATION_NAME_MAX);
	else
		(void)snprintf(block->name, sizeof(block->name), "%.*s", CONFIGURATION_NAME_MAX, word);
}

/** @return true at "pool web {" and the like, where a setting should be: the block before it is not closed */
static bool at_block(const struct scanner *scanner)
{
	char word[WORD_SIZE];

	scanner_copy_word(scanner, word);
	return find_scope(word) != SETTING_SCOPE_COUNT && !token_is_followed_by_assignment(&scanner->reader);
}

/** Behind the opening brace. @return true when the closing one was there */
static bool scan_body(struct scanner *scanner, struct scan_block *block)
{
	while (!scanner_at(scanner, TOKEN_CLOSE) && !scanner_at(scanner, TOKEN_END)) {
		if (!scanner_at(scanner, TOKEN_WORD))
			scanner_skip_stray(scanner);
		else if (at_block(scanner))
			break;
		else
			scan_setting(scanner, block);
	}
	return scanner_take(scanner, TOKEN_CLOSE);
}

/** The brace of a block is missing: at the end of the file one is put there, so that its values are looked at too. */
static bool close_block(struct scanner *scanner, const struct scan_block *block)
{
	if (!scanner_at(scanner, TOKEN_END)) {
		scanner_complain(scanner, block->line, "the block that begins here is not closed before line %u",
				 scanner->reader.token.line);
		return false;
	}
	scanner_complain(scanner, block->line, "the block that begins here is not closed");
	text_append(&scanner->scan->text, "}\n");
	scanner->reader.text = scanner->scan->text.data;
	scanner->failed = scanner->failed || scanner->scan->text.failed;
	return true;
}

static bool keep_block(struct configuration_scan *scan, const struct scan_block *block)
{
	struct scan_block *blocks = reallocarray(scan->blocks, scan->block_count + 1, sizeof(*blocks));

	if (blocks == NULL)
		return false;
	scan->blocks = blocks;
	blocks[scan->block_count++] = *block;
	return true;
}

/** At the first token of the block's title or brace; `start` is where the block begins. */
static void scan_block_rest(struct scanner *scanner, struct scan_block *block, size_t start)
{
	size_t before = scanner->problems->count;
	bool keep;

	scan_title(scanner, block);
	check_first(scanner, block);
	keep = !scanner_is_spoiled(scanner, before);
	if (!scanner_take(scanner, TOKEN_OPEN)) {
		scanner_complain(scanner, block->line, "`{` is missing behind %s", setting_scope_name(block->scope));
		scanner_skip_line(scanner, block->line);
		keep = false;
	} else if (!scan_body(scanner, block)) {
		keep = keep && close_block(scanner, block);
	}
	if (!keep)
		scanner_blank_since(scanner, start);
	if (!keep || !keep_block(scanner->scan, block)) {
		free(block->lines);
		scanner->failed = scanner->failed || keep;
	}
}

static void scan_block(struct scanner *scanner, enum setting_scope scope, size_t start, unsigned line)
{
	struct scan_block block = { .scope = scope, .line = line };
	size_t count;

	(void)settings_table(&count);
	block.lines = calloc(count, sizeof(*block.lines));
	if (block.lines == NULL)
		scanner->failed = true;
	else
		scan_block_rest(scanner, &block, start);
}

static void scan_include(struct scanner *scanner, unsigned line)
{
	if (!scanner_take(scanner, TOKEN_OPEN_PARENTHESIS) || !scanner_take(scanner, TOKEN_WORD) ||
	    !scanner_take(scanner, TOKEN_CLOSE_PARENTHESIS)) {
		scanner_complain(scanner, line, "include is written include(\"FILE\")");
		scanner_skip_line(scanner, line);
	}
}

static void scan_unknown_block(struct scanner *scanner, const char *word, unsigned line)
{
	struct text hint = { 0 };

	suggestion_append_block(word, &hint);
	scanner_complain(scanner, line, "unknown block `%s`%s", word, text_string(&hint));
	text_finish(&hint);
	scanner_skip_unknown(scanner, line);
}

/** A block, or include(...). */
static void scan_statement(struct scanner *scanner)
{
	size_t before = scanner->problems->count;
	size_t start = scanner->reader.token.start;
	unsigned line = scanner->reader.token.line;
	enum setting_scope scope;
	char word[WORD_SIZE];

	scanner_copy_word(scanner, word);
	scope = find_scope(word);
	scanner_next(scanner);
	if (scope != SETTING_SCOPE_COUNT) {
		scan_block(scanner, scope, start, line);
		return;
	}
	if (strcmp(word, "include") == 0)
		scan_include(scanner, line);
	else
		scan_unknown_block(scanner, word, line);
	if (scanner_is_spoiled(scanner, before))
		scanner_blank_since(scanner, start);
}

bool configuration_scan(struct configuration_scan *scan, const struct place *file, const char *text,
			struct problem_list *problems)
{
	struct scanner scanner = { .scan = scan, .problems = problems };

	text_append(&scan->text, "%s\n", text);
	if (scan->text.failed)
		return false;
	scanner.reader = (struct token_reader){ .text = scan->text.data, .place = *file, .problems = problems };
	scanner.reader.place.line = 1;
	scanner_next(&scanner);
	while (!scanner_at(&scanner, TOKEN_END) && !scanner.failed && scan->block_count < BLOCKS_MAX) {
		if (scanner_at(&scanner, TOKEN_WORD))
			scan_statement(&scanner);
		else
			scanner_skip_stray(&scanner);
	}
	if (scan->block_count == BLOCKS_MAX && !scanner_at(&scanner, TOKEN_END)) {
		scanner_complain(&scanner, scanner.reader.token.line, "more than %d blocks", BLOCKS_MAX);
		scan->text.length = scanner.reader.token.start;
	}
	return !scanner.failed;
}

void configuration_scan_finish(struct configuration_scan *scan)
{
	for (size_t i = 0; i < scan->block_count; i++)
		free(scan->blocks[i].lines);
	free(scan->blocks);
	text_finish(&scan->text);
	*scan = (struct configuration_scan){ 0 };
}
