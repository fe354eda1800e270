/*
 * python_text.h - text of requests as Python objects: decoded paths, and a cache of objects that come again and again.
 *
 * It knows nothing of WSGI or ASGI: what a text becomes is for the cache's maker to say.
 */
#ifndef WORKERS_GATEWAYS_PYTHON_TEXT_H
#define WORKERS_GATEWAYS_PYTHON_TEXT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stddef.h>
#include <stdint.h>

/** Longer texts are made anew each time. */
#define PYTHON_CACHE_TEXT_BYTES 47
/** Power of two; each text has two places in the table, so that two common ones seldom drive each other out. */
#define PYTHON_CACHE_PLACES 512

struct python_cache_place {
	PyObject *object;
	uint8_t length;
	char text[PYTHON_CACHE_TEXT_BYTES];
};

/** A table of objects by the text that they are made of; as it is bounded, clients cannot fill the memory with it. */
struct python_cache {
	PyObject *(*make)(const char *text, size_t length);
	struct python_cache_place places[PYTHON_CACHE_PLACES];
};

void python_cache_init(struct python_cache *cache, PyObject *(*make)(const char *text, size_t length));
void python_cache_finish(struct python_cache *cache);

/** @return a new reference to the object for a text; NULL with an exception set when it cannot be made */
PyObject *python_cache_get(struct python_cache *cache, const char *text, size_t length);

/** Makers: a str decoded as latin-1, bytes as they are. */
PyObject *python_make_latin1(const char *text, size_t length);
PyObject *python_make_bytes(const char *text, size_t length);

/** @return a number that tells texts apart quickly; not one that resists somebody who wants two alike */
uint32_t python_text_hash(const char *text, size_t length);

/**
 * Undoes percent-encoding; a '%' without two hexadecimal digits stays.
 *
 * @param decoded  room for length bytes; may be text itself
 * @return bytes written
 */
size_t python_decode_percent(const char *text, size_t length, char *decoded);

#endif
