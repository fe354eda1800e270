#include "files_condition.h"

#include "http_date.h"

/* Coarsest time of a file system in use: FAT has two seconds. */
#define SETTLED_S 2

void files_validators_init(struct files_validators *validators, const struct timespec *modified, int64_t size,
			   enum files_coding coding)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
	validators->now_s = now.tv_sec;
	/* No answer is older than its own Date. */
	validators->modified_s = modified->tv_sec < now.tv_sec ? modified->tv_sec : now.tv_sec;
	validators->is_strong = now.tv_sec - modified->tv_sec > SETTLED_S;
	files_etag_format(validators->tag, modified, size, coding, validators->is_strong);
}

static bool is_listed(const struct files_fields *fields, enum files_field field, const char *tag, bool is_strong)
{
	const struct unicorn_header *header = fields->first[field];

	while (header != NULL) {
		if (files_etag_is_listed(tag, header->value, header->value_length, is_strong))
			return true;
		header = files_fields_next(fields, header);
	}
	return false;
}

/** @return false without the header, and for what is no date: both have no meaning */
static bool read_date(const struct files_fields *fields, enum files_field field, int64_t now_s, int64_t *date_s)
{
	const struct unicorn_header *header = files_fields_only(fields, field);

	return header != NULL && http_date_parse(header->value, header->value_length, now_s, date_s);
}

enum files_verdict files_condition_check(const struct files_fields *fields, const struct files_validators *validators)
{
	int64_t date_s;

	if (fields->first[FILES_IF_MATCH] != NULL) {
		if (!is_listed(fields, FILES_IF_MATCH, validators->tag, true))
			return FILES_PRECONDITION_FAILED;
	} else if (read_date(fields, FILES_IF_UNMODIFIED_SINCE, validators->now_s, &date_s)) {
		if (validators->modified_s > date_s)
			return FILES_PRECONDITION_FAILED;
	}
	if (fields->first[FILES_IF_NONE_MATCH] != NULL) {
		if (is_listed(fields, FILES_IF_NONE_MATCH, validators->tag, false))
			return FILES_NOT_MODIFIED;
	} else if (read_date(fields, FILES_IF_MODIFIED_SINCE, validators->now_s, &date_s)) {
		if (validators->modified_s <= date_s)
			return FILES_NOT_MODIFIED;
	}
	return FILES_WANTED;
}

bool files_condition_allows_range(const struct files_fields *fields, const struct files_validators *validators)
{
	const struct unicorn_header *header = files_fields_only(fields, FILES_IF_RANGE);
	int64_t date_s;

	if (fields->first[FILES_IF_RANGE] == NULL)
		return true;
	if (header == NULL || !validators->is_strong)
		return false;
	if (http_date_parse(header->value, header->value_length, validators->now_s, &date_s))
		return date_s == validators->modified_s;
	/* One tag and no list; a list is of no harm, but "*" would be. */
	return header->value_length > 1 &&
	       files_etag_is_listed(validators->tag, header->value, header->value_length, true);
}
