/*
 * conversation.h - one request to the daemon and everything that it answers.
 */
#ifndef CTL_CONVERSATION_H
#define CTL_CONVERSATION_H

struct client;
struct command_line;
struct render;

/**
 * Sends the request, shows what comes back.
 *
 * @param client  connected
 * @return the exit status of unicornctl
 */
int conversation_run(struct client *client, const struct command_line *line, struct render *render);

#endif
