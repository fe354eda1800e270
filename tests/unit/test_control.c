/*
 * Requests and answers of the control socket, without a socket: framing and limits, roles, parameters, commands, waits,
 * and what is told as it happens.
 */
#include "control_world.h"
#include "unit.h"

#include "base/log.h"
#include "control/control_access.h"
#include "control/control_input.h"
#include "control/control_json.h"
#include "control/control_output.h"
#include "control/control_path.h"
#include "control/control_request.h"
#include "unicornd/control.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/** One client, whose mail is a text of lines. */
struct client {
	struct control_session session;
	struct text mail;
	size_t read;
};

static struct control_world world;
static struct control_hub hub;
static struct client client;
static struct client other;

static void deliver(void *context, const char *line, size_t length)
{
	struct client *self = context;

	ck_assert_uint_gt(length, 1);
	ck_assert_int_eq(line[length - 1], '\n');
	ck_assert_ptr_eq(memchr(line, '\n', length), line + length - 1);
	text_append_bytes(&self->mail, line, length);
}

static void client_join(struct client *self, enum role role)
{
	control_session_init(&self->session);
	self->session.admitted = true;
	self->session.role = role;
	self->session.context = self;
	self->session.send = deliver;
	self->read = 0;
	control_hub_join(&hub, &self->session);
}

static void client_leave(struct client *self)
{
	control_session_finish(&self->session);
	text_finish(&self->mail);
}

static void set_up(void)
{
	struct control_context context = { .path = "/nowhere", .configuration_name = "site.conf" };

	control_world_init(&world, "4");
	context.source = &world.source;
	control_hub_init(&hub, &world.supervisor, &context);
	client_join(&client, ROLE_ADMIN);
	client_join(&other, ROLE_ADMIN);
}

static void tear_down(void)
{
	client_leave(&client);
	client_leave(&other);
	control_hub_finish(&hub);
	control_world_finish(&world);
}

/** @return the next line of a client's mail, or NULL */
static json_t *receive(struct client *self)
{
	const char *start = text_string(&self->mail) + self->read;
	size_t rest = self->mail.length - self->read;
	const char *end = rest > 0 ? memchr(start, '\n', rest) : NULL;
	json_t *message;

	if (end == NULL)
		return NULL;
	message = json_loadb(start, (size_t)(end - start), JSON_ALLOW_NUL, NULL);
	ck_assert_ptr_nonnull(message);
	self->read += (size_t)(end - start) + 1;
	return message;
}

static void ask(struct client *self, const char *line)
{
	control_request_handle(&hub, &self->session, line, strlen(line), world.now_ms);
}

/** Asks, and takes the one answer there must be. */
static json_t *answer_to(struct client *self, const char *line)
{
	json_t *answer;

	ask(self, line);
	answer = receive(self);
	ck_assert_msg(answer != NULL, "no answer to %s", line);
	ck_assert_str_eq(json_string_value(json_object_get(answer, "jsonrpc")), "2.0");
	return answer;
}

/** Calls with params as text; the result or the error stays in the answer. */
static json_t *call(struct client *self, const char *method, const char *parameters)
{
	char line[1024];

	snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method,
		 parameters);
	return answer_to(self, line);
}

static json_t *result_of(json_t *answer)
{
	json_t *result = json_object_get(answer, "result");

	ck_assert_msg(result != NULL, "%s", json_dumps(answer, 0));
	return result;
}

static int error_code(const json_t *answer)
{
	return (int)json_integer_value(json_object_get(json_object_get(answer, "error"), "code"));
}

static const char *error_message(const json_t *answer)
{
	return json_string_value(json_object_get(json_object_get(answer, "error"), "message"));
}

static const char *string_of(const json_t *object, const char *name)
{
	const char *string = json_string_value(json_object_get(object, name));

	ck_assert_msg(string != NULL, "%s is not a string", name);
	return string;
}

static json_int_t integer_of(const json_t *object, const char *name)
{
	ck_assert_msg(json_is_integer(json_object_get(object, name)), "%s is not an integer", name);
	return json_integer_value(json_object_get(object, name));
}

static void expect_error(struct client *self, const char *line, int code, const char *words)
{
	json_t *answer = answer_to(self, line);

	ck_assert_msg(error_code(answer) == code, "%s: %d, not %d", line, error_code(answer), code);
	ck_assert_msg(strstr(error_message(answer), words) != NULL, "%s: %s", line, error_message(answer));
	json_decref(answer);
}

static void expect_silence(struct client *self)
{
	ck_assert_str_eq(text_string(&self->mail) + self->read, "");
}

/* ---- framing */

static bool collect(void *context, const char *line, size_t length)
{
	struct text *lines = context;

	text_append(lines, "[%.*s]", (int)length, line);
	return true;
}

START_TEST(test_lines_are_the_same_however_they_are_cut)
{
	static const char bytes[] = "one\n\ntwo three\nfour\nrest";
	const size_t length = strlen(bytes);

	for (size_t first = 0; first <= length; first++) {
		for (size_t second = first; second <= length; second++) {
			struct control_input input = { 0 };
			struct text lines = { 0 };

			control_input_feed(&input, bytes, first, collect, &lines);
			control_input_feed(&input, bytes + first, second - first, collect, &lines);
			control_input_feed(&input, bytes + second, length - second, collect, &lines);
			ck_assert_str_eq(text_string(&lines), "[one][][two three][four]");
			ck_assert_str_eq(text_string(&input.partial), "rest");
			control_input_finish(&input);
			text_finish(&lines);
		}
	}
}
END_TEST

static bool stop_at_once(void *context, const char *line, size_t length)
{
	(void)line;
	(void)length;
	++*(int *)context;
	return false;
}

START_TEST(test_no_more_lines_when_one_is_the_last)
{
	struct control_input input = { 0 };
	int count = 0;

	ck_assert_int_eq(control_input_feed(&input, "a\nb\nc", 5, stop_at_once, &count), CONTROL_INPUT_STOPPED);
	ck_assert_int_eq(count, 1);
	ck_assert_ptr_null(input.partial.data);
}
END_TEST

static bool measure(void *context, const char *line, size_t length)
{
	(void)line;
	*(size_t *)context = length;
	return true;
}

/** Feeds `length` letters and, if asked for, a newline, in pieces. */
static enum control_input_result feed_long_line(struct control_input *input, size_t length, bool newline, size_t *seen)
{
	static char piece[65536];
	enum control_input_result result = CONTROL_INPUT_DONE;

	memset(piece, 'x', sizeof(piece));
	while (length > 0 && result == CONTROL_INPUT_DONE) {
		size_t count = length < sizeof(piece) ? length : sizeof(piece);

		result = control_input_feed(input, piece, count, measure, seen);
		length -= count;
	}
	if (newline && result == CONTROL_INPUT_DONE)
		result = control_input_feed(input, "\n", 1, measure, seen);
	return result;
}

START_TEST(test_a_line_has_a_limit_that_counts_the_newline)
{
	struct control_input input = { 0 };
	size_t seen = 0;

	ck_assert_int_eq(feed_long_line(&input, UNICORND_CONTROL_LINE_MAX - 1, true, &seen), CONTROL_INPUT_DONE);
	ck_assert_uint_eq(seen, UNICORND_CONTROL_LINE_MAX - 1);
	ck_assert_ptr_null(input.partial.data);
	ck_assert_int_eq(feed_long_line(&input, UNICORND_CONTROL_LINE_MAX, false, &seen), CONTROL_INPUT_TOO_LONG);
	control_input_finish(&input);
}
END_TEST

static void nest(char *line, int depth)
{
	memset(line, '[', (size_t)depth);
	memset(line + depth, ']', (size_t)depth);
	line[2 * depth] = '\0';
}

START_TEST(test_depth_is_counted_outside_of_strings)
{
	char line[256];

	nest(line, UNICORND_CONTROL_DEPTH_MAX);
	ck_assert(control_line_is_shallow(line, strlen(line)));
	nest(line, UNICORND_CONTROL_DEPTH_MAX + 1);
	ck_assert(!control_line_is_shallow(line, strlen(line)));
	line[0] = '"';
	ck_assert(control_line_is_shallow(line, strlen(line)));
	line[1] = '\\';
	line[2] = '"';
	ck_assert(control_line_is_shallow(line, strlen(line)));
	line[1] = '"';
	ck_assert(control_line_is_shallow(line, strlen(line)));
	ck_assert(control_line_is_shallow("\"\\", 2));
	nest(line, 40);
	expect_error(&client, line, -32600, "deeper than 32");
}
END_TEST

/* ---- output */

/** Takes so many bytes at the other end. */
static void drain(int fd, size_t length)
{
	static char bytes[65536];

	while (length > 0) {
		ssize_t taken = recv(fd, bytes, length < sizeof(bytes) ? length : sizeof(bytes), 0);

		ck_assert_int_gt(taken, 0);
		length -= (size_t)taken;
	}
}

START_TEST(test_output_for_a_reader_that_never_catches_up_does_not_grow)
{
	static char piece[65536];
	struct control_output output = { 0 };
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	/* More than the socket takes, so that something waits all the time. */
	for (int i = 0; i < 16; i++)
		ck_assert(control_output_append(&output, piece, sizeof(piece)));
	for (int i = 0; i < 500; i++) {
		ck_assert(control_output_append(&output, piece, sizeof(piece)));
		ck_assert(control_output_write(&output, pair[0]));
		ck_assert_uint_gt(control_output_pending(&output), 0);
		ck_assert_uint_le(output.text.length, 34 * sizeof(piece));
		drain(pair[1], sizeof(piece));
	}
	close(pair[1]);
	ck_assert(!control_output_write(&output, pair[0]));
	control_output_finish(&output);
	close(pair[0]);
}
END_TEST

START_TEST(test_output_beyond_the_limit_is_refused)
{
	static char piece[UNICORND_CONTROL_BACKLOG_MAX];
	struct control_output output = { 0 };

	ck_assert(control_output_append(&output, piece, 1));
	ck_assert(!control_output_append(&output, piece, sizeof(piece)));
	ck_assert(control_output_append(&output, piece, sizeof(piece) - 1));
	ck_assert(!control_output_append(&output, piece, 1));
	ck_assert_uint_eq(control_output_pending(&output), sizeof(piece));
	control_output_finish(&output);
	ck_assert_ptr_null(output.text.data);
}
END_TEST

/* ---- envelopes */

static const struct {
	const char *line;
	int code;
	const char *words;
} bad_requests[] = {
	{ "nonsense", -32700, "not JSON" },
	{ "{\"jsonrpc\":\"2.0\"", -32700, "not JSON" },
	{ "{} {}", -32700, "not JSON" },
	{ "\xff", -32700, "not JSON" },
	{ "{\"id\":1,\"id\":2}", -32700, "not JSON" },
	{ "17", -32600, "object" },
	{ "null", -32600, "object" },
	{ "[]", -32600, "batches" },
	{ "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\"}]", -32600, "batches" },
	{ "{}", -32600, "jsonrpc" },
	{ "{\"jsonrpc\":\"1.0\",\"method\":\"version\"}", -32600, "jsonrpc" },
	{ "{\"jsonrpc\":2.0,\"method\":\"version\"}", -32600, "jsonrpc" },
	{ "{\"jsonrpc\":\"2.0\"}", -32600, "method" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":7}", -32600, "method" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"version\"}", -32600, "id" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":[],\"method\":\"version\"}", -32600, "id" },
	{ "{\"jsonrpc\":\"2.0\",\"method\":\"restart\",\"parms\":{\"target\":\"app/1\"}}", -32600, "parms" },
};

START_TEST(test_bad_requests_are_answered_without_an_id)
{
	json_t *answer = answer_to(&client, bad_requests[_i].line);

	ck_assert_int_eq(error_code(answer), bad_requests[_i].code);
	ck_assert_ptr_nonnull(strstr(error_message(answer), bad_requests[_i].words));
	ck_assert(json_is_null(json_object_get(answer, "id")));
	ck_assert_ptr_null(json_object_get(answer, "result"));
	ck_assert_int_eq(integer_of(json_object_get(json_object_get(answer, "error"), "data"), "exit_code"), 1);
	json_decref(answer);
	expect_silence(&client);
}
END_TEST

START_TEST(test_ids_come_back_as_they_were)
{
	static const char *const ids[] = { "1", "-5", "\"a\"", "\"\"", "1.5", "\"\xc3\xa4\"" };
	char line[128];

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		json_t *id = json_loads(ids[i], JSON_DECODE_ANY, NULL);
		json_t *answer;

		snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"version\"}", ids[i]);
		answer = answer_to(&client, line);
		ck_assert(json_equal(json_object_get(answer, "id"), id));
		json_decref(answer);
		json_decref(id);
	}
}
END_TEST

START_TEST(test_an_id_has_a_limit)
{
	char line[512];

	snprintf(line, sizeof(line), "{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"id\":\"%0300d\"}", 0);
	expect_error(&client, line, -32600, "id");
}
END_TEST

START_TEST(test_notifications_and_blank_lines_are_not_answered)
{
	ask(&client, "{\"jsonrpc\":\"2.0\",\"method\":\"version\"}");
	ask(&client, "{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}");
	ask(&client, "{\"jsonrpc\":\"2.0\",\"method\":\"scale\",\"params\":{\"workers\":\"6\"}}");
	ask(&client, "");
	ask(&client, " \t\r");
	ck_assert(!control_session_is_busy(&client.session));
	expect_silence(&client);
	control_world_run(&world);
	expect_silence(&client);
	ck_assert_int_eq(site_find_pool(&world.supervisor.site, "app")->wanted, 6);
}
END_TEST

/* ---- parameters */

static const struct {
	const char *method;
	const char *parameters;
	const char *words;
} bad_parameters[] = {
	{ "status", "[]", "object" },
	{ "status", "null", "object" },
	{ "status", "{\"pool\":\"app\"}", "unknown parameter \"pool\"" },
	{ "reload", "{\"pool\":7}", "\"pool\" must be the name" },
	{ "reload", "{\"pool\":\"\"}", "\"pool\" must be the name" },
	{ "reload", "{\"changed\":1}", "\"changed\" must be true or false" },
	{ "reload", "{\"wait\":\"yes\"}", "\"wait\" must be true or false" },
	{ "status", "{\"wait\":true}", "unknown parameter \"wait\"" },
	{ "scale", "{}", "\"workers\" is missing" },
	{ "scale", "{\"workers\":4}", "\"workers\" must be a string" },
	{ "scale", "{\"workers\":\"many\"}", "\"workers\" must be a string" },
	{ "restart", "{\"target\":[]}", "\"target\" must be a string" },
	{ "wait", "{}", "\"operation\" is missing" },
	{ "wait", "{\"operation\":\"17\"}", "\"operation\" must be an operation's id" },
	{ "events", "{\"since\":-1}", "\"since\" must be an integer" },
	{ "events", "{\"since\":1.5}", "\"since\" must be an integer" },
	{ "logs", "{\"follow\":null}", "\"follow\" must be true or false" },
};

START_TEST(test_parameters_are_checked_and_named)
{
	json_t *answer = call(&client, bad_parameters[_i].method, bad_parameters[_i].parameters);

	ck_assert_int_eq(error_code(answer), -32602);
	ck_assert_msg(strstr(error_message(answer), bad_parameters[_i].words) != NULL, "%s", error_message(answer));
	json_decref(answer);
}
END_TEST

START_TEST(test_an_unknown_method_is_named)
{
	json_t *answer = call(&client, "Status", "{}");

	ck_assert_int_eq(error_code(answer), -32601);
	ck_assert_str_eq(error_message(answer), "there is no method \"Status\"");
	ck_assert_str_eq(string_of(json_object_get(json_object_get(answer, "error"), "data"), "kind"),
			 "unknown_method");
	json_decref(answer);
}
END_TEST

/* ---- roles */

static const struct {
	const char *name;
	enum role role;
} commands[] = {
#define COMMAND(id, name, role, mutates, summary) { name, ROLE_##role },
#include "unicornd/commands.def"
};

START_TEST(test_each_command_needs_its_role)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		for (int role = ROLE_OBSERVER; role < ROLE_COUNT; role++) {
			json_t *answer;

			client.session.role = (enum role)role;
			/* Wrong parameters, so that nothing happens: the role is looked at before. */
			answer = call(&client, commands[i].name, "[]");
			ck_assert_int_eq(error_code(answer), role < (int)commands[i].role ? -32001 : -32602);
			json_decref(answer);
		}
	}
}
END_TEST

START_TEST(test_who_is_not_admitted_may_do_nothing)
{
	json_t *answer;

	client.session.admitted = false;
	answer = call(&client, "version", "{}");
	ck_assert_int_eq(error_code(answer), -32001);
	ck_assert_ptr_nonnull(strstr(error_message(answer), "not admitted"));
	json_decref(answer);
}
END_TEST

START_TEST(test_credentials_decide_the_role)
{
	static gid_t groups[] = { 7, 100, 200 };
	const struct control_access open = { .owner = 42 };
	const struct control_access closed = {
		.owner = 42,
		.has_operator_group = true,
		.operator_group = 100,
		.has_observer_group = true,
		.observer_group = 200,
	};
	struct control_peer root = { .uid = 0 };
	struct control_peer owner = { .uid = 42 };
	struct control_peer primary = { .uid = 50, .gid = 100 };
	struct control_peer member = { .uid = 50, .gid = 1, .groups = groups, .group_count = 3 };
	struct control_peer stranger = { .uid = 50, .gid = 1, .groups = groups, .group_count = 1 };
	struct control_peer observer = { .uid = 50, .gid = 200 };
	enum role role;

	ck_assert(control_access_decide(&closed, &root, &role) && role == ROLE_ADMIN);
	ck_assert(control_access_decide(&closed, &owner, &role) && role == ROLE_ADMIN);
	ck_assert(control_access_decide(&closed, &primary, &role) && role == ROLE_OPERATOR);
	ck_assert(control_access_decide(&closed, &member, &role) && role == ROLE_OPERATOR);
	ck_assert(control_access_decide(&closed, &observer, &role) && role == ROLE_OBSERVER);
	ck_assert(!control_access_decide(&closed, &stranger, &role));
	ck_assert(control_access_decide(&open, &stranger, &role) && role == ROLE_OBSERVER);
	ck_assert(control_access_decide(&open, &primary, &role) && role == ROLE_OBSERVER);
}
END_TEST

START_TEST(test_a_group_that_does_not_exist_is_an_error)
{
	char group[] = "no-such-group-here";
	struct control_settings settings = { .operator_group = group };
	struct control_access access;
	struct error error;

	ck_assert(!control_access_init(&access, &settings, &error));
	ck_assert_ptr_nonnull(strstr(error.text, "operator_group"));
}
END_TEST

/* ---- reports */

START_TEST(test_status_has_a_row_for_each_worker)
{
	json_t *answer = call(&client, "status", "{}");
	json_t *result = result_of(answer);
	json_t *pool = json_array_get(json_object_get(result, "pools"), 0);
	json_t *listener = json_array_get(json_object_get(result, "listeners"), 0);
	json_t *slots = json_object_get(pool, "slots");

	ck_assert_str_eq(string_of(result, "site"), "site");
	ck_assert_str_eq(string_of(result, "configuration"), "site.conf");
	ck_assert_str_eq(string_of(result, "state"), "steady");
	ck_assert_int_eq(integer_of(result, "pid"), getpid());
	ck_assert_int_eq(integer_of(result, "generation"), 1);
	ck_assert(json_is_real(json_object_get(result, "uptime")));
	ck_assert_str_eq(string_of(listener, "address"), "127.0.0.1:8000");
	ck_assert(json_is_null(json_object_get(listener, "backlog")));
	ck_assert_str_eq(string_of(pool, "name"), "app");
	ck_assert_int_eq(integer_of(pool, "wanted"), 4);
	ck_assert_int_eq(integer_of(pool, "configured"), 4);
	ck_assert_int_eq(integer_of(pool, "ready"), 4);
	ck_assert(json_is_null(json_object_get(pool, "reason")));
	ck_assert(json_is_null(json_object_get(pool, "operation")));
	ck_assert_uint_eq(json_array_size(slots), 4);
	for (size_t i = 0; i < 4; i++) {
		json_t *slot = json_array_get(slots, i);

		ck_assert_int_eq(integer_of(slot, "slot"), (json_int_t)i + 1);
		ck_assert_int_gt(integer_of(slot, "pid"), 1000);
		ck_assert_str_eq(string_of(slot, "state"), "ready");
		ck_assert_int_eq(integer_of(slot, "restarts"), 0);
		ck_assert(json_is_null(json_object_get(slot, "last_exit")));
		ck_assert(json_is_null(json_object_get(slot, "heartbeat_age")));
		ck_assert(json_is_null(json_object_get(slot, "retry_in")));
		ck_assert_double_gt(json_number_value(json_object_get(slot, "since")), 1e9);
	}
	json_decref(answer);
}
END_TEST

static struct worker *first_worker(void)
{
	return pool_find_current(site_find_pool(&world.supervisor.site, "app"), 1);
}

START_TEST(test_status_says_how_a_worker_ended_and_when_one_beat)
{
	const struct worker_exit killed = { .status = 11 };
	const struct status_message beat = { .key = STATUS_HEARTBEAT };
	json_t *answer, *slots, *last;

	supervisor_worker_said(&world.supervisor, list_entry(first_worker()->link.next, struct worker, link), &beat,
			       world.now_ms - 1500);
	supervisor_worker_exited(&world.supervisor, first_worker(), &killed, world.now_ms);
	answer = call(&client, "status", "{}");
	slots = json_object_get(json_array_get(json_object_get(result_of(answer), "pools"), 0), "slots");
	ck_assert_uint_eq(json_array_size(slots), 4);
	last = json_object_get(json_array_get(slots, 0), "last_exit");
	ck_assert_str_eq(string_of(last, "cause"), "signalled");
	ck_assert_str_eq(string_of(last, "signal"), "SEGV");
	ck_assert(json_is_null(json_object_get(last, "status")));
	ck_assert_int_eq(integer_of(last, "pid"), 1001);
	ck_assert_double_eq_tol(json_number_value(json_object_get(json_array_get(slots, 1), "heartbeat_age")), 1.5,
				0.0001);
	json_decref(answer);
}
END_TEST

START_TEST(test_an_empty_slot_is_a_row_too)
{
	const struct worker_exit failed = { .status = 1 << 8 };
	json_t *answer, *slot;

	world.never_ready = true;
	/* So often that the pause before the next try is not over at once. */
	for (int i = 0; i < 4 && first_worker() != NULL; i++) {
		supervisor_worker_exited(&world.supervisor, first_worker(), &failed, world.now_ms);
		control_world_run(&world);
	}
	ck_assert_ptr_null(first_worker());
	answer = call(&client, "status", "{}");
	slot = json_array_get(json_object_get(json_array_get(json_object_get(result_of(answer), "pools"), 0), "slots"),
			      0);
	ck_assert_int_eq(integer_of(slot, "slot"), 1);
	ck_assert(json_is_null(json_object_get(slot, "pid")));
	ck_assert_str_eq(string_of(slot, "state"), "gone");
	ck_assert_int_eq(integer_of(json_object_get(slot, "last_exit"), "status"), 1);
	ck_assert_double_gt(json_number_value(json_object_get(slot, "retry_in")), 0);
	json_decref(answer);
}
END_TEST

START_TEST(test_while_a_pool_rolls_a_slot_appears_twice_and_in_order)
{
	json_t *answer, *slots;
	size_t rows;

	world.never_ready = true;
	json_decref(call(&client, "restart", "{\"wait\":false}"));
	control_world_run(&world);
	answer = call(&client, "status", "{}");
	slots = json_object_get(json_array_get(json_object_get(result_of(answer), "pools"), 0), "slots");
	rows = json_array_size(slots);
	ck_assert_uint_gt(rows, 4);
	for (size_t i = 1; i < rows; i++) {
		json_t *before = json_array_get(slots, i - 1), *row = json_array_get(slots, i);

		ck_assert_int_le(integer_of(before, "slot"), integer_of(row, "slot"));
		if (integer_of(before, "slot") == integer_of(row, "slot"))
			ck_assert_int_lt(integer_of(before, "generation"), integer_of(row, "generation"));
	}
	ck_assert_str_eq(string_of(result_of(answer), "state"), "rolling");
	json_decref(answer);
}
END_TEST

START_TEST(test_version_and_configuration)
{
	json_t *version = call(&client, "version", "{}");
	json_t *configuration = call(&client, "config", "{}");

	ck_assert_int_eq(integer_of(result_of(version), "control"), UNICORND_CONTROL_VERSION);
	ck_assert_ptr_nonnull(string_of(result_of(version), "version"));
	ck_assert_ptr_nonnull(strstr(string_of(result_of(configuration), "text"), "pool app"));
	json_decref(version);
	json_decref(configuration);
}
END_TEST

/* ---- operations */

START_TEST(test_a_change_is_answered_when_it_is_done)
{
	const char *line = "{\"jsonrpc\":\"2.0\",\"id\":\"s\",\"method\":\"scale\",\"params\":{\"workers\":\"+2\"}}";
	json_t *message, *result;
	int progress = 0;

	ask(&client, line);
	expect_silence(&client);
	ck_assert(control_session_is_busy(&client.session));
	control_world_run(&world);
	message = receive(&client);
	for (; json_object_get(message, "id") == NULL; message = receive(&client)) {
		json_t *params = json_object_get(message, "params");

		ck_assert_str_eq(string_of(message, "method"), "progress");
		ck_assert_str_eq(string_of(params, "pool"), "app");
		ck_assert_str_eq(string_of(params, "operation"), "r-2");
		ck_assert_int_eq(integer_of(params, "wanted"), 6);
		ck_assert_ptr_nonnull(strstr(string_of(params, "event"), "app"));
		progress++;
		json_decref(message);
	}
	ck_assert_int_gt(progress, 2);
	result = result_of(message);
	ck_assert_str_eq(string_of(message, "id"), "s");
	ck_assert_str_eq(string_of(result, "operation"), "r-2");
	ck_assert_str_eq(string_of(result, "verb"), "scale");
	ck_assert_str_eq(string_of(result, "outcome"), "done");
	ck_assert_int_eq(integer_of(result, "exit_code"), 0);
	ck_assert_ptr_nonnull(string_of(result, "message"));
	ck_assert(json_is_null(json_object_get(result, "detail")));
	ck_assert(json_is_null(json_object_get(result, "failed_worker")));
	json_decref(message);
	expect_silence(&client);
	expect_silence(&other);
	ck_assert(!control_session_is_busy(&client.session));
}
END_TEST

START_TEST(test_without_waiting_the_id_comes_at_once)
{
	json_t *answer = call(&client, "restart", "{\"target\":\"app/2\",\"wait\":false}");

	ck_assert_str_eq(string_of(result_of(answer), "operation"), "r-2");
	ck_assert_str_eq(string_of(result_of(answer), "outcome"), "running");
	ck_assert(!control_session_is_busy(&client.session));
	json_decref(answer);
	control_world_run(&world);
	expect_silence(&client);
}
END_TEST

START_TEST(test_status_is_answered_while_a_change_waits)
{
	json_t *answer;

	world.never_ready = true;
	ask(&client, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"restart\"}");
	answer = answer_to(&client, "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"status\"}");
	ck_assert_int_eq(integer_of(answer, "id"), 6);
	json_decref(answer);
}
END_TEST

START_TEST(test_wait_attaches_to_a_running_operation)
{
	json_t *answer = call(&client, "restart", "{\"wait\":false}");
	json_t *message = NULL;

	json_decref(answer);
	ask(&other, "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"wait\",\"params\":{\"operation\":\"r-2\"}}");
	expect_silence(&other);
	control_world_run(&world);
	for (message = receive(&other); json_object_get(message, "id") == NULL; message = receive(&other))
		json_decref(message);
	ck_assert_int_eq(integer_of(message, "id"), 9);
	ck_assert_str_eq(string_of(result_of(message), "outcome"), "done");
	ck_assert_int_eq(integer_of(result_of(message), "generation"), 2);
	json_decref(message);
	/* And to one that is over. */
	answer = call(&client, "wait", "{\"operation\":\"r-2\"}");
	ck_assert_str_eq(string_of(result_of(answer), "verb"), "restart");
	json_decref(answer);
	expect_silence(&client);
}
END_TEST

START_TEST(test_an_unknown_operation_pool_or_slot_is_not_found)
{
	static const char *const calls[][2] = {
		{ "wait", "{\"operation\":\"r-99\"}" },
		{ "restart", "{\"target\":\"nobody\"}" },
		{ "restart", "{\"target\":\"app/9\"}" },
		{ "scale", "{\"pool\":\"nobody\",\"workers\":\"2\"}" },
		{ "logs", "{\"target\":\"nobody\",\"follow\":true}" },
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		json_t *answer = call(&client, calls[i][0], calls[i][1]);

		ck_assert_int_eq(error_code(answer), -32005);
		json_decref(answer);
	}
	ck_assert(!control_session_is_busy(&client.session));
}
END_TEST

START_TEST(test_a_conflict_names_the_operation_in_the_way)
{
	json_t *answer, *data;

	world.never_ready = true;
	json_decref(call(&client, "restart", "{\"wait\":false}"));
	answer = call(&other, "restart", "{}");
	data = json_object_get(json_object_get(answer, "error"), "data");
	ck_assert_int_eq(error_code(answer), -32002);
	ck_assert_str_eq(string_of(data, "kind"), "conflict");
	ck_assert_int_eq(integer_of(data, "exit_code"), 9);
	ck_assert_str_eq(string_of(data, "operation"), "r-2");
	json_decref(answer);
}
END_TEST

START_TEST(test_a_superseded_change_is_answered_too)
{
	json_t *message;

	world.never_ready = true;
	ask(&client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"restart\"}");
	ask(&other, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"restart\",\"params\":{\"supersede\":true}}");
	for (message = receive(&client); json_object_get(message, "id") == NULL; message = receive(&client))
		json_decref(message);
	ck_assert_str_eq(string_of(result_of(message), "outcome"), "superseded");
	ck_assert_int_eq(integer_of(result_of(message), "exit_code"), 9);
	json_decref(message);
	ck_assert(control_session_is_busy(&other.session));
}
END_TEST

START_TEST(test_reload_reads_the_configuration_again)
{
	json_t *message = NULL;

	ask(&client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"reload\"}");
	control_world_run(&world);
	for (message = receive(&client); json_object_get(message, "id") == NULL; message = receive(&client))
		json_decref(message);
	ck_assert_str_eq(string_of(result_of(message), "verb"), "reload");
	ck_assert_str_eq(string_of(result_of(message), "outcome"), "done");
	json_decref(message);
}
END_TEST

START_TEST(test_reload_tells_all_problems_of_a_bad_configuration)
{
	static const char *const assignments[] = { "surge=lots", "no_such_setting=1" };
	json_t *answer;

	world.source.assignments = assignments;
	world.source.assignment_count = 2;
	answer = call(&client, "reload", "{}");
	ck_assert_int_eq(error_code(answer), -32003);
	ck_assert_msg(strstr(error_message(answer), "surge") != NULL, "%s", error_message(answer));
	ck_assert_msg(strstr(error_message(answer), "no_such_setting") != NULL, "%s", error_message(answer));
	ck_assert_int_eq(integer_of(json_object_get(json_object_get(answer, "error"), "data"), "exit_code"), 5);
	json_decref(answer);
	ck_assert_uint_eq(world.supervisor.last_operation, 1);
}
END_TEST

START_TEST(test_stop_is_answered_when_nobody_is_left)
{
	json_t *message;

	ask(&client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"stop\"}");
	expect_error(&other, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"restart\"}", -32006, "stopping");
	control_world_run(&world);
	for (message = receive(&client); json_object_get(message, "id") == NULL; message = receive(&client))
		json_decref(message);
	ck_assert_str_eq(string_of(result_of(message), "verb"), "stop");
	ck_assert_str_eq(string_of(result_of(message), "outcome"), "done");
	json_decref(message);
	ck_assert(world.supervisor.finished);
}
END_TEST

START_TEST(test_a_client_that_leaves_takes_its_waits_along)
{
	world.never_ready = true;
	ask(&client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"restart\"}");
	client_leave(&client);
	client_join(&client, ROLE_ADMIN);
	world.never_ready = false;
	control_world_run(&world);
	expect_silence(&client);
	ck_assert_int_eq(supervisor_find_operation(&world.supervisor, 2)->outcome, OUTCOME_DONE);
}
END_TEST

START_TEST(test_waits_have_a_limit)
{
	world.never_ready = true;
	json_decref(call(&client, "restart", "{\"wait\":false}"));
	for (int i = 0; i < CONTROL_WAITS_MAX; i++)
		ask(&client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"wait\",\"params\":{\"operation\":\"r-2\"}}");
	expect_silence(&client);
	expect_error(&client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"wait\",\"params\":{\"operation\":\"r-2\"}}",
		     -32600, "waiting already");
	json_decref(call(&client, "version", "{}"));
}
END_TEST

/* ---- events and output */

START_TEST(test_events_are_told_from_where_the_client_wants)
{
	json_t *answer = call(&client, "events", "{}");
	json_t *events = json_object_get(result_of(answer), "events");
	json_int_t next = integer_of(result_of(answer), "next");
	json_t *first = json_array_get(events, 0);

	ck_assert_int_eq((json_int_t)json_array_size(events), next - 1);
	ck_assert_int_eq(integer_of(first, "sequence"), 1);
	ck_assert_str_eq(string_of(first, "event"), "site_started");
	ck_assert_str_eq(string_of(first, "level"), "notice");
	ck_assert(json_is_null(json_object_get(first, "pool")));
	ck_assert(json_is_null(json_object_get(first, "slot")));
	json_decref(answer);
	answer = call(&client, "events", "{\"since\":3}");
	events = json_object_get(result_of(answer), "events");
	ck_assert_int_eq(integer_of(json_array_get(events, 0), "sequence"), 4);
	json_decref(answer);
	answer = call(&client, "events", "{\"since\":9223372036854775807}");
	ck_assert_uint_eq(json_array_size(json_object_get(result_of(answer), "events")), 0);
	json_decref(answer);
	ck_assert(!control_session_is_busy(&client.session));
}
END_TEST

START_TEST(test_events_can_be_followed)
{
	json_t *answer = call(&client, "events", "{\"follow\":true}");
	json_int_t next = integer_of(result_of(answer), "next");
	json_t *message;

	json_decref(answer);
	json_decref(call(&other, "restart", "{\"target\":\"app/3\",\"wait\":false}"));
	control_world_run(&world);
	while ((message = receive(&client)) != NULL) {
		ck_assert_str_eq(string_of(message, "method"), "event");
		ck_assert_int_eq(integer_of(json_object_get(message, "params"), "sequence"), next++);
		json_decref(message);
	}
	ck_assert_uint_eq((uint64_t)next, world.supervisor.journal.next);
	expect_silence(&other);
}
END_TEST

START_TEST(test_output_is_told_and_made_valid)
{
	json_t *answer, *log;

	control_world_write(&world, 2, "hello\nbad \xff byte\n", 17);
	answer = call(&client, "logs", "{}");
	ck_assert_uint_eq(json_array_size(json_object_get(result_of(answer), "logs")), 1);
	log = json_array_get(json_object_get(result_of(answer), "logs"), 0);
	ck_assert_str_eq(string_of(log, "pool"), "app");
	ck_assert_int_eq(integer_of(log, "slot"), 2);
	ck_assert_int_eq(integer_of(log, "pid"), 1002);
	ck_assert_str_eq(string_of(log, "text"), "hello\nbad \xEF\xBF\xBD byte\n");
	json_decref(answer);
	answer = call(&client, "logs", "{\"target\":\"app/1\"}");
	ck_assert_uint_eq(json_array_size(json_object_get(result_of(answer), "logs")), 0);
	json_decref(answer);
}
END_TEST

START_TEST(test_a_silent_successor_shows_the_output_of_the_one_before)
{
	const struct worker_exit failed = { .status = 1 << 8 };
	json_t *answer, *log;

	control_world_write(&world, 1, "last words\n", 11);
	supervisor_worker_exited(&world.supervisor, first_worker(), &failed, world.now_ms);
	control_world_run(&world);
	answer = call(&client, "logs", "{\"target\":\"app/1\"}");
	log = json_array_get(json_object_get(result_of(answer), "logs"), 0);
	ck_assert_str_eq(string_of(log, "text"), "last words\n");
	ck_assert_int_eq(integer_of(log, "pid"), 1001);
	json_decref(answer);
}
END_TEST

START_TEST(test_output_can_be_followed)
{
	json_t *message;

	json_decref(call(&client, "logs", "{\"target\":\"app/2\",\"follow\":true}"));
	json_decref(call(&other, "logs", "{\"follow\":true}"));
	control_world_write(&world, 1, "one\n", 4);
	control_world_write(&world, 2, "two\n", 4);
	message = receive(&client);
	ck_assert_str_eq(string_of(message, "method"), "output");
	ck_assert_int_eq(integer_of(json_object_get(message, "params"), "slot"), 2);
	ck_assert_str_eq(string_of(json_object_get(message, "params"), "text"), "two\n");
	json_decref(message);
	expect_silence(&client);
	json_decref(receive(&other));
	message = receive(&other);
	ck_assert_str_eq(string_of(json_object_get(message, "params"), "text"), "two\n");
	json_decref(message);
}
END_TEST

START_TEST(test_the_logs_of_many_chatty_workers_fit_into_one_answer)
{
	static char noise[OUTPUT_RING_MAX];

	memset(noise, 1, sizeof(noise)); /* six characters each as JSON */
	json_decref(call(&client, "scale", "{\"workers\":\"150\",\"wait\":false}"));
	control_world_run(&world);
	for (int slot = 1; slot <= 150; slot++)
		control_world_write(&world, slot, noise, sizeof(noise));
	json_decref(call(&client, "logs", "{}"));
	ck_assert_uint_lt(client.mail.length, UNICORND_CONTROL_BACKLOG_MAX);
}
END_TEST

/* ---- texts and memory */

static const struct {
	const char *bytes;
	const char *repaired;
} texts[] = {
	{ "", "" },
	{ "plain", "plain" },
	{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\xa6\x84", "\xc3\xa4\xe2\x82\xac\xf0\x9f\xa6\x84" },
	{ "\xc3", "\xEF\xBF\xBD" },
	{ "a\xc3z", "a\xEF\xBF\xBDz" },
	{ "\xc0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD" },
	{ "\xe0\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
	{ "\xed\xa0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
	{ "\xf4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
	{ "\xf5", "\xEF\xBF\xBD" },
	{ "\xe2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD" },
};

START_TEST(test_texts_become_valid)
{
	json_t *string = control_json_string(texts[_i].bytes);
	json_t *checked = json_string(json_string_value(string));

	ck_assert_str_eq(json_string_value(string), texts[_i].repaired);
	ck_assert_ptr_nonnull(checked);
	json_decref(checked);
	json_decref(string);
}
END_TEST

static long allocations_left;

static void *scarce_malloc(size_t size)
{
	return allocations_left-- > 0 ? malloc(size) : NULL;
}

/** Asks with the n-th allocation of jansson failing, for every n, until it works. */
static void ask_in_need(const char *line)
{
	bool done = false;

	for (long n = 0; !done && n < 100000; n++) {
		json_t *answer;

		allocations_left = n;
		json_set_alloc_funcs(scarce_malloc, free);
		ask(&client, line);
		done = allocations_left >= 0;
		json_set_alloc_funcs(malloc, free);
		answer = receive(&client);
		ck_assert_ptr_nonnull(answer);
		expect_silence(&client);
		ck_assert(!done || json_object_get(answer, "result") != NULL);
		ck_assert(done || json_object_get(answer, "error") != NULL);
		json_decref(answer);
	}
	ck_assert(done);
}

START_TEST(test_without_memory_there_is_still_an_answer)
{
	ask_in_need("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\"}");
	ask_in_need("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}");
	control_world_write(&world, 1, "bad \xff", 5);
	ask_in_need("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"logs\"}");
	ask_in_need("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"events\",\"params\":{\"since\":2}}");
	ask_in_need("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"config\"}");
	ask_in_need("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"wait\",\"params\":{\"operation\":\"r-1\"}}");
}
END_TEST

/* ---- paths */

START_TEST(test_the_default_path)
{
	char path[CONTROL_PATH_SIZE];

	ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", "/run/somewhere", 1), 0);
	ck_assert(control_default_path("shop", path, sizeof(path)));
	if (geteuid() == 0)
		ck_assert_str_eq(path, "/run/unicornd/shop.sock");
	else
		ck_assert_str_eq(path, "/run/somewhere/unicornd/shop.sock");
	ck_assert(!control_default_path("shop", path, 12));
	ck_assert_uint_eq(strlen(path), 11);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("control");
	TCase *pure = tcase_create("lines, access, texts");
	TCase *requests = tcase_create("requests");

	suite_add_tcase(suite, pure);
	tcase_add_test(pure, test_lines_are_the_same_however_they_are_cut);
	tcase_add_test(pure, test_no_more_lines_when_one_is_the_last);
	tcase_add_test(pure, test_a_line_has_a_limit_that_counts_the_newline);
	tcase_add_test(pure, test_output_for_a_reader_that_never_catches_up_does_not_grow);
	tcase_add_test(pure, test_output_beyond_the_limit_is_refused);
	tcase_add_test(pure, test_credentials_decide_the_role);
	tcase_add_test(pure, test_a_group_that_does_not_exist_is_an_error);
	tcase_add_loop_test(pure, test_texts_become_valid, 0, (int)(sizeof(texts) / sizeof(texts[0])));
	tcase_add_test(pure, test_the_default_path);

	suite_add_tcase(suite, requests);
	tcase_set_timeout(requests, 60);
	tcase_add_checked_fixture(requests, set_up, tear_down);
	tcase_add_test(requests, test_depth_is_counted_outside_of_strings);
	tcase_add_loop_test(requests, test_bad_requests_are_answered_without_an_id, 0,
			    (int)(sizeof(bad_requests) / sizeof(bad_requests[0])));
	tcase_add_test(requests, test_ids_come_back_as_they_were);
	tcase_add_test(requests, test_an_id_has_a_limit);
	tcase_add_test(requests, test_notifications_and_blank_lines_are_not_answered);
	tcase_add_loop_test(requests, test_parameters_are_checked_and_named, 0,
			    (int)(sizeof(bad_parameters) / sizeof(bad_parameters[0])));
	tcase_add_test(requests, test_an_unknown_method_is_named);
	tcase_add_test(requests, test_each_command_needs_its_role);
	tcase_add_test(requests, test_who_is_not_admitted_may_do_nothing);
	tcase_add_test(requests, test_status_has_a_row_for_each_worker);
	tcase_add_test(requests, test_status_says_how_a_worker_ended_and_when_one_beat);
	tcase_add_test(requests, test_an_empty_slot_is_a_row_too);
	tcase_add_test(requests, test_while_a_pool_rolls_a_slot_appears_twice_and_in_order);
	tcase_add_test(requests, test_version_and_configuration);
	tcase_add_test(requests, test_a_change_is_answered_when_it_is_done);
	tcase_add_test(requests, test_without_waiting_the_id_comes_at_once);
	tcase_add_test(requests, test_status_is_answered_while_a_change_waits);
	tcase_add_test(requests, test_wait_attaches_to_a_running_operation);
	tcase_add_test(requests, test_an_unknown_operation_pool_or_slot_is_not_found);
	tcase_add_test(requests, test_a_conflict_names_the_operation_in_the_way);
	tcase_add_test(requests, test_a_superseded_change_is_answered_too);
	tcase_add_test(requests, test_reload_reads_the_configuration_again);
	tcase_add_test(requests, test_reload_tells_all_problems_of_a_bad_configuration);
	tcase_add_test(requests, test_stop_is_answered_when_nobody_is_left);
	tcase_add_test(requests, test_a_client_that_leaves_takes_its_waits_along);
	tcase_add_test(requests, test_waits_have_a_limit);
	tcase_add_test(requests, test_events_are_told_from_where_the_client_wants);
	tcase_add_test(requests, test_events_can_be_followed);
	tcase_add_test(requests, test_output_is_told_and_made_valid);
	tcase_add_test(requests, test_a_silent_successor_shows_the_output_of_the_one_before);
	tcase_add_test(requests, test_output_can_be_followed);
	tcase_add_test(requests, test_the_logs_of_many_chatty_workers_fit_into_one_answer);
	tcase_add_test(requests, test_without_memory_there_is_still_an_answer);
	return suite;
}

int main(void)
{
	struct error error;

	/* Much happens here, and none of it is news. */
	if (!log_open(NULL, LOG_LEVEL_ERROR, &error))
		return EXIT_FAILURE;
	return unit_run(make_suite());
}
