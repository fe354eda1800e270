#include "control/control_session.h"

#include "control/control_answer.h"
#include "control/control_json.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/** Room for the line that says that there is no memory. */
#define NO_MEMORY_SIZE 256
/** From this size on an answer was made of so many small pieces that their memory is given back to the system. */
#define LARGE_MESSAGE ((size_t)64 * 1024)

void control_session_init(struct control_session *session)
{
	*session = (struct control_session){ .role = ROLE_OBSERVER };
	list_init(&session->link);
	list_init(&session->waits);
}

void control_session_finish(struct control_session *session)
{
	list_for_each (link, &session->waits) {
		control_wait_destroy(session, list_entry(link, struct control_wait, link));
	}
	list_remove(&session->link);
}

void control_session_send(struct control_session *session, json_t *message)
{
	char no_memory[NO_MEMORY_SIZE];
	struct text line = { 0 };
	size_t length;

	if (control_json_print(message, &line))
		session->send(session->context, text_string(&line), line.length);
	else
		session->send(session->context, no_memory,
			      control_answer_print_no_memory(no_memory, sizeof(no_memory)));
	length = line.length;
	text_finish(&line);
	json_decref(message);
	if (length >= LARGE_MESSAGE)
		(void)malloc_trim(0);
}

bool control_session_wait(struct control_session *session, unsigned operation, json_t *id)
{
	struct control_wait *wait = calloc(1, sizeof(*wait));

	if (wait == NULL)
		return false;
	wait->operation = operation;
	wait->id = json_incref(id);
	list_append(&session->waits, &wait->link);
	session->wait_count++;
	return true;
}

void control_wait_destroy(struct control_session *session, struct control_wait *wait)
{
	list_remove(&wait->link);
	session->wait_count--;
	json_decref(wait->id);
	free(wait);
}

bool control_session_waits_for(const struct control_session *session, unsigned operation)
{
	list_for_each (link, &session->waits) {
		if (list_entry(link, struct control_wait, link)->operation == operation)
			return true;
	}
	return false;
}

bool control_session_follows_slot(const struct control_session *session, const char *pool, int slot)
{
	return session->follows_output &&
	       (session->output_pool[0] == '\0' || strcmp(session->output_pool, pool) == 0) &&
	       (session->output_slot == 0 || session->output_slot == slot);
}

bool control_session_is_busy(const struct control_session *session)
{
	return session->wait_count > 0 || session->follows_events || session->follows_output;
}
