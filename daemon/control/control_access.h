/*
 * control_access.h - who may do what: a client's credentials to its role.
 */
#ifndef DAEMON_CONTROL_CONTROL_ACCESS_H
#define DAEMON_CONTROL_CONTROL_ACCESS_H

#include "base/error.h"
#include "model/settings.h"
#include "model/vocabulary.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** The rules of a site. */
struct control_access {
	uid_t owner; /**< admin besides root: the daemon's user */
	bool has_operator_group;
	gid_t operator_group;
	bool has_observer_group; /**< without one everybody who can open the socket observes */
	gid_t observer_group;
};

/** The process at the other end, as it was when it connected. */
struct control_peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	gid_t *groups; /**< supplementary groups; owned */
	size_t group_count;
};

/** Looks the groups of the settings up. */
bool control_access_init(struct control_access *access, const struct control_settings *settings, struct error *error);

/** Asks the kernel. Does not read the user database, which may be slow, unless the kernel does not know the groups. */
bool control_peer_init(struct control_peer *peer, int fd, const struct control_access *access);
void control_peer_finish(struct control_peer *peer);

/** @return false when the client may not do anything. */
bool control_access_decide(const struct control_access *access, const struct control_peer *peer, enum role *role);

#endif
