#include "fake_world.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/** Wake-ups at one time after which the supervisor is said to spin. */
#define WAKES_MAX 1000

const struct fake_behaviour fake_good = {
	.ready_ms = 50,
	.end_ms = TIME_NEVER,
	.beat_ms = 1000,
	.silent_ms = TIME_NEVER,
	.stopping_ms = TIME_NEVER,
	.trigger_ms = TIME_NEVER,
	.extend_ms = TIME_NEVER,
	.drain_ms = 20,
};

int fake_exit(int status)
{
	return W_EXITCODE(status, 0);
}

int fake_signal(int signal)
{
	return W_EXITCODE(0, signal);
}

/* ---- chance */

static uint64_t next_random(struct fake_world *world)
{
	uint64_t z = (world->random += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

unsigned fake_world_random(struct fake_world *world, unsigned limit)
{
	return (unsigned)(next_random(world) % limit);
}

bool fake_world_chance(struct fake_world *world, unsigned in_thousand)
{
	return fake_world_random(world, 1000) < in_thousand;
}

static double give_random(void *context)
{
	return (double)(next_random(context) >> 11) / 9007199254740992.0;
}

/* ---- the queue: a heap, the earliest on top */

static bool is_earlier(const struct fake_event *a, const struct fake_event *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void swap_events(struct fake_event *a, struct fake_event *b)
{
	struct fake_event kept = *a;

	*a = *b;
	*b = kept;
}

static void push(struct fake_world *world, const struct fake_event *event)
{
	size_t child = world->event_count++;

	require(child < FAKE_EVENTS_MAX, "too many events");
	world->events[child] = *event;
	world->events[child].order = (uint32_t)next_random(world);
	while (child > 0 && is_earlier(&world->events[child], &world->events[(child - 1) / 2])) {
		swap_events(&world->events[child], &world->events[(child - 1) / 2]);
		child = (child - 1) / 2;
	}
}

static struct fake_event pop(struct fake_world *world)
{
	struct fake_event top = world->events[0];
	size_t parent = 0;

	world->events[0] = world->events[--world->event_count];
	for (;;) {
		size_t child = 2 * parent + 1;
		if (child + 1 < world->event_count && is_earlier(&world->events[child + 1], &world->events[child]))
			child++;
		if (child >= world->event_count || !is_earlier(&world->events[child], &world->events[parent]))
			break;
		swap_events(&world->events[child], &world->events[parent]);
		parent = child;
	}
	return top;
}

/** Queues an event of a process `after_ms` from now; TIME_NEVER: does not. */
static void queue(struct fake_world *world, struct fake_process *process, int64_t after_ms, struct fake_event event)
{
	if (after_ms == TIME_NEVER)
		return;
	event.at_ms = world->now_ms + after_ms;
	event.process = process;
	event.pid = process->pid;
	push(world, &event);
}

/* ---- processes */

struct fake_process *fake_world_process(const struct fake_world *world, pid_t pid)
{
	for (int i = 0; i < world->process_count; i++) {
		if (world->processes[i].state != FAKE_FREE && world->processes[i].pid == pid)
			return &world->processes[i];
	}
	return NULL;
}

int fake_world_processes(const struct fake_world *world)
{
	return (int)(world->spawns - world->exits);
}

static struct fake_process *find_process(const struct fake_world *world, const struct worker *worker)
{
	for (int i = 0; i < world->process_count; i++) {
		if (world->processes[i].state != FAKE_FREE && world->processes[i].worker == worker)
			return &world->processes[i];
	}
	return NULL;
}

/** Plans the end of a process; the earliest end counts, and an end that is due cannot be changed any more. */
static void plan_end(struct fake_world *world, struct fake_process *process, int64_t after_ms, int status)
{
	if (after_ms == TIME_NEVER || process->end_at_ms <= world->now_ms + after_ms)
		return;
	process->end_at_ms = world->now_ms + after_ms;
	process->end_status = status;
	process->end_number = ++world->last_number;
	queue(world, process, after_ms, (struct fake_event){ .kind = FAKE_EVENT_ENDS, .number = process->end_number });
}

void fake_world_end(struct fake_world *world, pid_t pid, int status)
{
	struct fake_process *process = fake_world_process(world, pid);

	require(process != NULL, "there is no process %d", (int)pid);
	plan_end(world, process, 0, status);
}

static void take_signal(struct fake_world *world, struct fake_process *process, int signal)
{
	const struct fake_behaviour *behaviour = &process->behaviour;

	process->signals++;
	if (signal == SIGKILL)
		plan_end(world, process, behaviour->kill_ms, fake_signal(SIGKILL));
	else if (signal == SIGABRT)
		plan_end(world, process, behaviour->abort_ms, fake_signal(SIGABRT));
	else
		plan_end(world, process, behaviour->drain_ms, behaviour->drain_status);
}

static void say(struct fake_world *world, struct fake_process *process, int64_t after_ms, enum status_key key,
		uint64_t value)
{
	queue(world, process, after_ms, (struct fake_event){ .kind = FAKE_EVENT_SAYS, .key = key, .value = value });
}

static void begin_life(struct fake_world *world, struct fake_process *process)
{
	const struct fake_behaviour *behaviour = &process->behaviour;

	process->state = FAKE_RUNNING;
	process->started_ms = world->now_ms;
	if (behaviour->exec_fails) {
		plan_end(world, process, 0, fake_exit(127));
		return;
	}
	if (behaviour->extend_ms != TIME_NEVER)
		say(world, process, 0, STATUS_EXTEND, (uint64_t)behaviour->extend_ms);
	say(world, process, behaviour->ready_ms, STATUS_READY, 0);
	say(world, process, behaviour->stopping_ms, STATUS_STOPPING, 0);
	say(world, process, behaviour->trigger_ms, STATUS_TRIGGER, 0);
	queue(world, process, behaviour->beat_ms, (struct fake_event){ .kind = FAKE_EVENT_BEATS });
	if (behaviour->output != NULL)
		queue(world, process, 0, (struct fake_event){ .kind = FAKE_EVENT_WRITES });
	plan_end(world, process, behaviour->end_ms, behaviour->end_status);
	if (process->early_signal != 0)
		take_signal(world, process, process->early_signal);
}

/* ---- requests */

static bool prepare(void *context, struct generation *generation, struct error *error)
{
	struct fake_world *world = context;
	int i = 0;

	require(generation->launch == NULL, "a generation is prepared twice");
	if (world->fails != NULL && world->fails(world->context, FAKE_PREPARE))
		return error_set(error, ERROR_CONFIGURATION, "%s: cannot be prepared", generation->settings->name);
	while (world->launch_used[i] != 0)
		require(++i < FAKE_LAUNCHES_MAX, "too many generations");
	world->launch_used[i] = 1;
	world->launches++;
	generation->launch = &world->launch_used[i];
	return true;
}

static void forget(void *context, struct generation *generation)
{
	struct fake_world *world = context;
	char *launch = generation->launch;

	if (launch == NULL)
		return;
	require(*launch == 1, "a generation is forgotten twice");
	*launch = 0;
	world->launches--;
	generation->launch = NULL;
}

static struct fake_process *free_process(struct fake_world *world)
{
	for (int i = 0; i < world->process_count; i++) {
		if (world->processes[i].state == FAKE_FREE)
			return &world->processes[i];
	}
	require(world->process_count < FAKE_PROCESSES_MAX, "too many processes");
	return &world->processes[world->process_count++];
}

static void attach(struct fake_world *world, struct worker *worker)
{
	int i = 0;

	if (worker->attachment != NULL)
		return;
	while (world->attachment_used[i] != 0)
		require(++i < FAKE_PROCESSES_MAX, "too many attachments");
	world->attachment_used[i] = 1;
	world->attachments++;
	worker->attachment = &world->attachment_used[i];
}

static void assert_can_spawn(const struct fake_world *world, const struct worker *worker)
{
	require(worker->generation != NULL && worker->generation->launch != NULL, "a start of something unprepared");
	require(worker->state == WORKER_STARTING && worker->pid == 0, "a start in state %s",
		worker_state_name(worker->state));
	require(find_process(world, worker) == NULL, "a worker record is used for two processes");
	for (size_t i = 0; i < worker->generation->listener_count; i++)
		require(worker->generation->listeners[i]->state == LISTENER_OPEN, "a start without its listener");
}

static void spawn(void *context, struct worker *worker)
{
	struct fake_world *world = context;
	struct fake_process *process = free_process(world);

	assert_can_spawn(world, worker);
	if (world->before_spawn != NULL)
		world->before_spawn(world->context, worker);
	attach(world, worker);
	*process = (struct fake_process){ .state = FAKE_ASKED, .worker = worker, .pid = ++world->last_pid };
	process->behaviour = fake_good;
	process->end_at_ms = TIME_NEVER;
	if (world->behave != NULL)
		world->behave(world->context, worker, &process->behaviour);
	if (world->fails != NULL && world->fails(world->context, FAKE_SPAWN))
		process->behaviour.spawn_fails = true;
	world->spawns++;
	queue(world, process, process->behaviour.spawn_ms, (struct fake_event){ .kind = FAKE_EVENT_SPAWNED });
}

static void send_signal(void *context, struct worker *worker, int signal)
{
	struct fake_world *world = context;
	struct fake_process *process = find_process(world, worker);

	require(process != NULL, "a signal for a process that is not there");
	if (world->before_signal != NULL)
		world->before_signal(world->context, worker, signal);
	if (process->state == FAKE_RUNNING)
		take_signal(world, process, signal);
	else if (process->early_signal != SIGKILL)
		process->early_signal = signal;
}

static void release(void *context, struct worker *worker)
{
	struct fake_world *world = context;

	require(find_process(world, worker) == NULL, "a worker is released before its process is gone");
	world->releases++;
	require(world->releases <= world->exits, "a worker is released twice");
}

static void discard(void *context, struct worker *worker)
{
	struct fake_world *world = context;
	char *attachment = worker->attachment;

	require(find_process(world, worker) == NULL, "a worker is discarded before its process is gone");
	if (attachment == NULL)
		return;
	require(*attachment == 1, "a worker is discarded twice");
	*attachment = 0;
	world->attachments--;
	worker->attachment = NULL;
}

static struct fake_listener *find_listener(struct fake_world *world, const struct listener *listener)
{
	for (int i = 0; i < FAKE_LISTENERS_MAX; i++) {
		if (world->listeners[i].listener == listener)
			return &world->listeners[i];
	}
	return NULL;
}

static void open_listener(void *context, struct listener *listener)
{
	struct fake_world *world = context;
	struct fake_listener *known;
	struct fake_event event = { .kind = FAKE_EVENT_LISTENER, .listener = listener };

	require(find_listener(world, listener) == NULL, "a listener is opened twice");
	known = find_listener(world, NULL);
	require(known != NULL, "too many listeners");
	*known = (struct fake_listener){ .listener = listener, .fd = ++world->last_fd };
	event.number = (unsigned)known->fd;
	event.at_ms = world->now_ms + fake_world_random(world, 3);
	push(world, &event);
}

static void adjust_listener(void *context, struct listener *listener)
{
	struct fake_world *world = context;
	const struct fake_listener *known = find_listener(world, listener);

	require(known != NULL && known->open, "a listener that is not open is adjusted");
	world->adjustments++;
}

static void close_listener(void *context, struct listener *listener)
{
	struct fake_world *world = context;
	struct fake_listener *known = find_listener(world, listener);

	require(known != NULL, "a listener that is unknown is closed");
	require(listener->generations == 0, "a listener is closed under a generation");
	world->listeners_open -= known->open;
	*known = (struct fake_listener){ 0 };
}

static void wake_at(void *context, int64_t at_ms)
{
	struct fake_world *world = context;

	world->wake_ms = at_ms;
	if (at_ms != TIME_NEVER && world->lateness_ms > 0)
		world->wake_ms += fake_world_random(world, (unsigned)world->lateness_ms + 1);
}

struct effects fake_world_effects(struct fake_world *world)
{
	return (struct effects){
		.context = world,
		.prepare = prepare,
		.forget = forget,
		.spawn = spawn,
		.signal = send_signal,
		.release = release,
		.discard = discard,
		.open_listener = open_listener,
		.adjust_listener = adjust_listener,
		.close_listener = close_listener,
		.wake_at = wake_at,
		.random = give_random,
	};
}

/* ---- events */

static void tell_exit(struct fake_world *world, struct fake_process *process, const struct worker_exit *ended)
{
	struct worker *worker = process->worker;

	process->state = FAKE_FREE;
	world->exits++;
	supervisor_worker_exited(world->supervisor, worker, ended, world->now_ms);
}

static void deliver_spawned(struct fake_world *world, struct fake_process *process)
{
	struct worker_exit failed = { .status = fake_exit(127), .failure = "fork: Resource temporarily unavailable" };

	if (process->behaviour.spawn_fails) {
		tell_exit(world, process, &failed);
		return;
	}
	begin_life(world, process);
	supervisor_worker_spawned(world->supervisor, process->worker, process->pid, world->now_ms);
}

static void deliver_message(struct fake_world *world, const struct fake_process *process, enum status_key key,
			    uint64_t value)
{
	struct status_message message = { .key = key, .number = value, .text = "", .length = 0 };

	supervisor_worker_said(world->supervisor, process->worker, &message, world->now_ms);
}

static void deliver_beat(struct fake_world *world, struct fake_process *process)
{
	if (world->now_ms - process->started_ms >= process->behaviour.silent_ms)
		return;
	queue(world, process, process->behaviour.beat_ms, (struct fake_event){ .kind = FAKE_EVENT_BEATS });
	deliver_message(world, process, STATUS_HEARTBEAT, 0);
}

static bool has_more_to_say(const struct fake_world *world, const struct fake_event *exit)
{
	for (size_t i = 0; i < world->event_count; i++) {
		const struct fake_event *event = &world->events[i];
		if (event->process == exit->process && event->pid == exit->pid && event->at_ms == exit->at_ms &&
		    event->kind != FAKE_EVENT_ENDS)
			return true;
	}
	return false;
}

/** @return false when the event is none any more, or not yet */
static bool deliver_end(struct fake_world *world, const struct fake_event *event)
{
	struct fake_process *process = event->process;
	struct worker_exit ended = { .status = process->end_status };

	if (event->number != process->end_number)
		return false;
	if (has_more_to_say(world, event)) {
		push(world, event);
		return false;
	}
	if (process->behaviour.exec_fails)
		ended.failure = "cannot execute: No such file or directory";
	tell_exit(world, process, &ended);
	return true;
}

static bool deliver_listener(struct fake_world *world, const struct fake_event *event)
{
	struct fake_listener *known = find_listener(world, event->listener);
	struct error error;

	if (known == NULL || known->fd != (int)event->number)
		return false;
	if (world->fails != NULL && world->fails(world->context, FAKE_OPEN_LISTENER)) {
		*known = (struct fake_listener){ 0 };
		error_set(&error, ERROR_ADDRESS, "address in use");
		supervisor_listener_failed(world->supervisor, event->listener, &error, world->now_ms);
		return true;
	}
	known->open = true;
	world->listeners_open++;
	supervisor_listener_opened(world->supervisor, event->listener, known->fd, world->now_ms);
	return true;
}

static bool deliver_of_process(struct fake_world *world, const struct fake_event *event)
{
	struct fake_process *process = event->process;

	if (process->state == FAKE_FREE || process->pid != event->pid)
		return false;
	switch (event->kind) {
	case FAKE_EVENT_SPAWNED:
		deliver_spawned(world, process);
		return true;
	case FAKE_EVENT_SAYS:
		deliver_message(world, process, event->key, event->value);
		return true;
	case FAKE_EVENT_BEATS:
		deliver_beat(world, process);
		return true;
	case FAKE_EVENT_WRITES:
		supervisor_worker_wrote(world->supervisor, process->worker, process->behaviour.output,
					strlen(process->behaviour.output), world->now_ms);
		return true;
	case FAKE_EVENT_ENDS:
		return deliver_end(world, event);
	case FAKE_EVENT_LISTENER:
		break;
	}
	return false;
}

static void deliver_wake(struct fake_world *world)
{
	if (world->wake_ms > world->now_ms) {
		world->now_ms = world->wake_ms;
		world->wakes_in_a_row = 0;
	}
	require(++world->wakes_in_a_row < WAKES_MAX, "the supervisor wakes up for nothing, again and again");
	world->wake_ms = TIME_NEVER;
	supervisor_wake(world->supervisor, world->now_ms);
}

int64_t fake_world_next(struct fake_world *world)
{
	int64_t next = world->event_count > 0 ? world->events[0].at_ms : TIME_NEVER;

	return world->wake_ms < next ? world->wake_ms : next;
}

/** @return true when something was delivered */
static bool deliver_next(struct fake_world *world)
{
	int64_t next = world->event_count > 0 ? world->events[0].at_ms : TIME_NEVER;
	struct fake_event event;

	if (world->wake_ms < next || (world->wake_ms == next && fake_world_chance(world, 500))) {
		deliver_wake(world);
		return true;
	}
	event = pop(world);
	if (event.at_ms > world->now_ms) {
		world->now_ms = event.at_ms;
		world->wakes_in_a_row = 0;
	}
	return event.kind == FAKE_EVENT_LISTENER ? deliver_listener(world, &event) : deliver_of_process(world, &event);
}

bool fake_world_step(struct fake_world *world)
{
	while (fake_world_next(world) != TIME_NEVER) {
		if (!deliver_next(world))
			continue;
		world->events_delivered++;
		if (world->after_event != NULL)
			world->after_event(world->context);
		return true;
	}
	return false;
}

void fake_world_run(struct fake_world *world, int64_t ms)
{
	int64_t until = world->now_ms + ms;

	while (fake_world_next(world) <= until)
		(void)fake_world_step(world);
	world->now_ms = until;
}

bool fake_world_run_until(struct fake_world *world, bool (*holds)(void *context), int64_t ms)
{
	int64_t until = world->now_ms + ms;

	while (!holds(world->context)) {
		if (fake_world_next(world) > until)
			return false;
		(void)fake_world_step(world);
	}
	return true;
}

/* ---- the world itself */

void fake_world_init(struct fake_world *world, struct supervisor *supervisor, uint64_t seed)
{
	*world = (struct fake_world){
		.supervisor = supervisor,
		.now_ms = 1000000,
		.wake_ms = TIME_NEVER,
		.random = seed,
		.last_pid = 1000,
		.last_fd = 10,
	};
	world->processes = calloc(FAKE_PROCESSES_MAX, sizeof(*world->processes));
	world->events = calloc(FAKE_EVENTS_MAX, sizeof(*world->events));
	world->attachment_used = calloc(FAKE_PROCESSES_MAX, 1);
	require(world->processes != NULL && world->events != NULL && world->attachment_used != NULL, "no memory");
}

void fake_world_finish(struct fake_world *world)
{
	free(world->processes);
	free(world->events);
	free(world->attachment_used);
	world->processes = NULL;
	world->events = NULL;
	world->attachment_used = NULL;
}
