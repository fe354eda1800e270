#include "supervisor/worker_output.h"

#include <string.h>

/** Longest line that is logged and matched in one piece. */
#define LINE_MAX_BYTES 2048

static bool is_ready_line(const struct worker *worker, const char *line)
{
	return worker->state == WORKER_STARTING && worker->generation->has_pattern &&
	       regexec(&worker->generation->pattern, line, 0, NULL, 0) == 0;
}

static bool finish_line(struct worker *worker)
{
	const struct log_subject subject = {
		.pool = worker->pool->name,
		.slot = worker->slot,
		.generation = worker->generation->number,
		.pid = worker->pid,
	};
	char line[LINE_MAX_BYTES + 1];
	size_t length = worker->line_length < LINE_MAX_BYTES ? worker->line_length : LINE_MAX_BYTES;

	length = output_ring_copy_last(&worker->output, line, length);
	worker->line_length = 0;
	while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
		length--;
	line[length] = '\0';
	if (length == 0)
		return false;
	log_output(&subject, line, length);
	return is_ready_line(worker, line);
}

bool worker_output_take(struct supervisor *supervisor, struct worker *worker, const char *bytes, size_t length)
{
	bool ready = false;

	list_for_each (link, &supervisor->observers) {
		struct observer *observer = list_entry(link, struct observer, link);
		if (observer->output != NULL)
			observer->output(observer->context, worker, bytes, length);
	}
	while (length > 0) {
		const char *newline = memchr(bytes, '\n', length);
		size_t part = newline != NULL ? (size_t)(newline - bytes) + 1 : length;
		if (part > LINE_MAX_BYTES - worker->line_length)
			part = LINE_MAX_BYTES - worker->line_length;
		output_ring_append(&worker->output, bytes, part);
		worker->line_length += part;
		if (bytes[part - 1] == '\n' || worker->line_length == LINE_MAX_BYTES)
			ready = finish_line(worker) || ready;
		bytes += part;
		length -= part;
	}
	return ready;
}

void worker_output_end(struct worker *worker)
{
	if (worker->line_length > 0)
		(void)finish_line(worker);
}
