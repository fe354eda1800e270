#include "system/privileges.h"

#include "base/ownership.h"
#include "base/text.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/** Reads a user or group number; the largest one means "no change" to the kernel and is nobody's. */
static bool parse_id(const char *string, uint32_t *id)
{
	int64_t number;

	if (!text_parse_integer(string, &number) || number < 0 || number >= UINT32_MAX)
		return false;
	*id = (uint32_t)number;
	return true;
}

/** @return the entry of a user, by name first: a name may consist of digits; NULL when there is none. */
static const struct passwd *find_user(const char *user)
{
	const struct passwd *entry = getpwnam(user);
	uint32_t id;

	if (entry == NULL && parse_id(user, &id))
		entry = getpwuid(id);
	return entry;
}

bool privileges_find_group(const char *group, gid_t *gid, struct error *error)
{
	const struct group *entry = getgrnam(group);
	uint32_t id;

	if (entry != NULL)
		*gid = entry->gr_gid;
	else if (parse_id(group, &id))
		*gid = id;
	else
		return error_set(error, ERROR_CONFIGURATION, "there is no group '%s' on this machine", group);
	return true;
}

/** The groups of this process, which a worker of the same user keeps. */
static bool resolve_own_groups(struct privileges *privileges, struct error *error)
{
	int count = getgroups(PRIVILEGES_GROUPS_MAX, privileges->groups);

	if (count < 0)
		return error_set_errno(error, ERROR_SYSTEM, errno, "cannot read the groups of this process");
	privileges->group_count = (size_t)count;
	return true;
}

/** The groups that the databases give a user. */
static bool resolve_groups(const struct passwd *entry, struct privileges *privileges, struct error *error)
{
	int count = PRIVILEGES_GROUPS_MAX;

	if (getgrouplist(entry->pw_name, privileges->gid, privileges->groups, &count) < 0)
		return error_set(error, ERROR_CONFIGURATION, "user '%s' is in more than %d groups", entry->pw_name,
				 PRIVILEGES_GROUPS_MAX);
	privileges->group_count = (size_t)count;
	return true;
}

/** A number without an entry in the database is a user too: containers have many of them. */
static bool resolve_number(const char *user, const char *group, struct privileges *privileges, struct error *error)
{
	uint32_t id;

	if (!parse_id(user, &id))
		return error_set(error, ERROR_CONFIGURATION, "there is no user '%s' on this machine", user);
	if (group == NULL)
		return error_set(error, ERROR_CONFIGURATION,
				 "user %s has no entry in the user database: set a group too", user);
	privileges->uid = id;
	privileges->groups[0] = privileges->gid;
	privileges->group_count = 1;
	return true;
}

bool privileges_resolve(const char *user, const char *group, struct privileges *privileges, struct error *error)
{
	const struct passwd *entry = user != NULL ? find_user(user) : NULL;

	memset(privileges, 0, sizeof(*privileges));
	privileges->uid = entry != NULL ? entry->pw_uid : geteuid();
	privileges->gid = entry != NULL ? entry->pw_gid : getegid();
	if (group != NULL && !privileges_find_group(group, &privileges->gid, error))
		return false;
	if (user != NULL && entry == NULL && !resolve_number(user, group, privileges, error))
		return false;
	/* Who stays the same user keeps the groups: only a privileged process may change them. */
	if (privileges->uid == geteuid())
		return resolve_own_groups(privileges, error);
	return entry == NULL || resolve_groups(entry, privileges, error);
}

static bool list_has(const gid_t *groups, size_t count, gid_t group)
{
	for (size_t i = 0; i < count; i++)
		if (groups[i] == group)
			return true;
	return false;
}

/** @return true when the supplementary groups of this process are these, in any order. */
static bool groups_are_current(const struct privileges *privileges)
{
	gid_t own[PRIVILEGES_GROUPS_MAX];
	int count = getgroups(PRIVILEGES_GROUPS_MAX, own);

	if (count < 0)
		return false;
	for (int i = 0; i < count; i++)
		if (!list_has(privileges->groups, privileges->group_count, own[i]))
			return false;
	for (size_t i = 0; i < privileges->group_count; i++)
		if (!list_has(own, (size_t)count, privileges->groups[i]))
			return false;
	return true;
}

bool privileges_are_current(const struct privileges *privileges)
{
	uid_t uid[3];
	gid_t gid[3];

	if (getresuid(&uid[0], &uid[1], &uid[2]) < 0 || getresgid(&gid[0], &gid[1], &gid[2]) < 0)
		return false;
	for (size_t i = 0; i < 3; i++)
		if (uid[i] != privileges->uid || gid[i] != privileges->gid)
			return false;
	return groups_are_current(privileges);
}

int privileges_apply(const struct privileges *privileges)
{
	bool other_user = privileges->uid != geteuid();

	/* The user last: the right to change groups leaves with it. */
	if (!groups_are_current(privileges) && setgroups(privileges->group_count, privileges->groups) < 0)
		return errno;
	if (setresgid(privileges->gid, privileges->gid, privileges->gid) < 0)
		return errno;
	if (setresuid(privileges->uid, privileges->uid, privileges->uid) < 0)
		return errno;
	/* Ambient capabilities would survive a change between two ordinary users; kernels without them say EINVAL. */
	if (other_user && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return errno;
	return 0;
}

/** Looks the supplementary groups of a user up, however many they are. */
static bool user_lists_group(const struct passwd *entry, gid_t gid, gid_t group)
{
	int count = 0;
	owned_memory gid_t *groups = NULL;

	(void)getgrouplist(entry->pw_name, gid, NULL, &count);
	if (count <= 0)
		return false;
	groups = calloc((size_t)count, sizeof(*groups));
	if (groups == NULL || getgrouplist(entry->pw_name, gid, groups, &count) < 0)
		return false;
	return list_has(groups, (size_t)count, group);
}

bool privileges_user_in_group(uid_t uid, gid_t gid, gid_t group)
{
	const struct passwd *entry;

	if (gid == group)
		return true;
	entry = getpwuid(uid);
	return entry != NULL && user_lists_group(entry, gid, group);
}
