#include "access_line.h"

#include "access_text.h"

#include <string.h>
#include <time.h>

/* The most bytes that a field has in a line, escaped. Names, numbers and dates need less than 300. */
#define METHOD_BYTES  64
#define TARGET_BYTES  1900
#define REFERER_BYTES 900
#define AGENT_BYTES   500
#define HOST_BYTES    200
#define USER_BYTES    200
#define OTHER_BYTES   300

_Static_assert(METHOD_BYTES + TARGET_BYTES + REFERER_BYTES + AGENT_BYTES + HOST_BYTES + USER_BYTES + OTHER_BYTES <=
		       ACCESS_LINE_BYTES_MAX,
	       "a line with fields of full length fits");

/* ---- pieces; each function returns where the next one goes */

static char *put(char *at, const char *text)
{
	const size_t length = strlen(text);

	memcpy(at, text, length);
	return at + length;
}

static char *put_number(char *at, int64_t number)
{
	char digits[20];
	size_t count = 0;
	uint64_t left = number < 0 ? 0 : (uint64_t)number;

	do {
		digits[count++] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	while (count > 0)
		*at++ = digits[--count];
	return at;
}

static char *put_padded(char *at, int number, size_t digits)
{
	for (size_t i = digits; i > 0; i--, number /= 10)
		at[i - 1] = (char)('0' + number % 10);
	return at + digits;
}

static struct access_text text_of(const char *text, size_t length)
{
	return (struct access_text){ (const unsigned char *)text, text != NULL ? length : 0 };
}

static struct access_text text_of_string(const char *text)
{
	return text_of(text, text != NULL ? strlen(text) : 0);
}

static struct access_text text_of_header(const struct unicorn_head *head, const char *name)
{
	const size_t length = strlen(name);

	for (uint32_t i = 0; head != NULL && i < head->header_count; i++) {
		const struct unicorn_header *header = &head->headers[i];

		if (header->name_length == length && header->value != NULL && memcmp(header->name, name, length) == 0)
			return text_of(header->value, header->value_length);
	}
	return text_of(NULL, 0);
}

static struct access_text text_of_method(const struct unicorn_head *head)
{
	return head != NULL ? text_of(head->method, head->method_length) : text_of(NULL, 0);
}

static struct access_text text_of_target(const struct unicorn_head *head)
{
	return head != NULL ? text_of(head->target, head->target_length) : text_of(NULL, 0);
}

/* ---- dates */

static char *put_time(char *at, const struct tm *date)
{
	at = put_padded(at, date->tm_hour, 2);
	*at++ = ':';
	at = put_padded(at, date->tm_min, 2);
	*at++ = ':';
	return put_padded(at, date->tm_sec, 2);
}

/** 10/Oct/2000:13:55:36 -0700 */
static void format_apache_date(time_t clock, char *at)
{
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm date = { 0 };
	int offset_min;

	(void)localtime_r(&clock, &date);
	offset_min = (int)(date.tm_gmtoff / 60);
	at = put_padded(at, date.tm_mday, 2);
	*at++ = '/';
	at = put(at, months[date.tm_mon]);
	*at++ = '/';
	at = put_padded(at, date.tm_year + 1900, 4);
	*at++ = ':';
	at = put_time(at, &date);
	at = put(at, offset_min < 0 ? " -" : " +");
	offset_min = offset_min < 0 ? -offset_min : offset_min;
	at = put_padded(at, offset_min / 60 * 100 + offset_min % 60, 4);
	*at = '\0';
}

/** 2000-10-10T20:55:36Z */
static void format_json_date(time_t clock, char *at)
{
	struct tm date = { 0 };

	(void)gmtime_r(&clock, &date);
	at = put_padded(at, date.tm_year + 1900, 4);
	*at++ = '-';
	at = put_padded(at, date.tm_mon + 1, 2);
	*at++ = '-';
	at = put_padded(at, date.tm_mday, 2);
	*at++ = 'T';
	at = put_time(at, &date);
	*at++ = 'Z';
	*at = '\0';
}

void access_date_format(enum access_format format, int64_t time_s, char date[ACCESS_DATE_BYTES])
{
	/* Years of four digits, whatever the time zone. */
	const time_t clock = (time_t)(time_s < 0 ? 0 : time_s > INT64_C(253402214400) ? INT64_C(253402214400) : time_s);

	if (format == ACCESS_APACHE)
		format_apache_date(clock, date);
	else
		format_json_date(clock, date);
}

/* ---- lines */

/** Not in quotes; "-" when it is empty. */
static char *put_apache_word(char *at, struct access_text text, size_t limit)
{
	return text.length > 0 ? access_text_put(ACCESS_ESCAPE_WORD, at, text, limit) : put(at, "-");
}

static char *put_apache_quoted(char *at, struct access_text text, size_t limit)
{
	*at++ = '"';
	at = text.length > 0 ? access_text_put(ACCESS_ESCAPE_QUOTED, at, text, limit) : put(at, "-");
	*at++ = '"';
	return at;
}

static char *put_request_line(char *at, const struct unicorn_head *head)
{
	const struct access_text method = text_of_method(head);

	if (method.length == 0)
		return put(at, "\"-\"");
	*at++ = '"';
	at = access_text_put(ACCESS_ESCAPE_QUOTED, at, method, METHOD_BYTES);
	*at++ = ' ';
	at = access_text_put(ACCESS_ESCAPE_QUOTED, at, text_of_target(head), TARGET_BYTES);
	return put(at, head->minor_version == 0 ? " HTTP/1.0\"" : " HTTP/1.1\"");
}

static char *put_apache(char *at, const struct access_record *record, const char *date)
{
	at = put_apache_word(at, text_of_string(record->client_host), HOST_BYTES);
	at = put(at, " - ");
	at = put_apache_word(at, text_of_string(record->user), USER_BYTES);
	at = put(at, " [");
	at = put(at, date);
	at = put(at, "] ");
	at = put_request_line(at, record->head);
	*at++ = ' ';
	at = put_number(at, record->status);
	*at++ = ' ';
	at = put_number(at, record->body_bytes);
	*at++ = ' ';
	at = put_apache_quoted(at, text_of_header(record->head, "referer"), REFERER_BYTES);
	*at++ = ' ';
	at = put_apache_quoted(at, text_of_header(record->head, "user-agent"), AGENT_BYTES);
	*at++ = ' ';
	return put_number(at, record->duration_us);
}

/** @param name  what stands in front of the value: ,"name": @return null for what is unknown */
static char *put_json_string(char *at, const char *name, struct access_text text, size_t limit)
{
	at = put(at, name);
	if (text.length == 0)
		return put(at, "null");
	*at++ = '"';
	at = access_text_put(ACCESS_ESCAPE_JSON, at, text, limit);
	*at++ = '"';
	return at;
}

static char *put_json_number(char *at, const char *name, int64_t number)
{
	return put_number(put(at, name), number);
}

static char *put_json(char *at, const struct access_record *record, const char *date)
{
	const struct unicorn_head *head = record->head;
	const struct access_text method = text_of_method(head);
	const char *protocol = "null";

	if (method.length > 0)
		protocol = head->minor_version == 0 ? "\"HTTP/1.0\"" : "\"HTTP/1.1\"";
	at = put(put(put(at, "{\"time\":\""), date), "\"");
	at = put_json_string(at, ",\"client\":", text_of_string(record->client_host), HOST_BYTES);
	at = put_json_string(at, ",\"user\":", text_of_string(record->user), USER_BYTES);
	at = put_json_string(at, ",\"method\":", method, METHOD_BYTES);
	at = put_json_string(at, ",\"target\":", text_of_target(head), TARGET_BYTES);
	at = put(put(at, ",\"protocol\":"), protocol);
	at = put_json_number(at, ",\"status\":", record->status);
	at = put_json_number(at, ",\"bytes\":", record->body_bytes);
	at = put_json_number(at, ",\"duration_us\":", record->duration_us);
	at = put_json_string(at, ",\"referer\":", text_of_header(head, "referer"), REFERER_BYTES);
	at = put_json_string(at, ",\"user_agent\":", text_of_header(head, "user-agent"), AGENT_BYTES);
	return put(at, "}");
}

size_t access_line_format(enum access_format format, const struct access_record *record, const char *date, char *target)
{
	char *end = format == ACCESS_APACHE ? put_apache(target, record, date) : put_json(target, record, date);

	*end++ = '\n';
	return (size_t)(end - target);
}
