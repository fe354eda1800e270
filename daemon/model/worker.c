#include "model/worker.h"

void worker_reset(struct worker *worker)
{
	struct output_ring output = worker->output;
	struct pool *pool = worker->pool;
	void *attachment = worker->attachment;

	output_ring_clear(&output);
	*worker = (struct worker){ .pool = pool, .output = output, .attachment = attachment };
	list_init(&worker->link);
	worker->deadline_ms = TIME_NEVER;
}

bool worker_is_live(const struct worker *worker)
{
	return worker->state == WORKER_STARTING || worker->state == WORKER_READY;
}

bool worker_is_leaving(const struct worker *worker)
{
	return !worker_is_live(worker) && worker->state != WORKER_GONE;
}
