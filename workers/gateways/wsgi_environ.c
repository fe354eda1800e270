/*
 * wsgi_environ.c - the template, and its copies.
 */
#include "wsgi_environ.h"

#include "python_text.h"
#include "unicornd/app.h"
#include "wsgi_fields.h"
#include "wsgi_file.h"
#include "wsgi_input.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/** What differs from request to request. */
enum slot_name {
	SLOT_METHOD,
	SLOT_SCRIPT_NAME,
	SLOT_PATH_INFO,
	SLOT_QUERY_STRING,
	SLOT_TARGET,
	SLOT_PROTOCOL,
	SLOT_SCHEME,
	SLOT_SERVER_NAME,
	SLOT_SERVER_PORT,
	SLOT_REMOTE_ADDRESS,
	SLOT_REMOTE_PORT,
	SLOT_COUNT,
};

static const char *const slot_keys[SLOT_COUNT] = {
	[SLOT_METHOD] = "REQUEST_METHOD",      [SLOT_SCRIPT_NAME] = "SCRIPT_NAME", [SLOT_PATH_INFO] = "PATH_INFO",
	[SLOT_QUERY_STRING] = "QUERY_STRING",  [SLOT_TARGET] = "RAW_URI",          [SLOT_PROTOCOL] = "SERVER_PROTOCOL",
	[SLOT_SCHEME] = "wsgi.url_scheme",     [SLOT_SERVER_NAME] = "SERVER_NAME", [SLOT_SERVER_PORT] = "SERVER_PORT",
	[SLOT_REMOTE_ADDRESS] = "REMOTE_ADDR", [SLOT_REMOTE_PORT] = "REMOTE_PORT",
};

struct slot {
	PyObject *key;
	PyObject *value; /* borrowed from the template */
};

/** Names of ports, since each connection has one of its own; power of two. */
#define PORTS 1024

static PyObject *template;
static struct slot slots[SLOT_COUNT];
static struct python_cache texts;
static PyObject *request_uri_key, *input_key, *content_length_key;
static PyObject *port_texts[PORTS];
static uint16_t port_numbers[PORTS];
static uint16_t remote_port, server_port;
static const char *root_path;
static size_t root_path_length;

/* ---- slots */

/** Steals the value. */
static bool slot_put(enum slot_name name, PyObject *value)
{
	bool is_done = value != NULL && PyDict_SetItem(template, slots[name].key, value) == 0;

	if (is_done)
		slots[name].value = value;
	Py_XDECREF(value);
	return is_done;
}

static bool slot_holds(enum slot_name name, const char *text, size_t length)
{
	PyObject *value = slots[name].value;

	return (size_t)PyUnicode_GET_LENGTH(value) == length && memcmp(PyUnicode_1BYTE_DATA(value), text, length) == 0;
}

/** For texts of which there are many. */
static bool slot_set(enum slot_name name, const char *text, size_t length)
{
	return slot_holds(name, text, length) || slot_put(name, python_make_latin1(text, length));
}

/** For texts of which there are few. */
static bool slot_set_common(enum slot_name name, const char *text, size_t length)
{
	return slot_holds(name, text, length) || slot_put(name, python_cache_get(&texts, text, length));
}

static PyObject *port_text(uint16_t port)
{
	size_t place = port % PORTS;

	if (port_texts[place] == NULL || port_numbers[place] != port) {
		PyObject *text = PyUnicode_FromFormat("%u", (unsigned int)port);

		if (text == NULL)
			return NULL;
		Py_XSETREF(port_texts[place], text);
		port_numbers[place] = port;
	}
	return Py_NewRef(port_texts[place]);
}

static bool port_set(enum slot_name name, uint16_t port, uint16_t *last)
{
	if (port == *last)
		return true;
	if (!slot_put(name, port_text(port)))
		return false;
	*last = port;
	return true;
}

/* ---- the parts of a request */

/** The path below the one where the application is mounted, in which case that one is in front. */
static bool path_set_decoded(const char *path, size_t length)
{
	char few[512];
	char *decoded = length > sizeof(few) ? PyMem_Malloc(length) : few;
	const char *rest = decoded;
	bool is_done;

	if (decoded == NULL) {
		PyErr_NoMemory();
		return false;
	}
	length = python_decode_percent(path, length, decoded);
	if (root_path_length > 0 && length >= root_path_length && memcmp(decoded, root_path, root_path_length) == 0 &&
	    (length == root_path_length || decoded[root_path_length] == '/')) {
		rest += root_path_length;
		length -= root_path_length;
	}
	is_done = slot_set(SLOT_PATH_INFO, rest, length);
	if (decoded != few)
		PyMem_Free(decoded);
	return is_done;
}

static bool target_set(const struct unicorn_head *head)
{
	bool is_new = !slot_holds(SLOT_TARGET, head->target, head->target_length);

	if (is_new && (!slot_put(SLOT_TARGET, python_make_latin1(head->target, head->target_length)) ||
		       PyDict_SetItem(template, request_uri_key, slots[SLOT_TARGET].value) != 0))
		return false;
	if (!slot_set(SLOT_QUERY_STRING, head->query, head->query_length))
		return false;
	if (root_path_length > 0 || memchr(head->path, '%', head->path_length) != NULL)
		return path_set_decoded(head->path, head->path_length);
	if (head->path_length == head->target_length && !slot_holds(SLOT_PATH_INFO, head->path, head->path_length))
		return slot_put(SLOT_PATH_INFO, Py_NewRef(slots[SLOT_TARGET].value));
	return slot_set(SLOT_PATH_INFO, head->path, head->path_length);
}

/** SERVER_NAME must not be empty, which the name of a Unix socket may be; then the client says what it is called. */
static bool server_set_unix(const struct unicorn_request *request, const char *scheme)
{
	const char *host = unicorn_request_header(request, "host");
	size_t length = host != NULL ? strlen(host) : 0;
	const char *colon = length > 0 ? strrchr(host, ':') : NULL;
	bool is_secure = strcmp(scheme, "https") == 0;
	unsigned long port = is_secure ? 443 : 80;

	if (colon != NULL && strchr(colon, ']') == NULL) {
		unsigned long number = strtoul(colon + 1, NULL, 10);

		length = (size_t)(colon - host);
		port = number > 0 && number <= UINT16_MAX ? number : port;
	}
	if (length == 0) {
		host = "localhost";
		length = strlen(host);
	}
	return slot_set_common(SLOT_SERVER_NAME, host, length) &&
	       port_set(SLOT_SERVER_PORT, (uint16_t)port, &server_port);
}

static bool addresses_set(struct unicorn_request *request, const struct unicorn_head *head)
{
	struct unicorn_address client, server;

	unicorn_request_client(request, &client);
	if (!slot_set_common(SLOT_REMOTE_ADDRESS, client.host, strlen(client.host)) ||
	    !port_set(SLOT_REMOTE_PORT, client.port, &remote_port))
		return false;
	unicorn_request_server(request, &server);
	if (server.port == 0)
		return server_set_unix(request, head->scheme);
	return slot_set_common(SLOT_SERVER_NAME, server.host, strlen(server.host)) &&
	       port_set(SLOT_SERVER_PORT, server.port, &server_port);
}

static bool template_update(struct unicorn_request *request, const struct unicorn_head *head)
{
	return slot_set_common(SLOT_METHOD, head->method, head->method_length) && target_set(head) &&
	       slot_set_common(SLOT_PROTOCOL, head->minor_version == 0 ? "HTTP/1.0" : "HTTP/1.1", 8) &&
	       slot_set_common(SLOT_SCHEME, head->scheme, strlen(head->scheme)) && addresses_set(request, head);
}

/* ---- the body */

/** One that came in chunks is decoded and there to the end, so its length is known as well as any. */
static bool length_set(PyObject *environment, struct unicorn_request *request)
{
	PyObject *length = PyUnicode_FromFormat("%zu", unicorn_body_available(request));
	bool is_done = length != NULL && PyDict_SetItem(environment, content_length_key, length) == 0;

	Py_XDECREF(length);
	return is_done;
}

static bool body_set(PyObject *environment, struct unicorn_request *request, int64_t content_length, PyObject **input)
{
	if (content_length < 0 && !length_set(environment, request))
		return false;
	if (unicorn_body_is_finished(request))
		return true;
	*input = wsgi_input_create(request);
	return *input != NULL && PyDict_SetItem(environment, input_key, *input) == 0;
}

PyObject *wsgi_environ_create(struct unicorn_request *request, PyObject **input)
{
	const struct unicorn_head *head = unicorn_request_head(request);
	PyObject *environment;
	bool is_done;

	*input = NULL;
	if (!template_update(request, head))
		return NULL;
	environment = PyDict_Copy(template);
	is_done = environment != NULL;
	for (uint32_t i = 0; is_done && i < head->header_count; i++)
		is_done = wsgi_fields_add(environment, &head->headers[i]);
	if (is_done && head->content_length != 0)
		is_done = body_set(environment, request, head->content_length, input);
	if (!is_done) {
		Py_CLEAR(*input);
		Py_CLEAR(environment);
	}
	return environment;
}

/* ---- the template */

/** Steals the value. */
static bool template_put(const char *key, PyObject *value)
{
	PyObject *name = PyUnicode_InternFromString(key);
	bool is_done = name != NULL && value != NULL && PyDict_SetItem(template, name, value) == 0;

	Py_XDECREF(name);
	Py_XDECREF(value);
	return is_done;
}

static bool slots_fill(void)
{
	for (size_t i = 0; i < SLOT_COUNT; i++) {
		slots[i].key = PyUnicode_InternFromString(slot_keys[i]);
		if (slots[i].key == NULL || !slot_put((enum slot_name)i, PyUnicode_FromString("")))
			return false;
	}
	request_uri_key = PyUnicode_InternFromString("REQUEST_URI");
	input_key = PyUnicode_InternFromString("wsgi.input");
	content_length_key = PyUnicode_InternFromString("CONTENT_LENGTH");
	return request_uri_key != NULL && input_key != NULL && content_length_key != NULL &&
	       PyDict_SetItem(template, request_uri_key, slots[SLOT_TARGET].value) == 0 &&
	       slot_put(SLOT_REMOTE_PORT, port_text(0)) && slot_set(SLOT_SCRIPT_NAME, root_path, root_path_length);
}

/** Where the application complains. @return a new reference */
static PyObject *errors_get(void)
{
	PyObject *errors = PySys_GetObject("stderr");
	int fd;

	if (errors != NULL && errors != Py_None)
		return Py_NewRef(errors);
	/* Started without a descriptor 2. */
	fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return fd < 0 ? PyErr_SetFromErrno(PyExc_OSError)
		      : PyFile_FromFd(fd, "/dev/null", "w", -1, "utf-8", "backslashreplace", NULL, 1);
}

bool wsgi_environ_prepare(const struct unicorn_app_options *options, PyObject *early_hints)
{
	root_path = options->root_path;
	root_path_length = strlen(root_path);
	python_cache_init(&texts, python_make_latin1);
	template = PyDict_New();
	return template != NULL && slots_fill() && template_put("wsgi.version", Py_BuildValue("(ii)", 1, 0)) &&
	       template_put("wsgi.input", wsgi_input_create(NULL)) && template_put("wsgi.errors", errors_get()) &&
	       template_put("wsgi.multithread", PyBool_FromLong(options->threads > 1)) &&
	       template_put("wsgi.multiprocess", PyBool_FromLong(options->is_multiprocess)) &&
	       template_put("wsgi.run_once", PyBool_FromLong(0)) &&
	       template_put("wsgi.input_terminated", PyBool_FromLong(1)) &&
	       template_put("wsgi.file_wrapper", Py_XNewRef(wsgi_file_prepare())) &&
	       template_put("wsgi.early_hints", Py_XNewRef(early_hints)) &&
	       template_put("SERVER_SOFTWARE", PyUnicode_FromString("unicornd"));
}

void wsgi_environ_finish(void)
{
	for (size_t i = 0; i < SLOT_COUNT; i++) {
		Py_CLEAR(slots[i].key);
		slots[i].value = NULL;
	}
	for (size_t i = 0; i < PORTS; i++)
		Py_CLEAR(port_texts[i]);
	Py_CLEAR(request_uri_key);
	Py_CLEAR(input_key);
	Py_CLEAR(content_length_key);
	Py_CLEAR(template);
	python_cache_finish(&texts);
	wsgi_fields_finish();
}
