#include "configuration/configuration_file.h"

#include "configuration/configuration_build.h"
#include "configuration/configuration_options.h"
#include "configuration/configuration_scan.h"
#include "configuration/text_file.h"
#include "model/setting_value.h"
#include "policy/configuration_check.h"

#include <confuse.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Files that may include each other in a row. */
#define INCLUDE_DEPTH_MAX 8
/** Files of one site, so that files that include each other twice come to an end. */
#define FILES_MAX 256

/** One file while it is read. */
struct reading {
	struct reading *includer; /**< NULL for the first file */
	struct place place;
	char *folder; /**< absolute */
	struct configuration_scan scan;
	size_t next_block; /**< of the scan, that libConfuse comes to next */
};

/** A parse that is done. libConfuse has one lexer, which freeing any parse takes away from all: they are kept. */
struct finished_parse {
	struct finished_parse *previous;
	cfg_t *cfg;
	char *name; /**< of the file; places point at it */
};

/**
 * What libConfuse's callbacks work on: they have no argument for it, and its lexer is one for the whole process too,
 * so there is one load at a time anyway.
 */
static struct load {
	struct configuration_build *build;
	struct reading *reading; /**< the innermost file */
	struct finished_parse *parses;
	cfg_opt_t *options; /**< of a whole file */
	size_t files;
} load;

static void read_text(const char *name, const char *text);
static bool read_path(const char *name, struct error *error);

/* ---- blocks */

/** @return the words of an option, in an array that the caller frees; NULL without memory */
static const char **option_words(cfg_opt_t *option, size_t *count)
{
	const char **words;

	*count = cfg_opt_size(option);
	words = calloc(*count + 1, sizeof(*words));
	for (size_t i = 0; words != NULL && i < *count; i++)
		words[i] = cfg_opt_getnstr(option, (unsigned)i);
	return words;
}

static void give_option(struct given_value *value, cfg_t *section, const char *name)
{
	cfg_opt_t *option = cfg_getopt(section, name);

	if (option == NULL || (option->flags & CFGF_MODIFIED) == 0)
		return; /* The scan has taken it away, because something is wrong with it. */
	value->words = option_words(option, &value->count);
	if (value->words == NULL)
		load.build->problems.failed = true;
}

static void free_values(struct given_value *values, size_t count)
{
	for (size_t i = 0; values != NULL && i < count; i++)
		free((void *)(uintptr_t)values[i].words);
	free(values);
}

static struct given_value *collect_values(cfg_t *section, const struct scan_block *block)
{
	size_t count;
	const struct setting *table = settings_table(&count);
	struct given_value *values = calloc(count, sizeof(*values));

	for (size_t i = 0; values != NULL && i < count; i++) {
		if (table[i].scope != block->scope || block->lines[i] == 0)
			continue;
		values[i].is_given = true;
		values[i].place = load.reading->place;
		values[i].place.line = block->lines[i];
		give_option(&values[i], section, table[i].name);
	}
	return values;
}

/** libConfuse has read a block to its end: the last of its kind, and the next that the scan has left there. */
static int take_block(cfg_t *cfg, cfg_opt_t *option)
{
	struct reading *reading = load.reading;
	cfg_t *section = cfg_opt_getnsec(option, cfg_opt_size(option) - 1);
	const struct scan_block *scanned = &reading->scan.blocks[reading->next_block];
	struct given_block block = { .place = reading->place, .folder = reading->folder };
	struct given_value *values;
	size_t count;

	if (reading->next_block++ >= reading->scan.block_count) {
		cfg_error(cfg, "block %s is not expected", cfg_opt_name(option));
		return -1;
	}
	(void)settings_table(&count);
	values = collect_values(section, scanned);
	block.scope = scanned->scope;
	block.name = scanned->name;
	block.damaged = scanned->damaged;
	block.place.line = scanned->line;
	block.values = values;
	if (values == NULL)
		load.build->problems.failed = true;
	else
		configuration_build_block(load.build, &block);
	free_values(values, count);
	return 0;
}

/* ---- include */

/** @return the name of an included file as people would write it: below the folder that the includer's name has */
static char *included_name(const char *includer, const char *path)
{
	const char *slash = strrchr(includer, '/');
	struct text name = { 0 };

	if (path[0] == '/' || slash == NULL)
		return strdup(path);
	text_append_bytes(&name, includer, (size_t)(slash - includer) + 1);
	text_append(&name, "%s", path);
	if (name.failed)
		text_finish(&name);
	return name.data;
}

static size_t depth_of(const struct reading *reading)
{
	size_t depth = 0;

	for (; reading->includer != NULL; reading = reading->includer)
		depth++;
	return depth;
}

/** Not cfg_include(): that one would leave the lexer in the middle of an included file that has a mistake. */
static int take_include(cfg_t *cfg, cfg_opt_t *option, int argc, const char **argv)
{
	struct place place = load.reading->place;
	struct error error;
	char *name;

	(void)option;
	place.line = (unsigned)cfg->line;
	if (depth_of(load.reading) >= INCLUDE_DEPTH_MAX || load.files >= FILES_MAX) {
		problem_list_add(&load.build->problems, &place, "too many files: does %s include itself?",
				 argc > 0 ? argv[0] : "one");
		return 0;
	}
	name = argc > 0 ? included_name(place.file, argv[0]) : NULL;
	if (name == NULL)
		load.build->problems.failed = true;
	else if (!read_path(name, &error))
		problem_list_add(&load.build->problems, &place, "include: %s %s", name, error.text);
	free(name);
	return 0;
}

/* ---- libConfuse's options, made from the table */

static void fill_option(cfg_opt_t *option, const struct setting *setting)
{
	option->name = setting->name;
	option->type = CFGT_STR;
	option->flags = CFGF_NODEFAULT | (setting_kind_is_list(setting->kind) ? CFGF_LIST : CFGF_NONE);
}

/** Writes one section's options at `next`. @return where the ones of the next section may stand */
static cfg_opt_t *fill_section(cfg_opt_t *section, enum setting_scope scope, cfg_opt_t *next)
{
	size_t count;
	const struct setting *table = settings_table(&count);

	section->name = setting_scope_name(scope);
	section->type = CFGT_SEC;
	if (scope == SETTING_LISTENER || scope == SETTING_POOL)
		section->flags = CFGF_MULTI | CFGF_TITLE;
	section->subopts = next;
	section->validcb = take_block;
	for (size_t i = 0; i < count; i++) {
		if (table[i].scope == scope)
			fill_option(next++, &table[i]);
	}
	return next + 1; /* A zeroed one is the end. */
}

/** @return one allocation: the options of a file, behind them those of the sections; NULL without memory */
static cfg_opt_t *create_options(void)
{
	size_t count;
	cfg_opt_t *options;
	cfg_opt_t *next;

	(void)settings_table(&count);
	options = calloc(SETTING_SCOPE_COUNT + 2 + count + SETTING_SCOPE_COUNT, sizeof(*options));
	if (options == NULL)
		return NULL;
	next = options + SETTING_SCOPE_COUNT + 2;
	for (unsigned scope = 0; scope < SETTING_SCOPE_COUNT; scope++)
		next = fill_section(&options[scope], (enum setting_scope)scope, next);
	options[SETTING_SCOPE_COUNT].name = "include";
	options[SETTING_SCOPE_COUNT].type = CFGT_FUNC;
	options[SETTING_SCOPE_COUNT].func = take_include;
	return options;
}

/* ---- files */

/** The scan finds mistakes before libConfuse does; what is left would be a difference between the two. */
static void take_error(cfg_t *cfg, const char *fmt, va_list arguments) __attribute__((format(printf, 2, 0)));

static void take_error(cfg_t *cfg, const char *fmt, va_list arguments)
{
	struct place place = load.reading->place;
	struct text text = { 0 };

	place.line = (unsigned)cfg->line;
	text_append_list(&text, fmt, arguments);
	problem_list_add(&load.build->problems, &place, "%s", text_string(&text));
	text_finish(&text);
}

static bool run_libconfuse(cfg_t *cfg, const struct configuration_scan *scan)
{
	FILE *stream = fmemopen(scan->text.data, scan->text.length, "r");
	size_t before = load.build->problems.count;

	if (stream == NULL)
		return false;
	if (cfg_parse_fp(cfg, stream) != CFG_SUCCESS && load.build->problems.count == before)
		cfg_error(cfg, "cannot be read");
	(void)fclose(stream);
	return true;
}

/** Runs libConfuse over what the scan has left. */
static bool parse_scanned(const struct reading *reading, struct finished_parse *parse)
{
	parse->cfg = cfg_init(load.options, CFGF_NONE);
	if (parse->cfg == NULL)
		return false;
	(void)cfg_set_error_function(parse->cfg, take_error);
	parse->cfg->filename = strdup(reading->place.file);
	return parse->cfg->filename != NULL && run_libconfuse(parse->cfg, &reading->scan);
}

/** Remembers a parse, whose name places point at until the problems are said. */
static struct finished_parse *remember_parse(const char *name)
{
	struct finished_parse *parse = calloc(1, sizeof(*parse));

	if (parse == NULL)
		return NULL;
	parse->name = strdup(name);
	if (parse->name == NULL) {
		free(parse);
		return NULL;
	}
	parse->previous = load.parses;
	load.parses = parse;
	return parse;
}

static void read_text(const char *name, const char *text)
{
	struct finished_parse *parse = remember_parse(name);
	struct reading reading = { .includer = load.reading };

	if (parse == NULL) {
		load.build->problems.failed = true;
		return;
	}
	reading.place = (struct place){ .file = parse->name, .number = load.files++ };
	reading.folder = text_file_folder(name);
	load.reading = &reading;
	if (reading.folder == NULL || !configuration_scan(&reading.scan, &reading.place, text, &load.build->problems) ||
	    !parse_scanned(&reading, parse))
		load.build->problems.failed = true;
	load.reading = reading.includer;
	configuration_scan_finish(&reading.scan);
	free(reading.folder);
}

/** @return false when there is no text to read; problems in the text are only remembered */
static bool read_path(const char *name, struct error *error)
{
	struct text text = { 0 };
	bool done = text_file_read(name, &text, error);

	if (done)
		read_text(name, text_string(&text));
	text_finish(&text);
	return done;
}

static void finish_parses(void)
{
	while (load.parses != NULL) {
		struct finished_parse *parse = load.parses;

		load.parses = parse->previous;
		if (parse->cfg != NULL)
			(void)cfg_free(parse->cfg);
		free(parse->name);
		free(parse);
	}
}

/** Reads a file, or the text when it is not NULL. */
static void build_file(struct configuration_build *build, const char *name, const char *text)
{
	struct place place = { .file = name };
	struct error error;

	load = (struct load){ .build = build, .options = create_options() };
	if (load.options == NULL)
		build->problems.failed = true;
	else if (text != NULL)
		read_text(name, text);
	else if (!read_path(name, &error))
		problem_list_add(&build->problems, &place, "%s", error.text);
}

/* ---- all together */

/** Says the problems, or checks what no single value shows. @return what the caller gets, ownership included */
static struct configuration *finish_build(struct configuration_build *build, struct text *problems)
{
	bool good = problem_list_is_empty(&build->problems);

	problem_list_flush(&build->problems, problems);
	finish_parses();
	free(load.options);
	load = (struct load){ 0 };
	if (good && configuration_check(build->configuration, problems))
		return build->configuration;
	if (!good && build->configuration != NULL)
		(void)configuration_check_references(build->configuration, problems);
	configuration_destroy(build->configuration);
	return NULL;
}

struct configuration *configuration_load(const struct configuration_source *source, struct text *problems)
{
	struct configuration_build build = { .configuration = configuration_create() };
	char *folder = text_file_folder(".");

	if (build.configuration == NULL || folder == NULL)
		build.problems.failed = true;
	else if (source->path != NULL)
		build_file(&build, source->path, NULL);
	else
		configuration_build_options(&build, source, folder);
	free(folder);
	return finish_build(&build, problems);
}

struct configuration *configuration_parse_text(const char *name, const char *text, struct text *problems)
{
	struct configuration_build build = { .configuration = configuration_create() };

	if (build.configuration == NULL)
		build.problems.failed = true;
	else
		build_file(&build, name, text);
	return finish_build(&build, problems);
}
