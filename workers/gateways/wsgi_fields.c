/*
 * wsgi_fields.c - a table of names, each with the value that it had last.
 */
#include "wsgi_fields.h"

#include "python_text.h"
#include "unicornd/app.h"

#include <stdint.h>
#include <string.h>

/** Longer names are made anew each time; there is hardly one. */
#define NAME_BYTES 45
/** Longer values are not kept. */
#define VALUE_BYTES 256
/** Power of two. */
#define PLACES 256

enum field_kind {
	FIELD_USUAL,
	FIELD_SECRET, /* its value is not kept longer than needed */
	FIELD_COOKIE, /* likewise; several are joined with "; " */
	FIELD_DROPPED,
};

struct field {
	PyObject *key;   /* HTTP_NAME; NULL: the place is free */
	PyObject *value; /* the last one, or NULL */
	uint8_t kind;
	uint8_t length;
	char name[NAME_BYTES];
};

static struct field fields[PLACES];

static bool name_is(const struct unicorn_header *header, const char *name)
{
	return header->name_length == strlen(name) && memcmp(header->name, name, header->name_length) == 0;
}

static enum field_kind field_classify(const struct unicorn_header *header)
{
	if (memchr(header->name, '_', header->name_length) != NULL || name_is(header, "proxy") ||
	    name_is(header, "transfer-encoding"))
		return FIELD_DROPPED;
	if (name_is(header, "cookie"))
		return FIELD_COOKIE;
	if (name_is(header, "authorization") || name_is(header, "proxy-authorization"))
		return FIELD_SECRET;
	return FIELD_USUAL;
}

/** "HTTP_" and the name in upper case; two have no prefix. @return a new reference or NULL */
static PyObject *key_make(const struct unicorn_header *header)
{
	bool is_bare = name_is(header, "content-type") || name_is(header, "content-length");
	size_t prefix = is_bare ? 0 : strlen("HTTP_");
	PyObject *key = PyUnicode_New((Py_ssize_t)(prefix + header->name_length), 127);
	char *bytes;

	if (key == NULL)
		return NULL;
	bytes = (char *)PyUnicode_1BYTE_DATA(key);
	memcpy(bytes, "HTTP_", prefix);
	for (uint32_t i = 0; i < header->name_length; i++) {
		char byte = header->name[i];

		if (byte == '-')
			byte = '_';
		else if (byte >= 'a' && byte <= 'z')
			byte = (char)(byte - 'a' + 'A');
		bytes[prefix + i] = byte;
	}
	PyUnicode_InternInPlace(&key);
	return key;
}

static bool field_fill(struct field *field, const struct unicorn_header *header)
{
	PyObject *key = key_make(header);

	if (key == NULL)
		return false;
	Py_CLEAR(field->value);
	Py_XSETREF(field->key, key);
	field->kind = (uint8_t)field_classify(header);
	field->length = (uint8_t)header->name_length;
	memcpy(field->name, header->name, header->name_length);
	return true;
}

/** @return the place of this name, filled in; NULL with an exception set, or without one for a name that is too long */
static struct field *field_find(const struct unicorn_header *header)
{
	struct field *field;

	if (header->name_length > NAME_BYTES)
		return NULL;
	field = &fields[python_text_hash(header->name, header->name_length) % PLACES];
	if (field->key != NULL && field->length == header->name_length &&
	    memcmp(field->name, header->name, header->name_length) == 0)
		return field;
	return field_fill(field, header) ? field : NULL;
}

/** @return a new reference to the value as a str */
static PyObject *value_get(struct field *field, const struct unicorn_header *header)
{
	PyObject *value = field->value;

	if (value != NULL && PyUnicode_GET_LENGTH(value) == (Py_ssize_t)header->value_length &&
	    memcmp(PyUnicode_1BYTE_DATA(value), header->value, header->value_length) == 0)
		return Py_NewRef(value);
	value = python_make_latin1(header->value, header->value_length);
	if (value != NULL && field->kind == FIELD_USUAL && header->value_length <= VALUE_BYTES)
		Py_XSETREF(field->value, Py_NewRef(value));
	return value;
}

/** Sets the key; a value that is there already comes first. */
static bool value_put(PyObject *environment, PyObject *key, PyObject *value, bool is_cookie)
{
	Py_ssize_t size = PyDict_GET_SIZE(environment);
	PyObject *present = PyDict_SetDefault(environment, key, value);
	PyObject *joined;
	bool is_done;

	if (present == NULL || PyDict_GET_SIZE(environment) != size)
		return present != NULL;
	joined = PyUnicode_FromFormat(is_cookie ? "%U; %U" : "%U, %U", present, value);
	is_done = joined != NULL && PyDict_SetItem(environment, key, joined) == 0;
	Py_XDECREF(joined);
	return is_done;
}

static bool long_add(PyObject *environment, const struct unicorn_header *header)
{
	PyObject *key, *value;
	bool is_done;

	if (field_classify(header) == FIELD_DROPPED)
		return true;
	key = key_make(header);
	value = python_make_latin1(header->value, header->value_length);
	is_done = key != NULL && value != NULL && value_put(environment, key, value, false);
	Py_XDECREF(key);
	Py_XDECREF(value);
	return is_done;
}

bool wsgi_fields_add(PyObject *environment, const struct unicorn_header *header)
{
	struct field *field = field_find(header);
	PyObject *value;
	bool is_done;

	if (field == NULL)
		return PyErr_Occurred() == NULL && long_add(environment, header);
	if (field->kind == FIELD_DROPPED)
		return true;
	value = value_get(field, header);
	if (value == NULL)
		return false;
	is_done = value_put(environment, field->key, value, field->kind == FIELD_COOKIE);
	Py_DECREF(value);
	return is_done;
}

void wsgi_fields_finish(void)
{
	for (size_t i = 0; i < PLACES; i++) {
		Py_CLEAR(fields[i].key);
		Py_CLEAR(fields[i].value);
	}
}
