#include "control/control_client.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/ownership.h"
#include "control/control_request.h"
#include "unicornd/control.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

/** Bytes read from one client in one turn of the loop. */
#define CHUNK_SIZE ((size_t)64 * 1024)
/** Waiting bytes that are not left to the end of the turn: what is written needs no memory. */
#define WRITE_SOON ((size_t)64 * 1024)

void control_clients_init(struct control_clients *clients, struct ev_loop *loop, struct control_hub *hub)
{
	*clients = (struct control_clients){ .loop = loop, .hub = hub };
	list_init(&clients->all);
	list_init(&clients->touched);
}

static void touch(struct control_client *client)
{
	if (list_is_empty(&client->touched_link))
		list_append(&client->clients->touched, &client->touched_link);
}

static void condemn(struct control_client *client)
{
	client->condemned = true;
	ev_io_stop(client->clients->loop, &client->readable);
	touch(client);
}

static void write_now(struct control_client *client)
{
	if (!control_output_write(&client->output, client->fd))
		condemn(client);
}

static void send_line(void *context, const char *line, size_t length)
{
	struct control_client *client = context;

	if (client->condemned || client->closing)
		return;
	touch(client);
	if (control_output_pending(&client->output) <= UNICORND_CONTROL_UNREAD_MAX &&
	    control_output_append(&client->output, line, length)) {
		if (control_output_pending(&client->output) > WRITE_SOON)
			write_now(client);
		return;
	}
	log_notice("control: uid %u pid %d does not read its answers: cut off", (unsigned)client->session.uid,
		   (int)client->session.pid);
	control_output_finish(&client->output);
	condemn(client);
}

static bool take_line(void *context, const char *line, size_t length)
{
	struct control_client *client = context;

	control_request_handle(client->clients->hub, &client->session, line, length, clock_monotonic_ms());
	return !client->condemned;
}

static void take(struct control_client *client, const char *bytes, size_t length)
{
	switch (control_input_feed(&client->input, bytes, length, take_line, client)) {
	case CONTROL_INPUT_DONE:
	case CONTROL_INPUT_STOPPED:
		break;
	case CONTROL_INPUT_TOO_LONG:
		control_request_refuse_length(&client->session);
		client->closing = true;
		ev_io_stop(client->clients->loop, &client->readable);
		touch(client);
		break;
	case CONTROL_INPUT_NO_MEMORY:
		condemn(client);
		break;
	}
}

/** @return true when the other end is closed both ways, not only for writing */
static bool has_hung_up(const struct control_client *client)
{
	struct pollfd both = { .fd = client->fd };

	return poll(&both, 1, 0) > 0 && (both.revents & (POLLHUP | POLLERR)) != 0;
}

static void end_input(struct control_client *client)
{
	client->input_ended = true;
	ev_io_stop(client->clients->loop, &client->readable);
	if (has_hung_up(client))
		client->condemned = true;
	touch(client);
}

static void read_some(struct control_client *client)
{
	static char chunk[CHUNK_SIZE];
	ssize_t length = recv(client->fd, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (length > 0) {
		list_remove(&client->link);
		list_append(&client->clients->all, &client->link);
		take(client, chunk, (size_t)length);
	} else if (length == 0) {
		end_input(client);
	} else if (errno != EAGAIN && errno != EINTR) {
		condemn(client);
	}
}

static void on_readable(struct ev_loop *loop, struct ev_io *watcher, int events)
{
	(void)loop;
	(void)events;
	read_some(watcher->data);
}

static void on_writable(struct ev_loop *loop, struct ev_io *watcher, int events)
{
	(void)loop;
	(void)events;
	touch(watcher->data);
}

struct control_client *control_client_create(struct control_clients *clients, int fd)
{
	struct control_client *client = calloc(1, sizeof(*client));

	if (client == NULL)
		return NULL;
	client->clients = clients;
	client->fd = fd;
	list_init(&client->link);
	list_init(&client->touched_link);
	control_session_init(&client->session);
	client->session.context = client;
	client->session.send = send_line;
	ev_io_init(&client->readable, on_readable, fd, EV_READ);
	ev_io_init(&client->writable, on_writable, fd, EV_WRITE);
	client->readable.data = client;
	client->writable.data = client;
	list_append(&clients->all, &client->link);
	clients->count++;
	return client;
}

void control_client_begin(struct control_client *client)
{
	control_hub_join(client->clients->hub, &client->session);
	ev_io_start(client->clients->loop, &client->readable);
	/* Whoever connects and asks at once is served before somebody else makes it give way. */
	read_some(client);
}

void control_client_destroy(struct control_client *client)
{
	if (!client->condemned)
		(void)control_output_write(&client->output, client->fd);
	ev_io_stop(client->clients->loop, &client->readable);
	ev_io_stop(client->clients->loop, &client->writable);
	control_session_finish(&client->session);
	list_remove(&client->link);
	list_remove(&client->touched_link);
	client->clients->count--;
	control_input_finish(&client->input);
	control_output_finish(&client->output);
	close_fd(&client->fd);
	free(client);
}

/** @return true when nothing more is to come, from either side */
static bool is_done(const struct control_client *client)
{
	if (client->condemned)
		return true;
	if (control_output_pending(&client->output) > 0)
		return false;
	return client->closing || (client->input_ended && !control_session_is_busy(&client->session));
}

static void tend(struct control_client *client)
{
	list_remove(&client->touched_link);
	if (!client->condemned)
		write_now(client);
	if (is_done(client))
		control_client_destroy(client);
	else if (control_output_pending(&client->output) > 0)
		ev_io_start(client->clients->loop, &client->writable);
	else
		ev_io_stop(client->clients->loop, &client->writable);
}

void control_clients_tend(struct control_clients *clients)
{
	list_for_each (link, &clients->touched) {
		tend(list_entry(link, struct control_client, touched_link));
	}
}

struct control_client *control_clients_find_victim(struct control_clients *clients, enum role newcomer)
{
	struct control_client *lower = NULL;

	list_for_each (link, &clients->all) {
		struct control_client *client = list_entry(link, struct control_client, link);

		/* Nobody tells of a hang-up behind the end of the input. */
		if (!control_session_is_busy(&client->session) || (client->input_ended && has_hung_up(client)))
			return client;
		if (lower == NULL && client->session.role < newcomer)
			lower = client;
	}
	return lower;
}
