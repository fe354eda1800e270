/*
 * worker_accept.c - libunicornworker: the order to stop, and the wait for a connection that notices everything else.
 */
#include "unicornd/worker.h"

#include "worker_stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Pause after an accept that failed for want of descriptors or memory: the listener stays readable all the time. */
#define ACCEPT_PAUSE_MS 100

/* What is polled: the fixed ones first, the listeners behind them. */
enum { POLLED_STOP, POLLED_STATUS, POLLED_LISTENERS };

static atomic_bool is_stopping;

/*
 * Readable once the end was ordered. A flag alone could change between its check and the poll; ppoll(2) would close
 * that gap for SIGTERM, this descriptor closes it for any signal, and when the handler ran in another thread.
 */
static atomic_int stop_descriptor = -1;

/* The accepting thread's own: header says that there is one. */
static int64_t next_beat_ms;
static int64_t accept_again_ms;
static int last_listener;
static struct pollfd polled[POLLED_LISTENERS + UNICORN_WORKER_LISTENERS_MAX];

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool unicorn_worker_is_stopping(void)
{
	return atomic_load(&is_stopping);
}

void unicorn_worker_order_stop(void)
{
	int saved_errno = errno;
	uint64_t one = 1;

	atomic_store(&is_stopping, true);
	/* It fails when the counter is full: then it is readable already. */
	if (write(atomic_load(&stop_descriptor), &one, sizeof(one)) < 0)
		errno = saved_errno;
}

static void handle_stop_signal(int number)
{
	(void)number;
	unicorn_worker_order_stop();
}

int unicorn_worker_stop_prepare(void)
{
	/* With SA_RESTART the order to stop does not break the read of the request that is being served. */
	struct sigaction action = { .sa_handler = handle_stop_signal, .sa_flags = SA_RESTART };
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	fd = atomic_exchange(&stop_descriptor, fd);
	if (fd >= 0)
		(void)close(fd);
	atomic_store(&is_stopping, false);
	next_beat_ms = 0;
	accept_again_ms = 0;
	return sigaction(SIGTERM, &action, NULL) != 0 ? -errno : 0;
}

/** Beats when it is time. @return milliseconds until the next beat, -1 when none is wanted */
static int64_t beat_when_due(const struct unicorn_worker *worker, int64_t now)
{
	if (worker->heartbeat_ms == 0)
		return -1;
	if (now >= next_beat_ms) {
		/* A full pipe is full of beats, and that the daemon is gone is what the poll tells. */
		(void)unicorn_worker_beat(worker);
		next_beat_ms = now + worker->heartbeat_ms;
	}
	return next_beat_ms - now;
}

/** Waits until something happens or it is time to beat or to accept again. @return 0 or a negative errno value */
static int wait_for_events(const struct unicorn_worker *worker)
{
	int64_t now = now_ms();
	int64_t timeout = beat_when_due(worker, now);
	bool is_pausing = now < accept_again_ms;
	nfds_t count = POLLED_LISTENERS + (is_pausing ? 0 : (nfds_t)worker->listener_count);

	if (is_pausing && (timeout < 0 || timeout > accept_again_ms - now))
		timeout = accept_again_ms - now;
	if (timeout > 3600 * 1000)
		timeout = 3600 * 1000;
	polled[POLLED_STOP] = (struct pollfd){ .fd = atomic_load(&stop_descriptor), .events = POLLIN };
	/* No events are asked for: an error, the daemon's end being closed, is reported all the same. */
	polled[POLLED_STATUS] = (struct pollfd){ .fd = worker->status_fd };
	for (int i = 0; i < worker->listener_count; i++)
		polled[POLLED_LISTENERS + i] = (struct pollfd){ .fd = worker->first_listener + i, .events = POLLIN };
	return poll(polled, count, (int)timeout) < 0 && errno != EINTR ? -errno : 0;
}

/**
 * Other workers wait for the same connection. In a blocking accept the loser would sleep, deaf to everything else;
 * accept(2) knows no flag for one call, so the shared socket is made non-blocking, each time: a neighbour may undo it.
 */
static int accept_now(int listener)
{
	int flags = fcntl(listener, F_GETFL);
	int fd;

	if (flags < 0)
		return -errno;
	if ((flags & O_NONBLOCK) == 0 && fcntl(listener, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/** @return -EAGAIN for what the next connection may not suffer from, else the error */
static int accept_error_judge(int error)
{
	switch (-error) {
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
	case EOPNOTSUPP:
		return error;
	case EAGAIN:
	case ECONNABORTED:
	case EINTR:
		return -EAGAIN;
	default:
		/* Out of descriptors or memory, a firewall, a broken network. */
		accept_again_ms = now_ms() + ACCEPT_PAUSE_MS;
		return -EAGAIN;
	}
}

/** Accepts from the first listener that has something, beginning behind the last one that had. */
static int accept_from_any(const struct unicorn_worker *worker)
{
	for (int i = 1; i <= worker->listener_count; i++) {
		int listener = (last_listener + i) % worker->listener_count;
		int fd;

		if (polled[POLLED_LISTENERS + listener].revents == 0)
			continue;
		fd = accept_now(worker->first_listener + listener);
		if (fd < 0)
			fd = accept_error_judge(fd);
		if (fd == -EAGAIN)
			continue;
		last_listener = listener;
		return fd;
	}
	return -EAGAIN;
}

/** After fork(2) the descriptor is shared: an order to the child wakes the parent, which must not spin on it. */
static void forget_the_order_of_another(void)
{
	uint64_t orders;

	if (polled[POLLED_STOP].revents != 0 && read(polled[POLLED_STOP].fd, &orders, sizeof(orders)) < 0)
		polled[POLLED_STOP].revents = 0;
}

int unicorn_worker_accept(const struct unicorn_worker *worker)
{
	if (worker->listener_count == 0)
		return -EINVAL;
	while (!unicorn_worker_is_stopping()) {
		int result = wait_for_events(worker);

		if (result != 0)
			return result;
		/* From here on everybody who asks is told to stop, not only our caller. */
		if (polled[POLLED_STATUS].revents != 0)
			unicorn_worker_order_stop();
		if (unicorn_worker_is_stopping())
			break;
		forget_the_order_of_another();
		result = accept_from_any(worker);
		if (result != -EAGAIN)
			return result;
	}
	return -1;
}
