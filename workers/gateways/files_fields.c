#include "files_fields.h"

#include <string.h>

static const struct unicorn_header names[FILES_FIELDS] = {
	[FILES_ACCEPT_ENCODING] = UNICORN_HEADER("accept-encoding", ""),
	[FILES_IF_MATCH] = UNICORN_HEADER("if-match", ""),
	[FILES_IF_MODIFIED_SINCE] = UNICORN_HEADER("if-modified-since", ""),
	[FILES_IF_NONE_MATCH] = UNICORN_HEADER("if-none-match", ""),
	[FILES_IF_RANGE] = UNICORN_HEADER("if-range", ""),
	[FILES_IF_UNMODIFIED_SINCE] = UNICORN_HEADER("if-unmodified-since", ""),
	[FILES_RANGE] = UNICORN_HEADER("range", ""),
};

static bool is_same_name(const struct unicorn_header *left, const struct unicorn_header *right)
{
	return left->name_length == right->name_length && memcmp(left->name, right->name, left->name_length) == 0;
}

static void note(struct files_fields *fields, const struct unicorn_header *header)
{
	for (int field = 0; field < FILES_FIELDS; field++) {
		if (!is_same_name(header, &names[field]))
			continue;
		fields->is_repeated[field] = fields->first[field] != NULL;
		if (fields->first[field] == NULL)
			fields->first[field] = header;
		return;
	}
}

void files_fields_find(struct files_fields *fields, const struct unicorn_head *head)
{
	*fields = (struct files_fields){ .head = head };
	for (uint32_t i = 0; i < head->header_count; i++) {
		/* None of the others begins so; most headers are done with after one look. */
		if (strchr("air", head->headers[i].name[0]) != NULL)
			note(fields, &head->headers[i]);
	}
}

const struct unicorn_header *files_fields_next(const struct files_fields *fields, const struct unicorn_header *header)
{
	const struct unicorn_header *end = fields->head->headers + fields->head->header_count;

	for (const struct unicorn_header *next = header + 1; next < end; next++) {
		if (is_same_name(next, header))
			return next;
	}
	return NULL;
}

const struct unicorn_header *files_fields_only(const struct files_fields *fields, enum files_field field)
{
	return fields->is_repeated[field] ? NULL : fields->first[field];
}
