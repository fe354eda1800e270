#include "model/listener.h"

#include <stdlib.h>

struct listener *listener_create(struct listener_settings *settings)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (listener == NULL)
		return NULL;
	list_init(&listener->link);
	listener->settings = listener_settings_reference(settings);
	listener->fd = -1;
	return listener;
}

void listener_destroy(struct listener *listener)
{
	if (listener == NULL)
		return;
	list_remove(&listener->link);
	listener_settings_release(listener->settings);
	free(listener);
}

void listener_replace_settings(struct listener *listener, struct listener_settings *settings)
{
	listener_settings_reference(settings);
	listener_settings_release(listener->settings);
	listener->settings = settings;
}
