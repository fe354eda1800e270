/*
 * control_session.h - one client as the commands see it: who it is, what it waits for and what it follows.
 *
 * It knows nothing of sockets: what is sent goes through a function, which may be a test's.
 */
#ifndef DAEMON_CONTROL_CONTROL_SESSION_H
#define DAEMON_CONTROL_CONTROL_SESSION_H

#include "base/list.h"
#include "model/vocabulary.h"
#include "supervisor/event_journal.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** Requests of one client that may wait for an outcome at a time. */
#define CONTROL_WAITS_MAX 64

/** A request that is answered when its operation is over. */
struct control_wait {
	struct list link; /**< in session->waits */
	unsigned operation;
	json_t *id; /**< of the request; owned */
};

struct control_session {
	struct list link; /**< in hub->sessions */
	bool admitted;    /**< false: every request is refused */
	enum role role;
	uid_t uid;
	pid_t pid;

	struct list waits;
	size_t wait_count;
	bool follows_events;
	bool follows_output;
	char output_pool[EVENT_POOL_SIZE]; /**< "": all pools */
	int output_slot;                   /**< 0: all slots */

	void *context;
	/** Takes one line, newline included; must neither wait nor end the session. */
	void (*send)(void *context, const char *line, size_t length);
};

/** Makes a session on no list; the caller fills in who it is and how to send. */
void control_session_init(struct control_session *session);
/** Leaves its list and forgets its waits; the operations go on. */
void control_session_finish(struct control_session *session);

/** Prints and sends an answer; takes over `message`. NULL stands for one that there was no memory for. */
void control_session_send(struct control_session *session, json_t *message);

/** The request `id` is answered when the operation is over. @return false without memory */
bool control_session_wait(struct control_session *session, unsigned operation, json_t *id);
void control_wait_destroy(struct control_session *session, struct control_wait *wait);
bool control_session_waits_for(const struct control_session *session, unsigned operation);

/** @return true when it wants the output of that slot. */
bool control_session_follows_slot(const struct control_session *session, const char *pool, int slot);

/** @return true while something is to come without another request. */
bool control_session_is_busy(const struct control_session *session);

#endif
