/*
 * banned.h - functions that this program never calls; force-included by the build, so a use does not compile.
 */
#ifndef DAEMON_BASE_BANNED_H
#define DAEMON_BASE_BANNED_H

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* With _FORTIFY_SOURCE some of them are macros, and clang warns of poisoning those; gcc sees every file too. */
#ifndef __clang__
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok atoi atol atof system popen sleep usleep \
	tmpnam mktemp
#endif

#endif
