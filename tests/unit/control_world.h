/*
 * control_world.h - a supervisor whose processes exist on paper only: for tests of the control server.
 *
 * Nothing happens from within a request; control_world_run() lets all happen that was asked for: workers start, are
 * ready at once, and leave when they are told to. Time stands still.
 */
#ifndef TESTS_UNIT_CONTROL_WORLD_H
#define TESTS_UNIT_CONTROL_WORLD_H

#include "configuration/configuration_file.h"
#include "supervisor/supervisor.h"

#include <stdbool.h>
#include <stdint.h>

struct control_world {
	struct supervisor supervisor;
	struct configuration_source source; /**< a site "site" of one pool "app" */
	int64_t now_ms;
	pid_t last_pid;
	bool never_ready; /**< workers start, but do not get ready */
};

/** Starts the site: `workers` as in the option -w. Aborts the test when that fails. */
void control_world_init(struct control_world *world, const char *workers);
void control_world_finish(struct control_world *world);

/** Lets all happen that was asked for. */
void control_world_run(struct control_world *world);

/** Lets the worker of a slot write something. */
void control_world_write(struct control_world *world, int slot, const char *bytes, size_t length);

#endif
