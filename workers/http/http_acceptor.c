#include "http_acceptor.h"

#include "http_thread.h"

#include <errno.h>
#include <ev.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long a listener is missing when the kernel has no memory for watching it. */
#define RETRY_MS 100
/* Nothing is handed over. */
#define NOTHING INT32_MIN

struct http_acceptor {
	struct ev_loop *loop;
	ev_io handed_over;
	http_accepted *accepted;
	void *context;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	int epoll;
	int wake;     /* makes the thread look at what is below */
	int told;     /* wakes the loop; not an ev_async, which stays silent while the loop is a guest of another one */
	int missing;  /* a listener that could not be watched again, or -1 */
	int result;   /* a descriptor or an error for the loop, or NOTHING */
	bool is_held; /* until the loop has come to rest */
	bool is_wanted;
	bool is_ending;
};

static bool watch(const struct http_acceptor *acceptor, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(acceptor->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

/** Watches a listener as the last of those who wait for it. */
static void watch_last(struct http_acceptor *acceptor, int fd)
{
	acceptor->missing = watch(acceptor, fd, EPOLLIN | EPOLLEXCLUSIVE) ? -1 : fd;
}

/** To the end of the queue of those who wait for this socket; not while another one is missing. */
static void requeue(struct http_acceptor *acceptor, int fd)
{
	if (acceptor->missing >= 0 || epoll_ctl(acceptor->epoll, EPOLL_CTL_DEL, fd, NULL) != 0)
		return;
	watch_last(acceptor, fd);
}

static void signal_event(int fd)
{
	uint64_t one = 1;

	/* It fails when the counter is full: then the other side wakes up anyway. */
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

static void clear_event(int fd)
{
	uint64_t count;

	while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
		continue;
}

/** Waits for one connection. @return as struct http_acceptor's result */
static int accept_one(struct http_acceptor *acceptor)
{
	struct epoll_event event;
	int fd;

	if (acceptor->missing >= 0)
		watch_last(acceptor, acceptor->missing);
	if (epoll_wait(acceptor->epoll, &event, 1, acceptor->missing >= 0 ? RETRY_MS : -1) < 1)
		return NOTHING;
	if (event.data.fd == acceptor->wake) {
		clear_event(acceptor->wake);
		return NOTHING;
	}
	fd = accept4(event.data.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		fd = errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ? NOTHING : -errno;
	requeue(acceptor, event.data.fd);
	return fd;
}

static void *run(void *argument)
{
	struct http_acceptor *acceptor = argument;

	(void)pthread_mutex_lock(&acceptor->mutex);
	while (!acceptor->is_ending) {
		int result;

		if (acceptor->is_held || !acceptor->is_wanted) {
			(void)pthread_cond_wait(&acceptor->changed, &acceptor->mutex);
			continue;
		}
		(void)pthread_mutex_unlock(&acceptor->mutex);
		result = accept_one(acceptor);
		(void)pthread_mutex_lock(&acceptor->mutex);
		if (result == NOTHING)
			continue;
		acceptor->result = result;
		acceptor->is_held = true;
		signal_event(acceptor->told);
	}
	(void)pthread_mutex_unlock(&acceptor->mutex);
	return NULL;
}

static void hand_over(struct http_acceptor *acceptor)
{
	int result;

	(void)pthread_mutex_lock(&acceptor->mutex);
	result = acceptor->result;
	acceptor->result = NOTHING;
	(void)pthread_mutex_unlock(&acceptor->mutex);
	if (result != NOTHING)
		acceptor->accepted(acceptor->context, result);
}

static void on_handed_over(struct ev_loop *loop, ev_io *handed_over, int events)
{
	(void)loop;
	(void)events;
	clear_event(handed_over->fd);
	hand_over(handed_over->data);
}

static void release(struct http_acceptor *acceptor)
{
	const int fds[] = { acceptor->epoll, acceptor->wake, acceptor->told };

	ev_io_stop(acceptor->loop, &acceptor->handed_over);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]);
	}
	(void)pthread_cond_destroy(&acceptor->changed);
	(void)pthread_mutex_destroy(&acceptor->mutex);
	free(acceptor);
}

/** @return false when something is not to be had; what is comes back by release() */
static bool watch_all(struct http_acceptor *acceptor, const int *listeners, int count)
{
	bool is_right = acceptor->epoll >= 0 && acceptor->wake >= 0 && acceptor->told >= 0 &&
			watch(acceptor, acceptor->wake, EPOLLIN);

	for (int i = 0; is_right && i < count; i++)
		is_right = watch(acceptor, listeners[i], EPOLLIN | EPOLLEXCLUSIVE);
	if (is_right)
		ev_io_start(acceptor->loop, &acceptor->handed_over);
	return is_right;
}

struct http_acceptor *http_acceptor_create(struct ev_loop *loop, const int *listeners, int count,
					   http_accepted *accepted, void *context)
{
	struct http_acceptor *acceptor = calloc(1, sizeof(*acceptor));

	if (acceptor == NULL)
		return NULL;
	acceptor->loop = loop;
	acceptor->accepted = accepted;
	acceptor->context = context;
	acceptor->missing = -1;
	acceptor->result = NOTHING;
	acceptor->is_wanted = true;
	(void)pthread_mutex_init(&acceptor->mutex, NULL);
	(void)pthread_cond_init(&acceptor->changed, NULL);
	acceptor->epoll = epoll_create1(EPOLL_CLOEXEC);
	acceptor->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	acceptor->told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ev_io_init(&acceptor->handed_over, on_handed_over, acceptor->told, EV_READ);
	acceptor->handed_over.data = acceptor;
	if (watch_all(acceptor, listeners, count) && http_thread_start(&acceptor->thread, run, acceptor))
		return acceptor;
	release(acceptor);
	return NULL;
}

void http_acceptor_destroy(struct http_acceptor *acceptor)
{
	if (acceptor == NULL)
		return;
	(void)pthread_mutex_lock(&acceptor->mutex);
	acceptor->is_ending = true;
	(void)pthread_cond_signal(&acceptor->changed);
	(void)pthread_mutex_unlock(&acceptor->mutex);
	signal_event(acceptor->wake);
	(void)pthread_join(acceptor->thread, NULL);
	hand_over(acceptor);
	release(acceptor);
}

void http_acceptor_set_wanted(struct http_acceptor *acceptor, bool is_wanted)
{
	(void)pthread_mutex_lock(&acceptor->mutex);
	acceptor->is_wanted = is_wanted;
	(void)pthread_cond_signal(&acceptor->changed);
	(void)pthread_mutex_unlock(&acceptor->mutex);
	if (!is_wanted)
		signal_event(acceptor->wake);
}

void http_acceptor_allow(struct http_acceptor *acceptor)
{
	(void)pthread_mutex_lock(&acceptor->mutex);
	if (acceptor->is_held && acceptor->result == NOTHING) {
		acceptor->is_held = false;
		(void)pthread_cond_signal(&acceptor->changed);
	}
	(void)pthread_mutex_unlock(&acceptor->mutex);
}
