#include "files_etag.h"

#include "files_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void files_etag_format(char tag[FILES_ETAG_BYTES], const struct timespec *modified, int64_t size,
		       enum files_coding coding, bool is_strong)
{
	static const char *const suffixes[FILES_CODINGS] = { "-br", "-gz", "" };
	const uint64_t time_ns = (uint64_t)modified->tv_sec * 1000000000U + (uint64_t)modified->tv_nsec;

	(void)snprintf(tag, FILES_ETAG_BYTES, "%s\"%" PRIx64 "-%" PRIx64 "%s\"", is_strong ? "" : "W/", time_ns,
		       (uint64_t)size, suffixes[coding]);
}

/** May it stand between the quotes of a tag? */
static bool is_opaque(char character)
{
	const unsigned char code = (unsigned char)character;

	return code == 0x21 || (code >= 0x23 && code != 0x7f);
}

/** Finds the end of the tag at `at`, its quotes included. @return NULL for what is none */
static const char *find_tag_end(const char *at, const char *end)
{
	if (at == end || *at != '"')
		return NULL;
	for (at++; at < end && is_opaque(*at); at++)
		continue;
	return at < end && *at == '"' ? at + 1 : NULL;
}

static bool skip_weak(const char **at, const char *end)
{
	if (end - *at < 2 || memcmp(*at, "W/", 2) != 0)
		return false;
	*at += 2;
	return true;
}

bool files_etag_is_listed(const char *tag, const char *list, size_t length, bool is_strong)
{
	const char *end = list + files_list_trim_end(list, length);
	const char *at = files_list_skip_blanks(list, end);
	const char *tag_end = tag + strlen(tag);
	const bool tag_is_weak = skip_weak(&tag, tag_end);
	const char *begin;
	bool is_weak;

	if (end - at == 1 && *at == '*')
		return true;
	while (at < end) {
		is_weak = skip_weak(&at, end);
		begin = at;
		at = find_tag_end(at, end);
		if (at == NULL)
			return false;
		if (at - begin == tag_end - tag && memcmp(begin, tag, (size_t)(tag_end - tag)) == 0 &&
		    !(is_strong && (is_weak || tag_is_weak)))
			return true;
		at = files_list_skip_blanks(at, end);
		if (at < end && *at != ',')
			return false;
		/* Empty items are allowed. */
		while (at < end && *at == ',')
			at = files_list_skip_blanks(at + 1, end);
	}
	return false;
}
