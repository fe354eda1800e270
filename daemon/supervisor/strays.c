#include "supervisor/strays.h"

#include "base/clock.h"
#include "base/ownership.h"
#include "system/process.h"
#include "unicornd/protocol.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Children looked at in one go; more are looked at when the next worker ends. */
#define CHILDREN_MAX 4096
/** Bytes of a process's environment searched for its mark. */
#define ENVIRONMENT_MAX 32768

/** The worker that a process descends from, by the LISTEN_PID that it inherited; 0: it does not say. */
static pid_t find_origin(pid_t pid)
{
	static char environment[ENVIRONMENT_MAX + 1];
	char path[64];
	int64_t number;
	owned_fd fd = -1;
	ssize_t length;

	(void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	length = read(fd, environment, ENVIRONMENT_MAX);
	if (length <= 0)
		return 0;
	environment[length] = '\0';
	for (const char *entry = environment; entry < environment + length; entry += strlen(entry) + 1) {
		if (strncmp(entry, UNICORND_ENV_LISTEN_PID "=", sizeof(UNICORND_ENV_LISTEN_PID)) == 0 &&
		    text_parse_integer(entry + sizeof(UNICORND_ENV_LISTEN_PID), &number) && number > 0 &&
		    number <= INT32_MAX)
			return (pid_t)number;
	}
	return 0;
}

static int compare_pids(const void *a, const void *b)
{
	pid_t first = *(const pid_t *)a;
	pid_t second = *(const pid_t *)b;

	return (first > second) - (first < second);
}

/** Marks which of the sorted children are workers: with a thousand of them, looking for each one costs too much. */
static void mark_workers(const struct site *site, const pid_t *children, size_t count, bool *is_worker)
{
	list_for_each (pool_link, &site->pools) {
		struct pool *pool = list_entry(pool_link, struct pool, link);
		list_for_each (link, &pool->workers) {
			const struct worker *worker = list_entry(link, struct worker, link);
			const pid_t *child = bsearch(&worker->pid, children, count, sizeof(*children), compare_pids);
			if (child != NULL)
				is_worker[child - children] = true;
		}
	}
}

static bool is_stray(const struct supervisor *supervisor, pid_t pid)
{
	pid_t origin = find_origin(pid);

	return origin > 0 && site_find_worker(&supervisor->site, origin) == NULL;
}

void strays_kill(struct supervisor *supervisor)
{
	static pid_t children[CHILDREN_MAX];
	static bool is_worker[CHILDREN_MAX];
	size_t count = process_list_children(children, CHILDREN_MAX);

	qsort(children, count, sizeof(*children), compare_pids);
	memset(is_worker, 0, count * sizeof(*is_worker));
	mark_workers(&supervisor->site, children, count, is_worker);
	for (size_t i = 0; i < count; i++) {
		if (is_worker[i] || !is_stray(supervisor, children[i]))
			continue;
		/* Our child and not yet reaped: the number cannot have become somebody else's. */
		if (kill(children[i], SIGKILL) == 0)
			supervisor_stray_killed(supervisor, children[i], clock_monotonic_ms());
	}
}
