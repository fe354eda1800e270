/*
 * files_path.h - from the path of a request to the name of a file below the folder that is served.
 *
 * Text only, no look at the disk: whether the name leads out of the folder by a symbolic link is files_open's business.
 */
#ifndef WORKERS_GATEWAYS_FILES_PATH_H
#define WORKERS_GATEWAYS_FILES_PATH_H

#include <stdbool.h>
#include <stddef.h>

/** What is served for a folder. */
#define FILES_INDEX "index.html"
/** Room that a name needs beyond the bytes of its path: for the index, the ending of a compressed sibling, a NUL. */
#define FILES_NAME_ROOM (sizeof(FILES_INDEX) + sizeof(".gz"))

/**
 * Decodes a path. Runs of slashes are one; a path that ends with a slash names the index of that folder.
 *
 * A segment that begins with a dot names nothing, which covers `.` and `..` in every encoding, and hidden files;
 * `.well-known` in front is the exception (RFC 8615). Nor does a segment with an encoded slash name anything: no file
 * has one in its name.
 *
 * @param path  as sent, without the query
 * @param name  of at least length + FILES_NAME_ROOM bytes: relative, without a slash in front
 * @return 0, or the status to answer with: 400 for what is no encoding or a NUL, 404 for what names nothing
 */
int files_path_decode(const char *path, size_t length, char *name);

/** Bytes that files_path_redirect() needs at most. */
size_t files_path_redirect_bytes(const char *name, size_t query_length);

/**
 * Where a folder is that was asked for without its slash, relative to what was asked for, so that it holds behind any
 * prefix that a proxy has taken away, and never names another host.
 *
 * @param name   of the folder, as files_path_decode() made it
 * @param query  as sent
 * @return bytes written, without the NUL
 */
size_t files_path_redirect(const char *name, const char *query, char *location);

#endif
