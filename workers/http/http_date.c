#include "http_date.h"

#include <string.h>
#include <time.h>

/** Last second of the year 9999, the last one that fits the form. */
#define LAST_SECOND INT64_C(253402300799)
/** As the gap between two years of two digits. */
#define CENTURY_YEARS 100

static const char day_names[7][10] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };
static const char month_names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

/* ---- writing */

static void put_two_digits(char *target, int number)
{
	target[0] = (char)('0' + number / 10 % 10);
	target[1] = (char)('0' + number % 10);
}

static struct tm date_of(int64_t time_s)
{
	struct tm date = { 0 };
	const time_t clock = (time_t)(time_s < 0 ? 0 : time_s > LAST_SECOND ? LAST_SECOND : time_s);

	(void)gmtime_r(&clock, &date);
	return date;
}

void http_date_format(int64_t time_s, char text[HTTP_DATE_BYTES + 1])
{
	const struct tm date = date_of(time_s);
	const int year = date.tm_year + 1900;

	memcpy(text, "Sun, 01 Jan 1970 00:00:00 GMT", HTTP_DATE_BYTES + 1);
	memcpy(text, day_names[date.tm_wday], 3);
	put_two_digits(text + 5, date.tm_mday);
	memcpy(text + 8, month_names[date.tm_mon], 3);
	put_two_digits(text + 12, year / CENTURY_YEARS);
	put_two_digits(text + 14, year);
	put_two_digits(text + 17, date.tm_hour);
	put_two_digits(text + 20, date.tm_min);
	put_two_digits(text + 23, date.tm_sec);
}

const char *http_date_line(int64_t time_s)
{
	static _Thread_local int64_t second = INT64_MIN;
	static _Thread_local char line[HTTP_DATE_LINE_BYTES + 1] = "Date: ";

	if (time_s != second) {
		http_date_format(time_s, line + 6);
		memcpy(line + 6 + HTTP_DATE_BYTES, "\r\n", 3);
		second = time_s;
	}
	return line;
}

/* ---- reading
 *
 * A form is a text in which some letters stand for a field; everything else stands for itself:
 *   w short day of the week   W long one   d day, two digits   e day, blank padded   b month
 *   Y year, four digits   y two   h m s hour, minute, second
 */

static const char *const forms[] = {
	"w, d b Y h:m:s GMT",
	"W, d-b-y h:m:s GMT",
	"w b e h:m:s Y",
};

/** What is left to read. */
struct scan {
	const char *text;
	size_t length;
};

static void scan_skip(struct scan *scan, size_t count)
{
	scan->text += count;
	scan->length -= count;
}

static bool scan_literal(struct scan *scan, char c)
{
	if (scan->length == 0 || *scan->text != c)
		return false;
	scan_skip(scan, 1);
	return true;
}

/** Takes exactly so many digits. */
static bool scan_digits(struct scan *scan, size_t count, int *number)
{
	int sum = 0;

	if (scan->length < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (scan->text[i] < '0' || scan->text[i] > '9')
			return false;
		sum = sum * 10 + (scan->text[i] - '0');
	}
	scan_skip(scan, count);
	*number = sum;
	return true;
}

static bool scan_day_name(struct scan *scan, bool is_long)
{
	for (size_t i = 0; i < sizeof(day_names) / sizeof(day_names[0]); i++) {
		const size_t length = is_long ? strlen(day_names[i]) : 3;

		if (scan->length >= length && memcmp(scan->text, day_names[i], length) == 0) {
			scan_skip(scan, length);
			return true;
		}
	}
	return false;
}

static bool scan_month(struct scan *scan, int *month)
{
	for (int i = 0; i < (int)(sizeof(month_names) / sizeof(month_names[0])); i++) {
		if (scan->length >= 3 && memcmp(scan->text, month_names[i], 3) == 0) {
			scan_skip(scan, 3);
			*month = i;
			return true;
		}
	}
	return false;
}

static bool scan_padded_day(struct scan *scan, int *day)
{
	if (scan_literal(scan, ' '))
		return scan_digits(scan, 1, day);
	return scan_digits(scan, 2, day);
}

/** Takes what the letter of a form stands for. The year is left as it is written. */
static bool scan_field(struct scan *scan, char letter, struct tm *date)
{
	switch (letter) {
	case 'w':
	case 'W':
		return scan_day_name(scan, letter == 'W');
	case 'd':
		return scan_digits(scan, 2, &date->tm_mday);
	case 'e':
		return scan_padded_day(scan, &date->tm_mday);
	case 'b':
		return scan_month(scan, &date->tm_mon);
	case 'Y':
		return scan_digits(scan, 4, &date->tm_year);
	case 'y':
		return scan_digits(scan, 2, &date->tm_year);
	case 'h':
		return scan_digits(scan, 2, &date->tm_hour);
	case 'm':
		return scan_digits(scan, 2, &date->tm_min);
	case 's':
		return scan_digits(scan, 2, &date->tm_sec);
	default:
		return scan_literal(scan, letter);
	}
}

static bool scan_form(struct scan scan, const char *form, struct tm *date)
{
	for (; *form != '\0'; form++) {
		if (!scan_field(&scan, *form, date))
			return false;
	}
	return scan.length == 0;
}

/** The last such year that is no more than 50 years ahead. */
static int year_complete(int two_digits, int64_t now_s)
{
	const int now = date_of(now_s).tm_year + 1900;
	int year = now - now % CENTURY_YEARS + two_digits;

	if (year > now + 50)
		year -= CENTURY_YEARS;
	else if (year + CENTURY_YEARS <= now + 50)
		year += CENTURY_YEARS;
	return year;
}

static int days_in_month(int month, int year)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (month == 1 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		return 29;
	return days[month];
}

bool http_date_parse(const char *text, size_t length, int64_t now_s, int64_t *time_s)
{
	const struct scan scan = { text, length };
	struct tm date = { 0 };
	size_t form = 0;

	while (!scan_form(scan, forms[form], &date)) {
		if (++form == sizeof(forms) / sizeof(forms[0]))
			return false;
	}
	if (strchr(forms[form], 'y') != NULL)
		date.tm_year = year_complete(date.tm_year, now_s);
	if (date.tm_mday < 1 || date.tm_mday > days_in_month(date.tm_mon, date.tm_year) || date.tm_hour > 23 ||
	    date.tm_min > 59 || date.tm_sec > 60)
		return false;
	date.tm_year -= 1900;
	*time_s = (int64_t)timegm(&date);
	return true;
}
