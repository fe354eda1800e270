#include "supervisor/kept_listeners.h"

#include "base/ownership.h"
#include "model/listener.h"
#include "system/socket.h"

#include <stdio.h>
#include <string.h>

/** Tells kept sockets from those of socket units. */
#define KEPT_PREFIX    "listener,"
#define KEPT_NAME_SIZE sizeof(((struct inherited_socket *)NULL)->name)

/** The manager takes printable ASCII without a colon only, and another name for the whole of what it cannot take. */
static void make_printable(char *name)
{
	for (char *at = name; *at != '\0'; at++)
		if (*at <= ' ' || *at >= 0x7f || *at == ':')
			*at = '_';
}

static void print_name(char *name, size_t size, const struct listener_settings *settings)
{
	char address[ADDRESS_TEXT_SIZE];

	(void)address_print(&settings->address, address, sizeof(address));
	if (settings->address.kind == ADDRESS_UNIX)
		(void)snprintf(name, size, KEPT_PREFIX "%s,%o,%s,%s", address, (unsigned)settings->mode,
			       settings->owner != NULL ? settings->owner : "",
			       settings->group != NULL ? settings->group : "");
	else
		(void)snprintf(name, size, KEPT_PREFIX "%s%s", address, settings->only_v6 ? ",only_v6" : "");
	make_printable(name);
}

void kept_listener_store(int fd, const struct listener_settings *settings)
{
	char name[KEPT_NAME_SIZE];

	print_name(name, sizeof(name), settings);
	service_manager_store(fd, name);
}

void kept_listener_forget(const struct listener_settings *settings)
{
	char name[KEPT_NAME_SIZE];

	if (settings->address.kind == ADDRESS_SYSTEMD)
		return;
	print_name(name, sizeof(name), settings);
	service_manager_forget(name);
}

static void drop(struct inherited_socket *kept)
{
	/* The manager closes its copy when it comes to that, and the address may be needed now. */
	socket_stop_listening(kept->fd);
	service_manager_forget(kept->name);
	close_fd(&kept->fd);
}

int kept_listener_take(struct inherited_socket *sockets, size_t count, const struct listener_settings *settings)
{
	char name[KEPT_NAME_SIZE];
	struct error error;

	print_name(name, sizeof(name), settings);
	for (size_t i = 0; i < count; i++) {
		if (sockets[i].fd < 0 || strcmp(sockets[i].name, name) != 0)
			continue;
		if (socket_is_reachable(sockets[i].fd, settings) && socket_adopt(sockets[i].fd, settings, &error))
			return take_fd(&sockets[i].fd);
		drop(&sockets[i]);
	}
	return -1;
}

static bool is_wanted(const struct inherited_socket *kept, const struct list *listeners)
{
	char name[KEPT_NAME_SIZE];

	list_for_each (link, listeners) {
		const struct listener *listener = list_entry(link, struct listener, link);
		print_name(name, sizeof(name), listener->settings);
		if (strcmp(kept->name, name) == 0)
			return true;
	}
	return false;
}

void kept_listeners_drop(struct inherited_socket *sockets, size_t count, const struct list *listeners)
{
	for (size_t i = 0; i < count; i++)
		if (sockets[i].fd >= 0 && strncmp(sockets[i].name, KEPT_PREFIX, strlen(KEPT_PREFIX)) == 0 &&
		    !is_wanted(&sockets[i], listeners))
			drop(&sockets[i]);
}
