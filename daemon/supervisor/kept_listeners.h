/*
 * kept_listeners.h - listening sockets that the service manager keeps for the daemon's next life.
 *
 * When the daemon is killed, or its unit is restarted, clients go on to queue in the kept socket instead of being
 * refused. A socket is kept under a name that says all that bind(2) made of it, so that one with another address, mode
 * or owner is not taken for it. What it does not do: keep sockets of socket units, which the manager has anyway.
 */
#ifndef DAEMON_SUPERVISOR_KEPT_LISTENERS_H
#define DAEMON_SUPERVISOR_KEPT_LISTENERS_H

#include "base/list.h"
#include "model/settings.h"
#include "system/service_manager.h"

/** Gives a bound socket to the service manager to keep. Nothing happens without one. */
void kept_listener_store(int fd, const struct listener_settings *settings);

/** Makes the service manager close its copy: the address is given up. */
void kept_listener_forget(const struct listener_settings *settings);

/** @return the kept socket of these settings, then the caller's, or -1: there is none that clients still reach. */
int kept_listener_take(struct inherited_socket *sockets, size_t count, const struct listener_settings *settings);

/** Gives up kept sockets that none of the listeners wants: their addresses may be needed. */
void kept_listeners_drop(struct inherited_socket *sockets, size_t count, const struct list *listeners);

#endif
