#include "model/site.h"

#include <string.h>

void site_init(struct site *site, const char *name)
{
	*site = (struct site){ .name = name };
	list_init(&site->listeners);
	list_init(&site->pools);
}

struct listener *site_find_listener_at(const struct site *site, const struct address *address)
{
	list_for_each (link, &site->listeners) {
		struct listener *listener = list_entry(link, struct listener, link);
		if (address_equal(&listener->settings->address, address))
			return listener;
	}
	return NULL;
}

struct pool *site_find_pool(const struct site *site, const char *name)
{
	list_for_each (link, &site->pools) {
		struct pool *pool = list_entry(link, struct pool, link);
		if (strcmp(pool->name, name) == 0)
			return pool;
	}
	return NULL;
}

struct worker *site_find_worker(const struct site *site, pid_t pid)
{
	list_for_each (pool_link, &site->pools) {
		struct pool *pool = list_entry(pool_link, struct pool, link);
		list_for_each (link, &pool->workers) {
			struct worker *worker = list_entry(link, struct worker, link);
			if (worker->pid == pid)
				return worker;
		}
	}
	return NULL;
}

bool site_is_empty(const struct site *site)
{
	list_for_each (link, &site->pools) {
		if (!list_is_empty(&list_entry(link, struct pool, link)->workers))
			return false;
	}
	return true;
}
