#include "supervisor/worker_driver.h"

#include "supervisor/pool_driver.h"
#include "system/process.h"
#include "unicornd/protocol.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/** Time between ABRT and KILL for a worker whose core nobody wants: enough for a handler to print a stack. */
#define ABORT_GRACE_MS 500
/** Time between two KILLs of a process that does not die (uninterruptible sleep). */
#define KILL_RETRY_MS 1000

static const struct pool_settings *settings_of(const struct worker *worker)
{
	return worker->generation->settings;
}

/** Whether its silence means something now. */
static bool is_watched(const struct worker *worker)
{
	int mode = settings_of(worker)->heartbeat;

	return worker->state == WORKER_READY &&
	       (mode == HEARTBEAT_REQUIRED || (mode == HEARTBEAT_OPTIONAL && worker->has_beaten));
}

static int64_t deadline_of_state(const struct worker *worker, int64_t now_ms)
{
	const struct pool_settings *settings = settings_of(worker);

	switch (worker->state) {
	case WORKER_STARTING:
		return now_ms + settings->ready_timeout_ms;
	case WORKER_READY:
		return is_watched(worker) ? worker->beat_ms + settings->heartbeat_hard_ms : TIME_NEVER;
	case WORKER_DRAINING:
		return now_ms + settings->drain_timeout_ms;
	case WORKER_ABORTING:
		return now_ms + (settings->abort ? settings->abort_timeout_ms : ABORT_GRACE_MS);
	case WORKER_KILLING:
		return now_ms + KILL_RETRY_MS;
	case WORKER_GONE:
	case WORKER_STATE_COUNT:
		break;
	}
	return TIME_NEVER;
}

int64_t worker_driver_next(const struct worker *worker)
{
	const struct pool_settings *settings = settings_of(worker);
	int64_t next = worker->deadline_ms;

	if (worker->state == WORKER_STARTING && settings->ready.kind == READINESS_ALIVE &&
	    worker->started_ms + settings->ready.alive_ms < next)
		next = worker->started_ms + settings->ready.alive_ms;
	if (worker->state == WORKER_READY && !worker->good && worker->ready_ms + settings->min_ready_ms < next)
		next = worker->ready_ms + settings->min_ready_ms;
	if (is_watched(worker) && !worker->slow && worker->beat_ms + settings->heartbeat_soft_ms < next)
		next = worker->beat_ms + settings->heartbeat_soft_ms;
	return next;
}

static void send_signal(struct supervisor *supervisor, struct worker *worker, int signal)
{
	worker->sent_signal = signal;
	supervisor->effects.signal(supervisor->effects.context, worker, signal);
}

static void act_ready(struct supervisor *supervisor, struct worker *worker, int64_t now_ms)
{
	worker->was_ready = true;
	worker->ready_ms = now_ms;
	supervisor_note(supervisor, now_ms, EVENT_WORKER_READY, NULL, worker, "ready after %.3f s",
			(double)(now_ms - worker->started_ms) / 1000.0);
	for (size_t i = 0; i < worker->generation->listener_count; i++)
		supervisor->effects.adjust_listener(supervisor->effects.context, worker->generation->listeners[i]);
	pool_driver_worker_ready(supervisor, worker, now_ms);
}

/** What it was doing last, by its own word, behind what is said about it: " in GET /slow". */
struct doing {
	const char *in;
	const char *what;
};

static struct doing doing_of(const struct worker *worker, bool is_meant)
{
	bool is_known = is_meant && worker->request[0] != '\0';

	return (struct doing){ .in = is_known ? " in " : "", .what = is_known ? worker->request : "" };
}

/** The event that tells of the new state, with its reason. */
static void note_state(struct supervisor *supervisor, const struct worker *worker, enum worker_state before,
		       int64_t now_ms)
{
	const char *from = worker_state_name(before);
	const char *why = worker->cause != CAUSE_NONE ? cause_words(worker->cause) : "as ordered";
	bool is_late = before == WORKER_DRAINING && worker->state == WORKER_KILLING;
	struct doing doing = doing_of(worker, is_late || worker->cause == CAUSE_SILENT);

	switch (worker->state) {
	case WORKER_DRAINING:
		supervisor_note(supervisor, now_ms, EVENT_WORKER_DRAINING, NULL, worker, "%s -> draining: %s", from,
				why);
		break;
	case WORKER_ABORTING:
		supervisor_note(supervisor, now_ms, EVENT_WORKER_ABORTING, NULL, worker, "%s -> aborting: %s%s%s", from,
				why, doing.in, doing.what);
		break;
	case WORKER_KILLING:
		supervisor_note(supervisor, now_ms, EVENT_WORKER_KILLING, NULL, worker, "%s -> killing: %s%s%s", from,
				is_late ? "not gone within drain_timeout" : why, doing.in, doing.what);
		break;
	case WORKER_STARTING:
	case WORKER_READY:
	case WORKER_GONE:
	case WORKER_STATE_COUNT:
		break;
	}
}

static void note_fault(struct worker *worker)
{
	if (worker->cause == CAUSE_NONE)
		worker->cause = worker->was_ready ? CAUSE_SILENT : CAUSE_NOT_READY;
}

static void act(struct supervisor *supervisor, struct worker *worker, unsigned actions, int64_t now_ms)
{
	if ((actions & WORKER_ACTION_ARM) != 0) {
		worker->deadline_ms = deadline_of_state(worker, now_ms);
		supervisor_wake_by(supervisor, worker_driver_next(worker));
	}
	if ((actions & WORKER_ACTION_DRAIN) != 0)
		send_signal(supervisor, worker, settings_of(worker)->stop_signal);
	if ((actions & WORKER_ACTION_ABORT) != 0)
		send_signal(supervisor, worker, SIGABRT);
	if ((actions & WORKER_ACTION_KILL) != 0)
		send_signal(supervisor, worker, SIGKILL);
	if ((actions & WORKER_ACTION_READY) != 0)
		act_ready(supervisor, worker, now_ms);
	if ((actions & WORKER_ACTION_GONE) != 0)
		pool_driver_worker_gone(supervisor, worker, now_ms);
}

static void handle(struct supervisor *supervisor, struct worker *worker, enum worker_event event, int64_t now_ms)
{
	const struct worker_transition *transition = worker_lifecycle(worker->state, event);
	enum worker_state before = worker->state;

	worker->state = transition->next;
	if (worker->state != before)
		worker->since_ms = now_ms;
	if ((transition->actions & WORKER_ACTION_FAULT) != 0)
		note_fault(worker);
	if (worker->state != before)
		note_state(supervisor, worker, before, now_ms);
	act(supervisor, worker, transition->actions, now_ms);
}

bool worker_driver_start(struct supervisor *supervisor, struct pool *pool, struct slot *slot, int64_t now_ms)
{
	struct worker *worker = pool_take_record(pool);

	if (worker == NULL)
		return false;
	worker->slot = slot->number;
	worker->generation = generation_reference(pool->target);
	worker->state = WORKER_STARTING;
	worker->started_ms = now_ms;
	worker->since_ms = now_ms;
	worker->beat_ms = now_ms;
	worker->deadline_ms = deadline_of_state(worker, now_ms);
	list_append(&pool->workers, &worker->link);
	supervisor_wake_by(supervisor, worker_driver_next(worker));
	supervisor->effects.spawn(supervisor->effects.context, worker);
	return true;
}

void worker_driver_order(struct supervisor *supervisor, struct worker *worker, enum worker_event order, int64_t now_ms)
{
	if (worker->state == WORKER_GONE)
		return;
	worker->ordered = true;
	handle(supervisor, worker, order, now_ms);
}

void worker_driver_became_ready(struct supervisor *supervisor, struct worker *worker, int64_t now_ms)
{
	/* Its silence counts from now; before the table arms the deadline. */
	if (worker->state == WORKER_STARTING)
		worker->beat_ms = now_ms;
	handle(supervisor, worker, WORKER_EVENT_BECAME_READY, now_ms);
}

void worker_driver_settings_changed(struct worker *worker, int64_t now_ms)
{
	if (worker->state != WORKER_READY)
		return;
	worker->beat_ms = now_ms;
	worker->deadline_ms = deadline_of_state(worker, now_ms);
}

static void beat(struct supervisor *supervisor, struct worker *worker, int64_t now_ms)
{
	worker->has_beaten = true;
	worker->slow = false;
	worker->beat_ms = now_ms;
	handle(supervisor, worker, WORKER_EVENT_HEARTBEAT, now_ms);
}

static void extend(struct supervisor *supervisor, struct worker *worker, uint64_t milliseconds, int64_t now_ms)
{
	bool may = worker->state == WORKER_STARTING || worker->state == WORKER_DRAINING;
	int64_t until = milliseconds < INT32_MAX ? now_ms + (int64_t)milliseconds : now_ms + INT32_MAX;

	if (!may)
		return;
	if (until > worker->deadline_ms)
		worker->deadline_ms = until;
	supervisor_wake_by(supervisor, worker->deadline_ms);
}

/** It condemns itself: as if its heartbeat had been missed. */
static void condemn(struct supervisor *supervisor, struct worker *worker, int64_t now_ms)
{
	if (worker_is_live(worker))
		handle(supervisor, worker, WORKER_EVENT_DEADLINE, now_ms);
}

static void keep_text(char *target, const struct status_message *message)
{
	size_t length = message->length < WORKER_TEXT_SIZE - 1 ? message->length : WORKER_TEXT_SIZE - 1;

	memcpy(target, message->text, length);
	target[length] = '\0';
}

void worker_driver_said(struct supervisor *supervisor, struct worker *worker, const struct status_message *message,
			int64_t now_ms)
{
	switch (message->key) {
	case STATUS_READY:
		if (settings_of(worker)->ready.kind == READINESS_MESSAGE)
			worker_driver_became_ready(supervisor, worker, now_ms);
		break;
	case STATUS_HEARTBEAT:
		beat(supervisor, worker, now_ms);
		break;
	case STATUS_TRIGGER:
		condemn(supervisor, worker, now_ms);
		break;
	case STATUS_STOPPING:
		if (worker_is_live(worker) && !worker->asked)
			pool_driver_worker_asked(supervisor, worker, now_ms);
		break;
	case STATUS_EXTEND:
		extend(supervisor, worker, message->number, now_ms);
		break;
	case STATUS_TEXT:
		keep_text(worker->status, message);
		break;
	case STATUS_REQUEST:
		keep_text(worker->request, message);
		break;
	case STATUS_BUSY:
		worker->busy = message->number;
		break;
	case STATUS_CONNECTIONS:
		worker->connections = message->number;
		break;
	case STATUS_REQUESTS:
		worker->requests = message->number;
		break;
	case STATUS_KEY_COUNT:
		break;
	}
}

static bool in_set(const uint64_t *bits, unsigned number)
{
	return (bits[number / 64] >> (number % 64) & 1) != 0;
}

/** Status 0, death by the signal that we sent, and the pool's own list. */
static bool is_clean(const struct worker *worker, int status)
{
	const struct exit_set *clean = &settings_of(worker)->clean_exits;

	if (WIFEXITED(status))
		return WEXITSTATUS(status) == 0 || in_set(clean->statuses, (unsigned)WEXITSTATUS(status));
	if (!WIFSIGNALED(status))
		return false;
	return (worker->sent_signal != 0 && WTERMSIG(status) == worker->sent_signal) ||
	       (WTERMSIG(status) < 64 && in_set(&clean->signals, (unsigned)WTERMSIG(status)));
}

static enum cause find_cause(const struct worker *worker, int status)
{
	if (worker->cause != CAUSE_NONE)
		return worker->cause;
	if (worker->failure[0] != '\0')
		return CAUSE_NOT_STARTED;
	if (worker->ordered)
		return CAUSE_STOPPED;
	if (WIFEXITED(status) && WEXITSTATUS(status) == UNICORND_EXIT_CONFIGURATION)
		return CAUSE_REFUSED;
	if (worker->was_ready && is_clean(worker, status))
		return worker->asked ? CAUSE_RECYCLED : CAUSE_FINISHED;
	return WIFSIGNALED(status) ? CAUSE_SIGNALLED : CAUSE_FAILED;
}

/** In words: what unicornd knew before, and what the kernel says. */
static void describe_exit(const struct worker *worker, int status, char *buffer, size_t size)
{
	struct doing doing = doing_of(worker, worker->cause == CAUSE_SILENT || worker->state == WORKER_KILLING);
	char ended[72 + WORKER_TEXT_SIZE];
	size_t length;

	if (worker->failure[0] != '\0') {
		(void)snprintf(buffer, size, "%s", worker->failure);
		return;
	}
	process_describe_exit(status, ended, sizeof(ended));
	length = strnlen(ended, 64);
	(void)snprintf(ended + length, sizeof(ended) - length, "%s%s", doing.in, doing.what);
	if (worker->cause == CAUSE_REFUSED)
		(void)snprintf(buffer, size, "%s", cause_words(worker->cause));
	else if (worker->cause == CAUSE_NOT_READY || worker->cause == CAUSE_SILENT)
		(void)snprintf(buffer, size, "%s (%s)", cause_words(worker->cause), ended);
	else if (worker->ordered && !cause_is_fault(worker->cause) && !is_clean(worker, status))
		(void)snprintf(buffer, size, "%s, but ended with %s", cause_words(worker->cause), ended);
	else if (worker->cause == CAUSE_RECYCLED)
		(void)snprintf(buffer, size, "%s (%s)", cause_words(worker->cause), ended);
	else if (!worker->was_ready && !worker->ordered)
		(void)snprintf(buffer, size, "%s before it was ready", ended);
	else
		(void)snprintf(buffer, size, "%s", ended);
}

void worker_driver_exited(struct supervisor *supervisor, struct worker *worker, const struct worker_exit *ended,
			  int64_t now_ms)
{
	struct last_exit *last = &pool_slot(worker->pool, worker->slot)->last_exit;

	if (ended->failure != NULL)
		(void)snprintf(worker->failure, sizeof(worker->failure), "%s", ended->failure);
	worker->cause = find_cause(worker, ended->status);
	last->known = true;
	last->cause = worker->cause;
	last->status = ended->status;
	last->pid = worker->pid;
	last->at_ms = now_ms;
	describe_exit(worker, ended->status, last->text, sizeof(last->text));
	supervisor_note(supervisor, now_ms, cause_is_fault(worker->cause) ? EVENT_WORKER_LOST : EVENT_WORKER_GONE, NULL,
			worker, "%s -> gone: %s", worker_state_name(worker->state), last->text);
	handle(supervisor, worker, WORKER_EVENT_EXITED, now_ms);
}

static void deadline_passed(struct supervisor *supervisor, struct worker *worker, int64_t now_ms)
{
	bool core = worker->state == WORKER_DRAINING && settings_of(worker)->abort;

	handle(supervisor, worker, core ? WORKER_EVENT_ABORT_ORDERED : WORKER_EVENT_DEADLINE, now_ms);
}

static void look_at_silence(struct supervisor *supervisor, struct worker *worker, int64_t now_ms)
{
	if (!is_watched(worker) || worker->slow || now_ms - worker->beat_ms < settings_of(worker)->heartbeat_soft_ms)
		return;
	worker->slow = true;
	supervisor_note(supervisor, now_ms, EVENT_WORKER_SLOW, NULL, worker, "no heartbeat for %.1f s%s%s",
			(double)(now_ms - worker->beat_ms) / 1000.0, worker->request[0] != '\0' ? " in " : "",
			worker->request);
}

void worker_driver_wake(struct supervisor *supervisor, struct worker *worker, int64_t now_ms)
{
	const struct pool_settings *settings = settings_of(worker);

	if (worker->state == WORKER_STARTING && settings->ready.kind == READINESS_ALIVE &&
	    now_ms - worker->started_ms >= settings->ready.alive_ms)
		worker_driver_became_ready(supervisor, worker, now_ms);
	if (worker->state == WORKER_READY && !worker->good && now_ms - worker->ready_ms >= settings->min_ready_ms)
		pool_driver_worker_good(supervisor, worker, now_ms);
	look_at_silence(supervisor, worker, now_ms);
	if (worker->deadline_ms <= now_ms)
		deadline_passed(supervisor, worker, now_ms);
}
