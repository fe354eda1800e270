#include "files_coding.h"

#include "files_list.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/** What stands behind "q=": 0 to 1 with at most three digits. @return thousandths, or -1 */
static int parse_quality(const char *text, size_t length)
{
	int quality;

	if (length == 0 || length > 5 || (text[0] != '0' && text[0] != '1') || (length > 1 && text[1] != '.'))
		return -1;
	quality = (text[0] - '0') * 1000;
	for (size_t i = 2, weight = 100; i < length; i++, weight /= 10) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		quality += (text[i] - '0') * (int)weight;
	}
	return quality <= 1000 ? quality : -1;
}

/** Splits "gzip ; q=0.5". @return thousandths, 1000 without a q, or -1 */
static int split_quality(const char *item, size_t length, size_t *name_length)
{
	const char *semicolon = memchr(item, ';', length);
	const char *end = item + length;
	const char *at;

	if (semicolon == NULL) {
		*name_length = length;
		return 1000;
	}
	*name_length = files_list_trim_end(item, (size_t)(semicolon - item));
	at = files_list_skip_blanks(semicolon + 1, end);
	if (end - at < 2 || (*at != 'q' && *at != 'Q') || at[1] != '=')
		return -1;
	return parse_quality(at + 2, (size_t)(end - at - 2));
}

static bool is_named(const char *item, size_t length, const char *name)
{
	return length == strlen(name) && strncasecmp(item, name, length) == 0;
}

static int *find_quality(struct files_codings *codings, const char *name, size_t length)
{
	if (is_named(name, length, "gzip") || is_named(name, length, "x-gzip"))
		return &codings->quality[FILES_GZIP];
	if (is_named(name, length, "br"))
		return &codings->quality[FILES_BROTLI];
	if (is_named(name, length, "identity"))
		return &codings->quality[FILES_IDENTITY];
	return is_named(name, length, "*") ? &codings->other_quality : NULL;
}

void files_codings_add(struct files_codings *codings, const char *value, size_t length)
{
	const char *end = value + length;
	const char *item;
	size_t item_length;
	size_t name_length;
	int *wanted;
	int quality;

	while (files_list_next(&value, end, &item, &item_length)) {
		quality = split_quality(item, item_length, &name_length);
		wanted = find_quality(codings, item, name_length);
		if (wanted != NULL && quality >= 0)
			*wanted = quality;
	}
}

static int effective_quality(const struct files_codings *codings, enum files_coding coding)
{
	if (codings->quality[coding] >= 0)
		return codings->quality[coding];
	if (coding != FILES_IDENTITY)
		return codings->other_quality;
	/* Not mentioned, the plain file is accepted, but only where there is nothing better. */
	return codings->other_quality == 0 ? 0 : 1;
}

size_t files_codings_order(const struct files_codings *codings, enum files_coding order[FILES_CODINGS])
{
	size_t count = 0;
	size_t place;
	int quality;

	for (int coding = 0; coding < FILES_CODINGS; coding++) {
		quality = effective_quality(codings, (enum files_coding)coding);
		if (quality <= 0)
			continue;
		for (place = count; place > 0 && effective_quality(codings, order[place - 1]) < quality; place--)
			order[place] = order[place - 1];
		order[place] = (enum files_coding)coding;
		count++;
	}
	return count;
}

const char *files_coding_name(enum files_coding coding)
{
	static const char *const names[FILES_CODINGS] = { [FILES_BROTLI] = "br", [FILES_GZIP] = "gzip" };

	return names[coding];
}

const char *files_coding_ending(enum files_coding coding)
{
	static const char *const endings[FILES_CODINGS] = { ".br", ".gz", "" };

	return endings[coding];
}
