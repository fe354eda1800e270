/*
 * text_file.h - whole text files of a bounded size.
 */
#ifndef DAEMON_CONFIGURATION_TEXT_FILE_H
#define DAEMON_CONFIGURATION_TEXT_FILE_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>

/** Largest file that is read. */
#define TEXT_FILE_MAX (1024 * 1024)

/**
 * Reads a regular file. Anything else is refused, also because a reload reads it again; never waits for a pipe.
 *
 * @param text  empty before; the content, which has no zero byte; the caller finishes it in any case
 */
bool text_file_read(const char *path, struct text *text, struct error *error);

/** @return a new string: `path` itself when it is absolute, else below `folder`; NULL without memory */
char *text_file_resolve(const char *folder, const char *path);

/** @return the absolute folder of a file; NULL without memory, or when the current folder has no name any more */
char *text_file_folder(const char *name);

#endif
