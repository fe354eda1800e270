/*
 * privileges.h - users and groups.
 */
#ifndef DAEMON_SYSTEM_PRIVILEGES_H
#define DAEMON_SYSTEM_PRIVILEGES_H

#include "base/error.h"

#include <stddef.h>
#include <sys/types.h>

/** Supplementary groups that a user may have here. */
#define PRIVILEGES_GROUPS_MAX 64

struct privileges {
	uid_t uid;
	gid_t gid;
	gid_t groups[PRIVILEGES_GROUPS_MAX];
	size_t group_count;
};

/**
 * Looks names (or numbers) up.
 *
 * @param user   NULL: the user of this process
 * @param group  NULL: the user's primary group
 */
bool privileges_resolve(const char *user, const char *group, struct privileges *privileges, struct error *error);

/** @return true when changing to them changes nothing for this process. */
bool privileges_are_current(const struct privileges *privileges);

/** Changes for good: groups, gid, uid. Async-signal-safe. @return 0 or an errno value */
int privileges_apply(const struct privileges *privileges);

/** Looks a group up by name or number. */
bool privileges_find_group(const char *group, gid_t *gid, struct error *error);

/** @return true when the process `pid` of user `uid` with primary group `gid` is in `group`. */
bool privileges_user_in_group(uid_t uid, gid_t gid, gid_t group);

#endif
