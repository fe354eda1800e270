#include "control/control_access.h"

#include "system/privileges.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

bool control_access_init(struct control_access *access, const struct control_settings *settings, struct error *error)
{
	*access = (struct control_access){ .owner = geteuid() };
	access->has_operator_group = settings->operator_group != NULL;
	access->has_observer_group = settings->observer_group != NULL;
	if (access->has_operator_group &&
	    !privileges_find_group(settings->operator_group, &access->operator_group, error))
		return error_wrap(error, "control: operator_group");
	if (access->has_observer_group &&
	    !privileges_find_group(settings->observer_group, &access->observer_group, error))
		return error_wrap(error, "control: observer_group");
	return true;
}

/** A kernel that does not tell the groups: at least the ones that count are looked up. */
static bool look_groups_up(struct control_peer *peer, const struct control_access *access)
{
	peer->groups = calloc(2, sizeof(*peer->groups));
	if (peer->groups == NULL)
		return false;
	if (access->has_operator_group && privileges_user_in_group(peer->uid, peer->gid, access->operator_group))
		peer->groups[peer->group_count++] = access->operator_group;
	if (access->has_observer_group && privileges_user_in_group(peer->uid, peer->gid, access->observer_group))
		peer->groups[peer->group_count++] = access->observer_group;
	return true;
}

static bool ask_for_groups(struct control_peer *peer, int fd, const struct control_access *access)
{
	socklen_t size = 0;

	/* Too small an answer tells how much is needed; credentials do not change afterwards. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0)
		return true;
	if (errno != ERANGE)
		return look_groups_up(peer, access);
	peer->groups = malloc(size);
	if (peer->groups == NULL || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &size) < 0)
		return false;
	peer->group_count = size / sizeof(*peer->groups);
	return true;
}

bool control_peer_init(struct control_peer *peer, int fd, const struct control_access *access)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);

	*peer = (struct control_peer){ 0 };
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
		return false;
	peer->uid = credentials.uid;
	peer->gid = credentials.gid;
	peer->pid = credentials.pid;
	if (!access->has_operator_group && !access->has_observer_group)
		return true;
	return ask_for_groups(peer, fd, access);
}

void control_peer_finish(struct control_peer *peer)
{
	free(peer->groups);
	peer->groups = NULL;
	peer->group_count = 0;
}

static bool is_member(const struct control_peer *peer, gid_t group)
{
	if (peer->gid == group)
		return true;
	for (size_t i = 0; i < peer->group_count; i++) {
		if (peer->groups[i] == group)
			return true;
	}
	return false;
}

bool control_access_decide(const struct control_access *access, const struct control_peer *peer, enum role *role)
{
	*role = ROLE_OBSERVER;
	if (peer->uid == 0 || peer->uid == access->owner)
		*role = ROLE_ADMIN;
	else if (access->has_operator_group && is_member(peer, access->operator_group))
		*role = ROLE_OPERATOR;
	else if (access->has_observer_group && !is_member(peer, access->observer_group))
		return false;
	return true;
}
