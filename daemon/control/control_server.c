#include "control/control_server.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/ownership.h"
#include "control/control_access.h"
#include "control/control_client.h"
#include "control/control_path.h"
#include "system/socket.h"
#include "unicornd/control.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/** Connections that wait for the loop to accept them. */
#define BACKLOG 128
/** Connections accepted in one turn of the loop, so that a flood does not keep the daemon from its workers. */
#define ACCEPTS_MAX 16
/** How long nobody is accepted after the system had no descriptor or no memory left. */
#define ACCEPT_PAUSE_S 1.0
/** How long the end of the daemon may wait for clients to read. */
#define FLUSH_MS 1000

struct control_server {
	struct ev_loop *loop;
	struct control_hub hub;
	struct control_access access;
	struct control_clients clients;
	struct address address;
	int fd; /**< owned */
	struct ev_io acceptable;
	struct ev_timer pause;
	struct ev_prepare turn;
};

static void log_refused(const struct control_peer *peer)
{
	log_warning("control: uid %u pid %d is not served: all %d clients are waiting for something",
		    (unsigned)peer->uid, (int)peer->pid, UNICORND_CONTROL_CLIENTS_MAX);
}

/** Makes room for one more. */
static bool make_room(struct control_server *server, const struct control_peer *peer, enum role role)
{
	struct control_client *victim;

	if (server->clients.count < UNICORND_CONTROL_CLIENTS_MAX)
		return true;
	victim = control_clients_find_victim(&server->clients, role);
	if (victim == NULL) {
		log_refused(peer);
		return false;
	}
	control_client_destroy(victim);
	return true;
}

/** @return false when the connection is not served; it then stays the caller's */
static bool serve(struct control_server *server, int fd, const struct control_peer *peer)
{
	struct control_client *client;
	enum role role;
	bool admitted = control_access_decide(&server->access, peer, &role);

	if (!make_room(server, peer, role))
		return false;
	client = control_client_create(&server->clients, fd);
	if (client == NULL)
		return false;
	client->session.admitted = admitted;
	client->session.role = role;
	client->session.uid = peer->uid;
	client->session.pid = peer->pid;
	control_client_begin(client);
	return true;
}

static void welcome(struct control_server *server, int fd)
{
	owned_fd connection = fd;
	struct control_peer peer;

	if (control_peer_init(&peer, connection, &server->access) && serve(server, connection, &peer))
		(void)take_fd(&connection);
	control_peer_finish(&peer);
}

static void pause_accepting(struct control_server *server, int code)
{
	log_warning("control: cannot accept a connection, trying again in a while: %s", strerror(code));
	ev_io_stop(server->loop, &server->acceptable);
	ev_timer_start(server->loop, &server->pause);
}

static void on_acceptable(struct ev_loop *loop, struct ev_io *watcher, int events)
{
	struct control_server *server = watcher->data;

	(void)loop;
	(void)events;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			welcome(server, fd);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			pause_accepting(server, errno);
			return;
		}
	}
}

static void on_pause_over(struct ev_loop *loop, struct ev_timer *watcher, int events)
{
	struct control_server *server = watcher->data;

	(void)events;
	ev_timer_stop(loop, watcher);
	ev_io_start(loop, &server->acceptable);
}

/** All that has happened in this turn is written at once. */
static void on_turn(struct ev_loop *loop, struct ev_prepare *watcher, int events)
{
	struct control_server *server = watcher->data;

	(void)loop;
	(void)events;
	control_clients_tend(&server->clients);
}

/**
 * With the group of the operators. When it may not be given to them, the site still serves: they are shut out, and the
 * log says why. A failure that has nothing to do with the group comes again.
 */
static int open_for_operators(struct listener_settings *settings, struct error *error)
{
	int fd = socket_open(settings, error);
	struct error again;

	if (fd >= 0 || settings->group == NULL)
		return fd;
	settings->group = NULL;
	fd = socket_open(settings, &again);
	if (fd >= 0)
		log_error("control socket: operator_group: %s", error->text);
	return fd;
}

/** A listener as the site's own: bound under another name, with its mode and group, and put into its place. */
static bool open_socket(struct control_server *server, const struct control_context *context, struct error *error)
{
	struct listener_settings settings = { .backlog = BACKLOG, .mode = context->settings->mode };

	settings.group = context->settings->operator_group;
	settings.address.kind = ADDRESS_UNIX;
	(void)snprintf(settings.address.path, sizeof(settings.address.path), "%s", context->path);
	server->address = settings.address;
	server->fd = open_for_operators(&settings, error);
	if (server->fd < 0)
		return error_wrap(error, "control socket");
	if (fcntl(server->fd, F_SETFL, O_NONBLOCK) < 0)
		return error_set_errno(error, ERROR_SYSTEM, errno, "control socket: fcntl");
	return true;
}

static void start_watchers(struct control_server *server)
{
	ev_io_init(&server->acceptable, on_acceptable, server->fd, EV_READ);
	ev_timer_init(&server->pause, on_pause_over, ACCEPT_PAUSE_S, 0.0);
	ev_prepare_init(&server->turn, on_turn);
	server->acceptable.data = server;
	server->pause.data = server;
	server->turn.data = server;
	ev_io_start(server->loop, &server->acceptable);
	ev_prepare_start(server->loop, &server->turn);
}

struct control_server *control_server_create(struct ev_loop *loop, struct supervisor *supervisor,
					     const struct control_context *context, struct error *error)
{
	struct control_server *server = calloc(1, sizeof(*server));

	if (server == NULL) {
		(void)error_set(error, ERROR_MEMORY, "no memory for the control server");
		return NULL;
	}
	server->loop = loop;
	server->fd = -1;
	if (!control_access_init(&server->access, context->settings, error) ||
	    !control_path_prepare(context->path, error) || !open_socket(server, context, error)) {
		close_fd(&server->fd);
		free(server);
		return NULL;
	}
	control_hub_init(&server->hub, supervisor, context);
	control_clients_init(&server->clients, loop, &server->hub);
	start_watchers(server);
	return server;
}

/** Waits for one client's socket to take more. */
static void flush_client(struct control_client *client, int64_t until_ms)
{
	while (control_output_write(&client->output, client->fd) && control_output_pending(&client->output) > 0) {
		struct pollfd writable = { .fd = client->fd, .events = POLLOUT };
		int64_t left_ms = until_ms - clock_monotonic_ms();

		if (left_ms <= 0)
			return;
		(void)poll(&writable, 1, (int)left_ms);
	}
}

void control_server_flush(struct control_server *server)
{
	int64_t until_ms = clock_monotonic_ms() + FLUSH_MS;

	if (server == NULL)
		return;
	list_for_each (link, &server->clients.all) {
		flush_client(list_entry(link, struct control_client, link), until_ms);
	}
}

void control_server_destroy(struct control_server *server)
{
	if (server == NULL)
		return;
	list_for_each (link, &server->clients.all) {
		control_client_destroy(list_entry(link, struct control_client, link));
	}
	control_hub_finish(&server->hub);
	ev_io_stop(server->loop, &server->acceptable);
	ev_timer_stop(server->loop, &server->pause);
	ev_prepare_stop(server->loop, &server->turn);
	socket_unlink(server->fd, &server->address);
	close_fd(&server->fd);
	free(server);
}
