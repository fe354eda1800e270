#include "http_jobs.h"

#include "http_thread.h"

#include <pthread.h>
#include <stdlib.h>

/** Connections in the order of their coming; one is in one queue at most. */
struct queue {
	struct http_connection *first;
	struct http_connection **end;
};

struct http_jobs {
	struct ev_loop *loop;
	ev_async done_signal;
	pthread_mutex_t mutex;
	pthread_cond_t wanted_signal;
	struct queue wanted;
	struct queue done;
	bool is_ending;
	int thread_count;
	pthread_t threads[];
};

static void queue_init(struct queue *queue)
{
	queue->first = NULL;
	queue->end = &queue->first;
}

static void queue_put(struct queue *queue, struct http_connection *connection)
{
	connection->next_job = NULL;
	*queue->end = connection;
	queue->end = &connection->next_job;
}

static struct http_connection *queue_take(struct queue *queue)
{
	struct http_connection *connection = queue->first;

	if (connection == NULL)
		return NULL;
	queue->first = connection->next_job;
	if (queue->first == NULL)
		queue->end = &queue->first;
	return connection;
}

static void *run(void *argument)
{
	struct http_jobs *jobs = argument;
	struct http_connection *connection;

	(void)pthread_mutex_lock(&jobs->mutex);
	while (!jobs->is_ending) {
		connection = queue_take(&jobs->wanted);
		if (connection == NULL) {
			(void)pthread_cond_wait(&jobs->wanted_signal, &jobs->mutex);
			continue;
		}
		(void)pthread_mutex_unlock(&jobs->mutex);
		http_connection_call(connection);
		(void)pthread_mutex_lock(&jobs->mutex);
		queue_put(&jobs->done, connection);
		ev_async_send(jobs->loop, &jobs->done_signal);
	}
	(void)pthread_mutex_unlock(&jobs->mutex);
	return NULL;
}

static void on_done(struct ev_loop *loop, ev_async *done_signal, int events)
{
	struct http_jobs *jobs = done_signal->data;
	struct http_connection *connection;

	(void)loop;
	(void)events;
	for (;;) {
		(void)pthread_mutex_lock(&jobs->mutex);
		connection = queue_take(&jobs->done);
		(void)pthread_mutex_unlock(&jobs->mutex);
		if (connection == NULL)
			return;
		http_connection_settle(connection);
	}
}

static void start_threads(struct http_jobs *jobs, int threads)
{
	while (jobs->thread_count < threads && http_thread_start(&jobs->threads[jobs->thread_count], run, jobs))
		jobs->thread_count++;
}

struct http_jobs *http_jobs_create(struct ev_loop *loop, int threads)
{
	struct http_jobs *jobs = calloc(1, sizeof(*jobs) + (size_t)threads * sizeof(jobs->threads[0]));

	if (jobs == NULL)
		return NULL;
	jobs->loop = loop;
	queue_init(&jobs->wanted);
	queue_init(&jobs->done);
	(void)pthread_mutex_init(&jobs->mutex, NULL);
	(void)pthread_cond_init(&jobs->wanted_signal, NULL);
	ev_async_init(&jobs->done_signal, on_done);
	jobs->done_signal.data = jobs;
	ev_async_start(loop, &jobs->done_signal);
	start_threads(jobs, threads);
	if (jobs->thread_count == threads)
		return jobs;
	http_jobs_destroy(jobs);
	return NULL;
}

int http_jobs_threads(const struct http_jobs *jobs)
{
	return jobs->thread_count;
}

void http_jobs_destroy(struct http_jobs *jobs)
{
	if (jobs == NULL)
		return;
	(void)pthread_mutex_lock(&jobs->mutex);
	jobs->is_ending = true;
	(void)pthread_cond_broadcast(&jobs->wanted_signal);
	(void)pthread_mutex_unlock(&jobs->mutex);
	for (int i = 0; i < jobs->thread_count; i++)
		(void)pthread_join(jobs->threads[i], NULL);
	ev_async_stop(jobs->loop, &jobs->done_signal);
	(void)pthread_cond_destroy(&jobs->wanted_signal);
	(void)pthread_mutex_destroy(&jobs->mutex);
	free(jobs);
}

void http_jobs_add(struct http_jobs *jobs, struct http_connection *connection)
{
	(void)pthread_mutex_lock(&jobs->mutex);
	queue_put(&jobs->wanted, connection);
	(void)pthread_cond_signal(&jobs->wanted_signal);
	(void)pthread_mutex_unlock(&jobs->mutex);
}
