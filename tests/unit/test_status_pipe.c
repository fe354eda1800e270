/*
 * The parser of status lines, the pipe and the notify socket. Messages are written down as text, one a line, so that a
 * row of a table can say what is expected: "heartbeat", "busy 3", "text [hello]".
 */
#include "unit.h"

#include "base/ownership.h"
#include "system/status_pipe.h"
#include "unicornd/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/** User that owns nothing. */
#define NOBODY 65534

struct record {
	char text[20000];
	size_t length;
	size_t count;
};

static struct record heard;

static const char *const key_names[STATUS_KEY_COUNT] = {
	[STATUS_READY] = "ready",       [STATUS_HEARTBEAT] = "heartbeat",
	[STATUS_TRIGGER] = "trigger",   [STATUS_STOPPING] = "stopping",
	[STATUS_TEXT] = "text",         [STATUS_EXTEND] = "extend",
	[STATUS_BUSY] = "busy",         [STATUS_CONNECTIONS] = "connections",
	[STATUS_REQUESTS] = "requests", [STATUS_REQUEST] = "request",
};

static bool has_number(enum status_key key)
{
	return key == STATUS_EXTEND || key == STATUS_BUSY || key == STATUS_CONNECTIONS || key == STATUS_REQUESTS;
}

static void hear(void *context, const struct status_message *message)
{
	struct record *record = context;
	char *end = record->text + record->length;
	size_t room = sizeof(record->text) - record->length;
	int length;

	if (message->key == STATUS_TEXT || message->key == STATUS_REQUEST)
		length = snprintf(end, room, "%s [%.*s]\n", key_names[message->key], (int)message->length,
				  message->text);
	else if (has_number(message->key))
		length = snprintf(end, room, "%s %" PRIu64 "\n", key_names[message->key], message->number);
	else
		length = snprintf(end, room, "%s\n", key_names[message->key]);
	record->count++;
	if (length > 0 && (size_t)length < room)
		record->length += (size_t)length;
}

static void setup(void)
{
	memset(&heard, 0, sizeof(heard));
}

static void feed(struct status_parser *parser, const char *bytes, size_t length)
{
	status_parser_feed(parser, bytes, length, hear, &heard);
}

/** A string that may contain NUL. */
#define BYTES(literal) literal, sizeof(literal) - 1

static const struct row {
	const char *bytes;
	size_t length;
	const char *pipe;     /**< what is heard on the pipe */
	const char *datagram; /**< what is heard in one datagram; NULL: the same */
} rows[] = {
	{ BYTES("READY=1\n"), "ready\n", NULL },
	{ BYTES("\n"), "ready\n", "" },
	{ BYTES("WATCHDOG=1\n"), "heartbeat\n", NULL },
	{ BYTES("WATCHDOG=trigger\n"), "trigger\n", NULL },
	{ BYTES("STOPPING=1\n"), "stopping\n", NULL },
	{ BYTES("STATUS=hello, world = 3\n"), "text [hello, world = 3]\n", NULL },
	{ BYTES("STATUS=\n"), "text []\n", NULL },
	{ BYTES("REQUEST=GET /slow\n"), "request [GET /slow]\n", NULL },
	{ BYTES("REQUEST=\n"), "request []\n", NULL },
	{ BYTES("BUSY=3\nCONNECTIONS=44\nREQUESTS=18446744073709551615\n"),
	  "busy 3\nconnections 44\nrequests 18446744073709551615\n", NULL },
	{ BYTES("BUSY=007\n"), "busy 7\n", NULL },
	{ BYTES("EXTEND_TIMEOUT_USEC=1000\n"), "extend 1\n", NULL },
	{ BYTES("EXTEND_TIMEOUT_USEC=1001\n"), "extend 2\n", NULL },
	{ BYTES("EXTEND_TIMEOUT_USEC=1\n"), "extend 1\n", NULL },
	{ BYTES("EXTEND_TIMEOUT_USEC=0\n"), "extend 0\n", NULL },
	{ BYTES("EXTEND_TIMEOUT_USEC=18446744073709551615\n"), "extend 18446744073709552\n", NULL },
	/* The last line without its newline: not yet there on the pipe, complete in a datagram. */
	{ BYTES("READY=1"), "", "ready\n" },
	{ BYTES("READY=1\nSTATUS=up"), "ready\n", "ready\ntext [up]\n" },
	{ BYTES("READY=1\n\0"), "ready\n", NULL },
	{ BYTES("READY=1\0"), "", "ready\n" },
	{ BYTES("READY=1\n\nSTATUS=x\n"), "ready\nready\ntext [x]\n", "ready\ntext [x]\n" },
	/* Values that mean nothing. */
	{ BYTES("READY=0\nREADY=\nREADY=11\nREADY= 1\nREADY=1 \nready=1\nREADY\nREADY=1\r\n"), "", NULL },
	{ BYTES("WATCHDOG=0\nWATCHDOG=Trigger\nWATCHDOG=trigger2\nSTOPPING=yes\n"), "", NULL },
	{ BYTES("BUSY=\nBUSY=-1\nBUSY=+1\nBUSY= 1\nBUSY=1 \nBUSY=1x\nBUSY=0x1\nBUSY=1.5\n"), "", NULL },
	{ BYTES("BUSY=18446744073709551616\nBUSY=99999999999999999999\nBUSY=\0\n"), "", NULL },
	{ BYTES("EXTEND_TIMEOUT_USEC=\nEXTEND_TIMEOUT_USEC=1s\n"), "", NULL },
	/* Words of others. */
	{ BYTES("MAINPID=1\nFDSTORE=1\nRELOADING=1\nBARRIER=1\nX_OTHER=1\nnoise\n=\n=1\n==\n"), "", NULL },
	{ BYTES("READY=1=1\nREADYX=1\nXREADY=1\n"), "", NULL },
	{ BYTES("noise\nREADY=1\nmore noise\n"), "ready\n", NULL },
	/* What may not reach a terminal or JSON. */
	{ BYTES("STATUS=a\tb\033[31mc\r\n"), "text [a?b?[31mc?]\n", NULL },
	{ BYTES("STATUS=a\0b\n"), "text [a?b]\n", NULL },
	{ BYTES("STATUS=\x7f\n"), "text [?]\n", NULL },
	{ BYTES("STATUS=\xc3\xa4\xe2\x82\xac\xf0\x9f\xa6\x84\n"), "text [\xc3\xa4\xe2\x82\xac\xf0\x9f\xa6\x84]\n",
	  NULL },
	{ BYTES("STATUS=\xff\xfe\x80\n"), "text [???]\n", NULL },
	{ BYTES("STATUS=\xc0\xaf|\xe0\x80\xaf|\xed\xa0\x80|\xf4\x90\x80\x80|\xf5\n"), "text [??|???|???|????|?]\n",
	  NULL },
	{ BYTES("STATUS=\xc2\x9b|\xc2\xa0|\xe2\x82\n"), "text [??|\xc2\xa0|??]\n", NULL },
	{ BYTES("REQUEST=\x01\n"), "request [?]\n", NULL },
};

START_TEST(pipe_lines_are_understood)
{
	struct status_parser parser = { 0 };

	feed(&parser, rows[_i].bytes, rows[_i].length);
	ck_assert_str_eq(heard.text, rows[_i].pipe);
	status_parser_finish(&parser);
}
END_TEST

START_TEST(datagrams_are_understood)
{
	status_datagram_parse(rows[_i].bytes, rows[_i].length, hear, &heard);
	ck_assert_str_eq(heard.text, rows[_i].datagram != NULL ? rows[_i].datagram : rows[_i].pipe);
}
END_TEST

/** Feeds a copy that is exactly as long as the piece, so that a checker of memory sees a read behind it. */
static void feed_copy(struct status_parser *parser, const char *bytes, size_t length)
{
	owned_memory char *copy = malloc(length + (length == 0));

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes, length);
	feed(parser, copy, length);
}

START_TEST(lines_may_be_split_anywhere)
{
	const struct row *row = &rows[_i];

	for (size_t first = 0; first <= row->length; first++)
		for (size_t second = first; second <= row->length; second++) {
			struct status_parser parser = { 0 };

			setup();
			feed_copy(&parser, row->bytes, first);
			feed_copy(&parser, row->bytes + first, second - first);
			feed_copy(&parser, row->bytes + second, row->length - second);
			ck_assert_str_eq(heard.text, row->pipe);
			status_parser_finish(&parser);
		}
}
END_TEST

START_TEST(bytes_may_come_one_by_one)
{
	struct status_parser parser = { 0 };

	for (size_t i = 0; i < rows[_i].length; i++)
		feed_copy(&parser, rows[_i].bytes + i, 1);
	ck_assert_str_eq(heard.text, rows[_i].pipe);
	status_parser_finish(&parser);
}
END_TEST

/** A line "STATUS=xxx" of `length` bytes, newline included, and READY=1 behind it. */
static size_t make_long_line(char *buffer, size_t length)
{
	static const char start[] = "STATUS=", next[] = "READY=1\n";

	memset(buffer, 'x', length);
	memcpy(buffer, start, sizeof(start) - 1);
	buffer[length - 1] = '\n';
	memcpy(buffer + length, next, sizeof(next) - 1);
	return length + sizeof(next) - 1;
}

static const struct {
	size_t length;
	size_t messages;
} long_lines[] = {
	{ UNICORND_STATUS_LINE_MAX - 1, 2 }, { UNICORND_STATUS_LINE_MAX, 2 },     { UNICORND_STATUS_LINE_MAX + 1, 1 },
	{ UNICORND_STATUS_LINE_MAX + 2, 1 }, { 3 * UNICORND_STATUS_LINE_MAX, 1 },
};

START_TEST(longest_line_passes_and_a_longer_one_is_dropped)
{
	static const size_t steps[] = { 1, 7, 1000, 4095, 4096, 4097, 100000 };
	static char buffer[4 * UNICORND_STATUS_LINE_MAX];
	size_t length = make_long_line(buffer, long_lines[_i].length);

	for (size_t step = 0; step < sizeof(steps) / sizeof(steps[0]); step++) {
		struct status_parser parser = { 0 };

		setup();
		for (size_t at = 0; at < length; at += steps[step])
			feed_copy(&parser, buffer + at, length - at < steps[step] ? length - at : steps[step]);
		ck_assert_uint_eq(heard.count, long_lines[_i].messages);
		ck_assert_str_eq(heard.text + heard.length - 6, "ready\n");
		ck_assert(!parser.discarding);
		ck_assert_ptr_null(parser.partial);
	}
	setup();
	status_datagram_parse(buffer, length, hear, &heard);
	ck_assert_uint_eq(heard.count, long_lines[_i].messages);
}
END_TEST

START_TEST(long_text_arrives_whole)
{
	static char buffer[2 * UNICORND_STATUS_LINE_MAX];
	struct status_parser parser = { 0 };
	size_t length = make_long_line(buffer, UNICORND_STATUS_LINE_MAX);

	buffer[100] = '\t';
	feed(&parser, buffer, length);
	ck_assert_uint_eq(heard.length, strlen("text []\n") + UNICORND_STATUS_LINE_MAX - 8 + strlen("ready\n"));
	ck_assert_int_eq(heard.text[strlen("text [") + 100 - 7], '?');
}
END_TEST

START_TEST(endless_line_takes_no_memory)
{
	static const char noise[1000] = { 'n' };
	struct status_parser parser = { 0 };

	for (int i = 0; i < 100; i++)
		feed(&parser, noise, sizeof(noise));
	ck_assert(parser.discarding);
	ck_assert_ptr_null(parser.partial);
	feed(&parser, "\nREADY=1\n", 9);
	ck_assert_str_eq(heard.text, "ready\n");
	status_parser_finish(&parser);
	status_parser_finish(&parser);
}
END_TEST

static int reader, writer;

static void open_pipe(void)
{
	setup();
	ck_assert_int_eq(status_pipe_open(&reader, &writer), 0);
}

static void close_pipe(void)
{
	close_fd(&reader);
	close_fd(&writer);
}

static void say(const char *string)
{
	ck_assert_int_eq(write(writer, string, strlen(string)), (ssize_t)strlen(string));
}

START_TEST(pipe_is_as_promised)
{
	ck_assert_int_eq(fcntl(reader, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(writer, F_GETFD), FD_CLOEXEC);
	ck_assert_int_ne(fcntl(reader, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(writer, F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

START_TEST(pipe_says_data_nothing_end)
{
	struct status_parser parser = { 0 };

	ck_assert_int_eq(status_pipe_read(reader, &parser, hear, &heard), -1);
	say("READY=1\nWATCH");
	ck_assert_int_eq(status_pipe_read(reader, &parser, hear, &heard), 13);
	ck_assert_int_eq(status_pipe_read(reader, &parser, hear, &heard), -1);
	say("DOG=1\nBUSY=1");
	close_fd(&writer);
	ck_assert_int_eq(status_pipe_read(reader, &parser, hear, &heard), 12);
	ck_assert_int_eq(status_pipe_read(reader, &parser, hear, &heard), 0);
	ck_assert_str_eq(heard.text, "ready\nheartbeat\n");
	status_parser_finish(&parser);
	ck_assert_int_eq(status_pipe_read(-1, &parser, hear, &heard), 0);
}
END_TEST

START_TEST(chatty_worker_is_read_in_portions)
{
	static const char line[] = "BUSY=1\n";
	struct status_parser parser = { 0 };
	size_t lines = 128 * 1024 / (sizeof(line) - 1);
	ssize_t first;

	ck_assert_int_ge(fcntl(writer, F_SETPIPE_SZ, 256 * 1024), 128 * 1024);
	for (size_t i = 0; i < lines; i++)
		say(line);
	first = status_pipe_read(reader, &parser, hear, &heard);
	ck_assert_int_eq(first, 64 * 1024);
	while (status_pipe_read(reader, &parser, hear, &heard) > 0)
		continue;
	ck_assert_uint_eq(heard.count, lines);
	status_parser_finish(&parser);
}
END_TEST

static char name[64];
static int notify, sender;

static void open_notify(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	setup();
	notify = notify_socket_open(name, sizeof(name));
	ck_assert_int_ge(notify, 0);
	ck_assert_int_eq(name[0], '@');
	sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	memcpy(address.sun_path + 1, name + 1, strlen(name + 1));
	ck_assert_int_eq(connect(sender, (const struct sockaddr *)&address,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
			 0);
}

static void close_notify(void)
{
	close_fd(&notify);
	close_fd(&sender);
}

static void tell(const char *bytes, size_t length)
{
	ck_assert_int_eq(send(sender, bytes, length, 0), (ssize_t)length);
}

START_TEST(notify_socket_is_as_promised)
{
	char other[64], tiny[32];
	owned_fd second = notify_socket_open(other, sizeof(other));

	ck_assert_int_ge(second, 0);
	ck_assert_str_ne(name, other);
	ck_assert_int_eq(fcntl(notify, F_GETFD), FD_CLOEXEC);
	ck_assert_int_ne(fcntl(notify, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(notify_socket_open(tiny, sizeof(tiny)), -ENAMETOOLONG);
}
END_TEST

START_TEST(notify_socket_hears)
{
	notify_socket_read(notify, NOBODY, hear, &heard);
	ck_assert_uint_eq(heard.count, 0);
	tell(BYTES("READY=1\nSTATUS=up"));
	tell("", 0);
	tell(BYTES("WATCHDOG=1"));
	notify_socket_read(notify, NOBODY, hear, &heard);
	ck_assert_str_eq(heard.text, "ready\ntext [up]\nheartbeat\n");
}
END_TEST

START_TEST(oversized_datagram_is_dropped)
{
	static char datagram[UNICORND_STATUS_LINE_MAX + 1] = "READY=1\n";

	tell(datagram, sizeof(datagram));
	tell(datagram, sizeof(datagram) - 1);
	notify_socket_read(notify, NOBODY, hear, &heard);
	ck_assert_str_eq(heard.text, "ready\n");
}
END_TEST

/** Sends from another user. */
static void tell_as(uid_t uid, const char *bytes, size_t length)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(setresuid(uid, uid, uid) == 0 && send(sender, bytes, length, 0) == (ssize_t)length ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}

START_TEST(strangers_are_not_heard)
{
	if (geteuid() != 0)
		return;
	tell_as(NOBODY - 1, BYTES("STOPPING=1"));
	tell_as(NOBODY, BYTES("WATCHDOG=1"));
	tell(BYTES("READY=1"));
	notify_socket_read(notify, NOBODY, hear, &heard);
	ck_assert_str_eq(heard.text, "heartbeat\nready\n");
}
END_TEST

/** Sends words together with `count` copies of the write end of a pipe. */
static void tell_with_descriptors(const char *word, int passed, size_t count)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * 16)] = { 0 };
	struct iovec vector = { .iov_len = strlen(word) };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control };
	char bytes[32];
	struct cmsghdr *header;

	ck_assert_uint_le(count, 16);
	(void)snprintf(bytes, sizeof(bytes), "%s", word);
	vector.iov_base = bytes;
	message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
	header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int) * count);
	for (size_t i = 0; i < count; i++)
		memcpy(CMSG_DATA(header) + i * sizeof(int), &passed, sizeof(passed));
	ck_assert_int_eq(sendmsg(sender, &message, 0), (ssize_t)strlen(word));
}

/** A barrier's sender waits for the end of its pipe: all copies of the write end must be closed, a stranger's too. */
START_TEST(descriptors_are_closed)
{
	int ends[2];
	char byte;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	tell_with_descriptors("BARRIER=1", ends[1], 1);
	tell_with_descriptors("READY=1", ends[1], 16);
	(void)close(ends[1]);
	ck_assert_int_lt(read(ends[0], &byte, 1), 0);
	notify_socket_read(notify, NOBODY, hear, &heard);
	ck_assert_int_eq(read(ends[0], &byte, 1), 0);
	ck_assert_str_eq(heard.text, "ready\n");
	(void)close(ends[0]);
}
END_TEST

START_TEST(datagrams_are_read_in_portions)
{
	size_t sent = 0;

	ck_assert_int_eq(fcntl(sender, F_SETFL, O_NONBLOCK), 0);
	while (sent < 40 && send(sender, "WATCHDOG=1", 10, 0) == 10)
		sent++;
	notify_socket_read(notify, NOBODY, hear, &heard);
	ck_assert_uint_eq(heard.count, sent < 32 ? sent : 32);
	notify_socket_read(notify, NOBODY, hear, &heard);
	ck_assert_uint_eq(heard.count, sent);
}
END_TEST

static TCase *parser_tests(void)
{
	int row_count = (int)(sizeof(rows) / sizeof(rows[0]));
	TCase *tests = tcase_create("parser");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, pipe_lines_are_understood, 0, row_count);
	tcase_add_loop_test(tests, datagrams_are_understood, 0, row_count);
	tcase_add_loop_test(tests, lines_may_be_split_anywhere, 0, row_count);
	tcase_add_loop_test(tests, bytes_may_come_one_by_one, 0, row_count);
	tcase_add_loop_test(tests, longest_line_passes_and_a_longer_one_is_dropped, 0,
			    (int)(sizeof(long_lines) / sizeof(long_lines[0])));
	tcase_add_test(tests, long_text_arrives_whole);
	tcase_add_test(tests, endless_line_takes_no_memory);
	return tests;
}

static TCase *pipe_tests(void)
{
	TCase *tests = tcase_create("pipe");

	tcase_add_checked_fixture(tests, open_pipe, close_pipe);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, pipe_is_as_promised);
	tcase_add_test(tests, pipe_says_data_nothing_end);
	tcase_add_test(tests, chatty_worker_is_read_in_portions);
	return tests;
}

static TCase *notify_tests(void)
{
	TCase *tests = tcase_create("notify");

	tcase_add_checked_fixture(tests, open_notify, close_notify);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, notify_socket_is_as_promised);
	tcase_add_test(tests, notify_socket_hears);
	tcase_add_test(tests, oversized_datagram_is_dropped);
	tcase_add_test(tests, strangers_are_not_heard);
	tcase_add_test(tests, descriptors_are_closed);
	tcase_add_test(tests, datagrams_are_read_in_portions);
	return tests;
}

int main(void)
{
	Suite *suite = suite_create("status_pipe");

	suite_add_tcase(suite, parser_tests());
	suite_add_tcase(suite, pipe_tests());
	suite_add_tcase(suite, notify_tests());
	return unit_run(suite);
}
