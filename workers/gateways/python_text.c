/*
 * python_text.c - a bounded table of Python objects by text, and percent-decoding.
 */
#include "python_text.h"

#include <stdbool.h>
#include <string.h>

uint32_t python_text_hash(const char *text, size_t length)
{
	uint64_t hash = length * UINT64_C(0x9e3779b97f4a7c15);
	uint64_t part;

	for (; length >= sizeof(part); text += sizeof(part), length -= sizeof(part)) {
		memcpy(&part, text, sizeof(part));
		hash = (hash ^ part) * UINT64_C(0xff51afd7ed558ccd);
		hash ^= hash >> 32;
	}
	if (length > 0) {
		part = 0;
		memcpy(&part, text, length);
		hash = (hash ^ part) * UINT64_C(0xff51afd7ed558ccd);
		hash ^= hash >> 32;
	}
	return (uint32_t)hash;
}

PyObject *python_make_latin1(const char *text, size_t length)
{
	return PyUnicode_DecodeLatin1(text, (Py_ssize_t)length, NULL);
}

PyObject *python_make_bytes(const char *text, size_t length)
{
	return PyBytes_FromStringAndSize(text, (Py_ssize_t)length);
}

void python_cache_init(struct python_cache *cache, PyObject *(*make)(const char *text, size_t length))
{
	memset(cache, 0, sizeof(*cache));
	cache->make = make;
}

void python_cache_finish(struct python_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < PYTHON_CACHE_PLACES; i++)
		Py_CLEAR(cache->places[i].object);
}

static bool place_holds(const struct python_cache_place *place, const char *text, size_t length)
{
	return place->object != NULL && place->length == length && memcmp(place->text, text, length) == 0;
}

static void place_put(struct python_cache_place *place, PyObject *object, const char *text, size_t length)
{
	PyObject *old = place->object;

	place->object = Py_NewRef(object);
	place->length = (uint8_t)length;
	memcpy(place->text, text, length);
	Py_XDECREF(old);
}

PyObject *python_cache_get(struct python_cache *cache, const char *text, size_t length)
{
	uint32_t hash;
	struct python_cache_place *first, *second;
	PyObject *object;

	if (length > PYTHON_CACHE_TEXT_BYTES)
		return cache->make(text, length);
	hash = python_text_hash(text, length);
	first = &cache->places[hash % PYTHON_CACHE_PLACES];
	if (place_holds(first, text, length))
		return Py_NewRef(first->object);
	second = &cache->places[(hash / PYTHON_CACHE_PLACES) % PYTHON_CACHE_PLACES];
	if (place_holds(second, text, length))
		return Py_NewRef(second->object);
	object = cache->make(text, length);
	if (object != NULL)
		place_put(first->object == NULL ? first : second, object, text, length);
	return object;
}

static int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

size_t python_decode_percent(const char *text, size_t length, char *decoded)
{
	size_t written = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '%' && length - i > 2 && digit_value(text[i + 1]) >= 0 &&
		    digit_value(text[i + 2]) >= 0) {
			decoded[written++] = (char)(digit_value(text[i + 1]) * 16 + digit_value(text[i + 2]));
			i += 2;
		} else {
			decoded[written++] = text[i];
		}
	}
	return written;
}
