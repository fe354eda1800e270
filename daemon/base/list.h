/*
 * list.h - intrusive doubly linked list.
 *
 * A `struct list` is either the head of a list or a link embedded in an object; an object is on at most one list per
 * link. The list owns nothing.
 */
#ifndef DAEMON_BASE_LIST_H
#define DAEMON_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *previous;
};

/** Makes an empty head, or a link that is on no list. */
static inline void list_init(struct list *list)
{
	list->next = list;
	list->previous = list;
}

static inline bool list_is_empty(const struct list *list)
{
	return list->next == list;
}

/** Puts `link` at the end of the list `head`. */
static inline void list_append(struct list *head, struct list *link)
{
	link->previous = head->previous;
	link->next = head;
	head->previous->next = link;
	head->previous = link;
}

/** Takes `link` off its list; harmless when it is on none. */
static inline void list_remove(struct list *link)
{
	link->previous->next = link->next;
	link->next->previous = link->previous;
	list_init(link);
}

/** The object of type `type` whose member `member` is `link`. */
#define list_entry(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/** Loops over the links of a list; the current one may be removed in the body. */
#define list_for_each(link, head)                                                                                      \
	for (struct list *link = (head)->next, *link##_next = link->next; link != (head);                              \
	     link = link##_next, link##_next = link->next)

#endif
