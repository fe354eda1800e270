/*
 * control_hub.h - what all clients share: the supervisor, and who of them is told what as it happens.
 */
#ifndef DAEMON_CONTROL_CONTROL_HUB_H
#define DAEMON_CONTROL_CONTROL_HUB_H

#include "base/list.h"
#include "control/control_session.h"
#include "supervisor/supervisor.h"

struct configuration_source;
struct control_settings;

/** What the control server is told about its daemon. `settings` is read once; all else must outlive the server. */
struct control_context {
	const char *path; /**< of the socket */
	const struct control_settings *settings;
	const struct configuration_source *source;
	const char *configuration_name; /**< for people: the file, or "command line" */
};

struct control_hub {
	struct supervisor *supervisor;
	struct control_context context;
	struct list sessions;
	struct observer observer;
};

/** Observes the supervisor from now on; the hub must not move. */
void control_hub_init(struct control_hub *hub, struct supervisor *supervisor, const struct control_context *context);
/** All sessions must be gone. */
void control_hub_finish(struct control_hub *hub);

void control_hub_join(struct control_hub *hub, struct control_session *session);

#endif
