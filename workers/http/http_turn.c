#include "http_turn.h"

#include "http_connection.h"
#include "http_flow.h"
#include "http_request.h"

/* How long an answer is held at most, and the call behind it that may be running then: that of ten answers or so of a
 * quick framework in Python. */
#define HELD_S 0.0004
/* Nothing is held while calls take longer than this, on average over the last ones. A single long one, as when Python
 * looks for garbage, counts for as many as it takes to forget it. */
#define SLOW_S        0.0002
#define AVERAGE_CALLS 16

static void on_end(struct ev_loop *loop, ev_check *end, int events)
{
	(void)loop;
	(void)events;
	http_turn_end(end->data);
}

void http_turn_init(struct http_server *server)
{
	ev_check_init(&server->turn.end, on_end);
	/* Behind all that the kernel has told. It is never started, so that a turn without answers has no more to do.
	 */
	ev_set_priority(&server->turn.end, EV_MINPRI);
	server->turn.end.data = server;
}

void http_turn_finish(struct http_server *server)
{
	(void)ev_clear_pending(server->loop, &server->turn.end);
}

bool http_turn_may_hold(const struct http_server *server)
{
	const struct http_turn *turn = &server->turn;

	if (turn->first == NULL && server->waiting == NULL && ev_pending_count(server->loop) == 0)
		return false;
	return server->jobs == NULL && turn->average_s <= SLOW_S;
}

bool http_turn_takes(const struct http_connection *connection)
{
	const struct unicorn_request *request = connection->request;

	if (connection->state != HTTP_CONNECTION_HANDLING || request == NULL || connection->output.pending == 0)
		return false;
	/* There is more only when the client takes nothing; then its next request waits. */
	if (connection->output.pending > HTTP_CORKED_BYTES)
		return false;
	if (connection->is_broken || connection->is_end_of_input || !request->body.is_complete)
		return false;
	return request->answer.is_ended && !request->answer.closes && !request->answer.is_cut;
}

void http_turn_uncork(struct http_connection *connection)
{
	const struct unicorn_request *request = connection->request;

	connection->output.is_corked = false;
	if (http_output_flush(&connection->output, connection->io.fd) != 0)
		connection->is_broken = true;
	/* The client has taken all while the call ran that was told to wait: no event of the socket will say so. */
	if (connection->is_congested && connection->output.pending == 0 && request != NULL &&
	    !request->answer.is_ended) {
		connection->is_congested = false;
		connection->events |= UNICORN_DRAINED;
	}
}

void http_turn_hold(struct http_connection *connection)
{
	struct http_server *server = connection->server;
	struct http_turn *turn = &server->turn;

	if (connection->is_held)
		return;
	if (turn->first == NULL) {
		turn->held_s = 0;
		ev_feed_event(server->loop, &turn->end, EV_CUSTOM);
	}
	connection->is_held = true;
	connection->next_held = turn->first;
	turn->first = connection;
}

void http_turn_called(struct http_server *server)
{
	struct http_turn *turn = &server->turn;
	double began_s = ev_now(server->loop) > turn->called_s ? ev_now(server->loop) : turn->called_s;

	/* Alone in its turn: nothing waits for it, and it tells nothing of the others. */
	if (turn->first == NULL && ev_pending_count(server->loop) == 0)
		return;
	turn->called_s = ev_time();
	turn->average_s += (turn->called_s - began_s - turn->average_s) / AVERAGE_CALLS;
	if (turn->held_s == 0)
		turn->held_s = turn->called_s;
	else if (turn->called_s - turn->held_s > HELD_S)
		http_turn_end(server);
}

void http_turn_end(struct http_server *server)
{
	while (server->turn.first != NULL) {
		struct http_connection *connection = server->turn.first;

		server->turn.first = connection->next_held;
		connection->is_held = false;
		/* One that is in a call already, for its next request, is looked at behind it. */
		if (connection->is_in_call)
			continue;
		connection->output.is_corked = false;
		http_flow_writable(connection);
	}
}

void http_turn_forget(struct http_connection *connection)
{
	struct http_connection **place = &connection->server->turn.first;

	if (!connection->is_held)
		return;
	while (*place != connection)
		place = &(*place)->next_held;
	*place = connection->next_held;
	connection->is_held = false;
}

void http_turn_written(struct http_connection *connection)
{
	struct http_server *server = connection->server;
	enum http_deadline_kind idle = server->is_draining ? HTTP_DEADLINE_LINGER : HTTP_DEADLINE_KEEP_ALIVE;

	if (connection->output.pending > 0) {
		http_flow_watch(connection);
	} else if (connection->deadline.kind == HTTP_DEADLINE_WRITE) {
		http_flow_watch(connection);
		http_server_set_deadline(server, &connection->deadline,
					 connection->request == NULL ? idle : HTTP_DEADLINE_HEADER);
	}
}
