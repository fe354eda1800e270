#include "worker_beats.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A call that takes longer than this is told about. */
#define TELL_AFTER_MS 1000
/* Threads of the pool beyond this number are not watched one by one; --threads allows no more. */
#define CALLS_MAX 1024
#define CALL_TEXT_BYTES 200

/** A call of the application that runs. */
struct call {
	int64_t begun_ms; /* 0: none */
	char text[CALL_TEXT_BYTES];
};

static const struct unicorn_worker *worker;
static int64_t limit_ms;
static pthread_t thread;
static bool is_running;
static bool is_ending;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ending_signal;
static struct call calls[CALLS_MAX];
static int call_count;
static _Thread_local struct call *own_call;

static int64_t now_ms(void)
{
	struct timespec now;

	/* The coarse clock: it is read twice for every call of the application. */
	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void on_call(const struct unicorn_request *request)
{
	const struct unicorn_head *head;

	(void)pthread_mutex_lock(&mutex);
	if (own_call == NULL && call_count < CALLS_MAX)
		own_call = &calls[call_count++];
	if (own_call != NULL && request != NULL) {
		size_t method;
		size_t path;

		head = unicorn_request_head(request);
		method = head->method_length < 32 ? head->method_length : 32;
		path = head->path_length < CALL_TEXT_BYTES - 40 ? head->path_length : CALL_TEXT_BYTES - 40;
		memcpy(own_call->text, head->method, method);
		own_call->text[method] = ' ';
		memcpy(own_call->text + method + 1, head->path, path);
		own_call->text[method + 1 + path] = '\0';
		own_call->begun_ms = now_ms();
	} else if (own_call != NULL) {
		own_call->begun_ms = 0;
	}
	(void)pthread_mutex_unlock(&mutex);
}

/** The call that has taken longest; under the mutex. */
static const struct call *oldest_call(void)
{
	const struct call *oldest = NULL;

	for (int i = 0; i < call_count; i++) {
		if (calls[i].begun_ms != 0 && (oldest == NULL || calls[i].begun_ms < oldest->begun_ms))
			oldest = &calls[i];
	}
	return oldest;
}

static void beat(void)
{
	static char told[CALL_TEXT_BYTES];
	const struct call *oldest = oldest_call();
	int64_t age_ms = oldest != NULL ? now_ms() - oldest->begun_ms : 0;
	const char *text = age_ms >= TELL_AFTER_MS ? oldest->text : "";

	if (strcmp(told, text) != 0) {
		(void)unicorn_worker_request(worker, text);
		(void)snprintf(told, sizeof(told), "%s", text);
	}
	if (limit_ms == 0 || age_ms <= limit_ms)
		(void)unicorn_worker_beat(worker);
}

static void *run(void *unused)
{
	struct timespec next;

	(void)pthread_mutex_lock(&mutex);
	(void)clock_gettime(CLOCK_MONOTONIC, &next);
	while (!is_ending) {
		beat();
		next.tv_sec += worker->heartbeat_ms / 1000;
		next.tv_nsec += worker->heartbeat_ms % 1000 * 1000000;
		if (next.tv_nsec >= 1000000000) {
			next.tv_nsec -= 1000000000;
			next.tv_sec++;
		}
		(void)pthread_cond_timedwait(&ending_signal, &mutex, &next);
	}
	(void)pthread_mutex_unlock(&mutex);
	return unused;
}

bool worker_beats_start(struct http_server *server, const struct unicorn_worker *the_worker, int64_t the_limit_ms)
{
	pthread_condattr_t attributes;
	sigset_t all;
	sigset_t before;

	worker = the_worker;
	limit_ms = the_limit_ms;
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&ending_signal, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	is_running = pthread_create(&thread, NULL, run, NULL) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
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
	(void)pthread_cond_signal(&ending_signal);
	(void)pthread_mutex_unlock(&mutex);
	(void)pthread_join(thread, NULL);
	is_running = false;
}
