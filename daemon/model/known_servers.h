/*
 * known_servers.h - what `ready = auto` means for a command.
 */
#ifndef DAEMON_MODEL_KNOWN_SERVERS_H
#define DAEMON_MODEL_KNOWN_SERVERS_H

#include "base/text.h"

/**
 * Looks at the program, at the module of "python3 -m MODULE" or the script of "python3 SCRIPT".
 *
 * @return a value for the setting `ready`; "message" for a server that is not known
 */
const char *known_server_readiness(const struct string_list *command);

#endif
