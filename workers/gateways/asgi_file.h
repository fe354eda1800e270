/*
 * asgi_file.h - the files of http.response.pathsend and http.response.zerocopysend, ready to be sent.
 */
#ifndef WORKERS_GATEWAYS_ASGI_FILE_H
#define WORKERS_GATEWAYS_ASGI_FILE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>

struct asgi_file {
	int fd; /**< of one's own, to be closed */
	int64_t offset;
	int64_t length;
};

/** Opens what pathsend names. @return 0, or -1 with an exception set */
int asgi_file_open_path(struct asgi_file *file, PyObject *message);

/** Takes a second descriptor of the file that zerocopysend gives, and moves the file's position behind the part. */
int asgi_file_open_given(struct asgi_file *file, PyObject *message);

#endif
