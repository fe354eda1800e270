#include "worker_beats.h"

#include "http_thread.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A call that takes longer than this, or than the time between two beats, is told about. */
#define TELL_AFTER_MS 1000
/* Threads of the pool beyond this number are not watched one by one; --threads allows no more. */
#define CALLS_MAX        1024
#define CALL_TEXT_BYTES  200
#define METHOD_BYTES_MAX 32
#define PATH_BYTES_MAX   (CALL_TEXT_BYTES - METHOD_BYTES_MAX - 2)

/** A call of the application that runs. */
struct call {
	int64_t begun_ms;
	int depth; /* 0: none; in the async worker a call may lead to others, and the first one is meant */
	char text[CALL_TEXT_BYTES];
};

struct figures {
	int64_t busy;
	int64_t connections;
	int64_t requests;
};

static const struct unicorn_worker *worker;
static struct http_server *server;
static int64_t limit_ms;
static int64_t tell_after_ms;
static pthread_t thread;
static bool is_running;
static bool is_ending;
static bool is_resting; /* the thread waits for a call */
static bool was_called; /* since the thread has looked the last time */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake_signal;
static struct call calls[CALLS_MAX];
static int call_count;
static _Thread_local struct call *own_call;
static struct figures figures; /* as they were when the loop's thread began its call */
static struct figures told_figures = { -1, -1, -1 };

static int64_t now_ms(void)
{
	struct timespec now;

	/* The coarse clock: it is read for every call of the application. */
	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the calls; all under the mutex */

static void note_request(struct call *call, const struct unicorn_head *head)
{
	size_t method = head->method_length < METHOD_BYTES_MAX ? head->method_length : METHOD_BYTES_MAX;
	size_t path = head->path_length < PATH_BYTES_MAX ? head->path_length : PATH_BYTES_MAX;

	memcpy(call->text, head->method, method);
	call->text[method] = ' ';
	memcpy(call->text + method + 1, head->path, path);
	call->text[method + 1 + path] = '\0';
}

static void begin_call(struct call *call, const struct unicorn_request *request)
{
	if (call->depth++ > 0)
		return;
	note_request(call, unicorn_request_head(request));
	call->begun_ms = now_ms();
	/* With threads the loop goes on, and tells the figures itself. */
	if (server->jobs == NULL)
		figures = (struct figures){ server->busy_count, server->connection_count, server->request_count };
	was_called = true;
	if (is_resting)
		(void)pthread_cond_signal(&wake_signal);
}

static void on_call(const struct unicorn_request *request)
{
	(void)pthread_mutex_lock(&mutex);
	if (own_call == NULL && call_count < CALLS_MAX)
		own_call = &calls[call_count++];
	if (own_call != NULL && request != NULL)
		begin_call(own_call, request);
	else if (own_call != NULL)
		own_call->depth--;
	(void)pthread_mutex_unlock(&mutex);
}

/** The call that has taken longest. */
static const struct call *oldest_call(void)
{
	const struct call *oldest = NULL;

	for (int i = 0; i < call_count; i++) {
		if (calls[i].depth > 0 && (oldest == NULL || calls[i].begun_ms < oldest->begun_ms))
			oldest = &calls[i];
	}
	return oldest;
}

/* ---- what is told; all under the mutex */

static void say_figures(const struct figures *now)
{
	if (memcmp(&told_figures, now, sizeof(*now)) == 0)
		return;
	told_figures = *now;
	(void)unicorn_worker_figures(worker, (uint64_t)now->busy, (uint64_t)now->connections, (uint64_t)now->requests);
}

static void say_request(const char *text)
{
	static char told[CALL_TEXT_BYTES];

	if (strcmp(told, text) == 0)
		return;
	(void)unicorn_worker_request(worker, text);
	(void)snprintf(told, sizeof(told), "%s", text);
}

static void tell(void)
{
	const struct call *oldest = oldest_call();
	int64_t age_ms = oldest != NULL ? now_ms() - oldest->begun_ms : 0;
	bool is_long = oldest != NULL && age_ms >= tell_after_ms;

	say_request(is_long ? oldest->text : "");
	if (is_long && server->jobs == NULL)
		say_figures(&figures);
	if (!server->settings.is_async && (limit_ms == 0 || age_ms <= limit_ms))
		(void)unicorn_worker_beat(worker);
}

void worker_beats_say_figures(void)
{
	struct figures now = { server->busy_count, server->connection_count, server->request_count };

	(void)pthread_mutex_lock(&mutex);
	say_figures(&now);
	(void)pthread_mutex_unlock(&mutex);
}

/* ---- the thread */

static void wait_for_beat(struct timespec *next)
{
	next->tv_sec += worker->heartbeat_ms / 1000;
	next->tv_nsec += worker->heartbeat_ms % 1000 * 1000000;
	if (next->tv_nsec >= 1000000000) {
		next->tv_nsec -= 1000000000;
		next->tv_sec++;
	}
	(void)pthread_cond_timedwait(&wake_signal, &mutex, next);
}

/** An idle worker that has nothing to say does not wake up for it. */
static void rest(struct timespec *next)
{
	is_resting = true;
	while (!was_called && !is_ending)
		(void)pthread_cond_wait(&wake_signal, &mutex);
	is_resting = false;
	(void)clock_gettime(CLOCK_MONOTONIC, next);
}

static void *run(void *unused)
{
	struct timespec next;

	(void)pthread_mutex_lock(&mutex);
	(void)clock_gettime(CLOCK_MONOTONIC, &next);
	while (!is_ending) {
		tell();
		if (server->settings.is_async && !was_called && oldest_call() == NULL)
			rest(&next);
		was_called = false;
		wait_for_beat(&next);
	}
	(void)pthread_mutex_unlock(&mutex);
	return unused;
}

bool worker_beats_start(struct http_server *the_server, const struct unicorn_worker *the_worker, int64_t the_limit_ms)
{
	pthread_condattr_t attributes;

	server = the_server;
	worker = the_worker;
	limit_ms = the_limit_ms;
	tell_after_ms = worker->heartbeat_ms < TELL_AFTER_MS ? worker->heartbeat_ms : TELL_AFTER_MS;
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&wake_signal, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	is_running = http_thread_start(&thread, run, NULL);
	if (is_running)
		server->on_call = on_call;
	return is_running;
}

void worker_beats_stop(void)
{
	if (!is_running)
		return;
	(void)pthread_mutex_lock(&mutex);
	is_ending = true;
	(void)pthread_cond_signal(&wake_signal);
	(void)pthread_mutex_unlock(&mutex);
	(void)pthread_join(thread, NULL);
	is_running = false;
}
