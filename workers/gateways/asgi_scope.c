#include "asgi_scope.h"

#include "asgi_words.h"
#include "python_text.h"
#include "unicornd/app.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ASGI_VERSION          "3.0"
#define SPEC_VERSION          "2.5"
#define LIFESPAN_SPEC_VERSION "2.0"

/* Longer paths are decoded in memory of their own. */
#define PATH_INLINE_BYTES 1024

/** What all scopes of a kind have, with a place for everything else. */
struct template
{
	PyObject *scope;
	PyObject *asgi;
	PyObject *extensions;
};

static struct {
	struct template http;
	struct template websocket;
	PyObject *state;
	PyObject *no_port;
	const char *root_path;
	size_t root_path_length;
	struct python_cache names;
	struct python_cache methods;
	struct python_cache hosts;
} scopes;

/** Sets a key to what may be NULL, with an exception set; takes it over. */
static bool put(PyObject *scope, PyObject *key, PyObject *value)
{
	int status = value == NULL ? -1 : PyDict_SetItem(scope, key, value);

	Py_XDECREF(value);
	return status == 0;
}

/* ---- path */

/** Does the path begin with where the application is mounted? A proxy may have cut that off. */
static bool path_has_root(const char *path, size_t length)
{
	size_t root = scopes.root_path_length;

	return length >= root && memcmp(path, scopes.root_path, root) == 0 && (length == root || path[root] == '/');
}

/** @param decoded  room for the root path and the path */
static PyObject *path_decode(const struct unicorn_head *head, char *decoded)
{
	size_t root = scopes.root_path_length;
	size_t length = python_decode_percent(head->path, head->path_length, decoded + root);

	if (root == 0 || head->path[0] != '/' || path_has_root(decoded + root, length))
		return PyUnicode_DecodeUTF8(decoded + root, (Py_ssize_t)length, "replace");
	memcpy(decoded, scopes.root_path, root);
	return PyUnicode_DecodeUTF8(decoded, (Py_ssize_t)(root + length), "replace");
}

/** The whole path, as the specification wants it: with the root path in front, whether or not it came with that. */
static PyObject *path_create(const struct unicorn_head *head)
{
	char inlined[PATH_INLINE_BYTES];
	size_t size = scopes.root_path_length + head->path_length;
	char *decoded = size <= sizeof(inlined) ? inlined : malloc(size);
	PyObject *path;

	if (decoded == NULL)
		return PyErr_NoMemory();
	path = path_decode(head, decoded);
	if (decoded != inlined)
		free(decoded);
	return path;
}

/* ---- headers */

/** @param name  taken over. @return a new pair, or NULL */
static PyObject *pair_create(PyObject *name, const struct unicorn_header *header)
{
	PyObject *value = PyBytes_FromStringAndSize(header->value, (Py_ssize_t)header->value_length);
	PyObject *pair = name == NULL || value == NULL ? NULL : PyTuple_New(2);

	if (pair == NULL) {
		Py_XDECREF(name);
		Py_XDECREF(value);
		return NULL;
	}
	PyTuple_SET_ITEM(pair, 0, name);
	PyTuple_SET_ITEM(pair, 1, value);
	return pair;
}

static PyObject *headers_create(const struct unicorn_head *head)
{
	PyObject *list = PyList_New((Py_ssize_t)head->header_count);

	for (uint32_t i = 0; list != NULL && i < head->header_count; i++) {
		const struct unicorn_header *header = &head->headers[i];
		PyObject *name = python_cache_get(&scopes.names, header->name, header->name_length);
		PyObject *pair = pair_create(name, header);

		if (pair == NULL)
			Py_CLEAR(list);
		else
			PyList_SET_ITEM(list, (Py_ssize_t)i, pair);
	}
	return list;
}

/** Appends what stands between commas, without blanks. */
static int subprotocols_split(PyObject *list, const char *text)
{
	while (*text != '\0') {
		size_t skipped = strspn(text, ", \t");
		size_t length = strcspn(text + skipped, ", \t");
		PyObject *name;
		int status;

		text += skipped;
		if (length == 0)
			break;
		name = PyUnicode_DecodeLatin1(text, (Py_ssize_t)length, NULL);
		status = name == NULL ? -1 : PyList_Append(list, name);
		Py_XDECREF(name);
		if (status < 0)
			return -1;
		text += length;
	}
	return 0;
}

static PyObject *subprotocols_create(const struct unicorn_head *head)
{
	PyObject *list = PyList_New(0);

	for (uint32_t i = 0; list != NULL && i < head->header_count; i++) {
		const struct unicorn_header *header = &head->headers[i];

		if (strcmp(header->name, "sec-websocket-protocol") == 0 && subprotocols_split(list, header->value) < 0)
			Py_CLEAR(list);
	}
	return list;
}

/* ---- addresses */

/** @return (host, port); (path, None) of a Unix socket; None when there is no name */
static PyObject *address_create(const struct unicorn_address *address, PyObject *no_port)
{
	PyObject *host;
	PyObject *port;
	PyObject *pair;

	if (address->host == NULL || address->host[0] == '\0')
		return Py_NewRef(Py_None);
	host = python_cache_get(&scopes.hosts, address->host, strlen(address->host));
	port = address->port == 0 ? Py_NewRef(no_port) : PyLong_FromLong(address->port);
	pair = host == NULL || port == NULL ? NULL : PyTuple_New(2);
	if (pair == NULL) {
		Py_XDECREF(host);
		Py_XDECREF(port);
		return NULL;
	}
	PyTuple_SET_ITEM(pair, 0, host);
	PyTuple_SET_ITEM(pair, 1, port);
	return pair;
}

static bool put_addresses(PyObject *scope, struct unicorn_request *request)
{
	struct unicorn_address client;
	struct unicorn_address server;

	unicorn_request_client(request, &client);
	unicorn_request_server(request, &server);
	return put(scope, asgi_words.client, address_create(&client, scopes.no_port)) &&
	       put(scope, asgi_words.server, address_create(&server, Py_None));
}

/* ---- scopes */

/** What HTTP and WebSocket have in common. An application may change what it is given, so it gets copies. */
static bool put_common(PyObject *scope, const struct template *template, struct unicorn_request *request)
{
	const struct unicorn_head *head = unicorn_request_head(request);
	PyObject *version = head->minor_version == 0 ? asgi_words.version_1_0 : asgi_words.version_1_1;

	return put(scope, asgi_words.asgi, PyDict_Copy(template->asgi)) &&
	       put(scope, asgi_words.extensions, PyDict_Copy(template->extensions)) &&
	       put(scope, asgi_words.state, PyDict_Copy(scopes.state)) &&
	       put(scope, asgi_words.http_version, Py_NewRef(version)) &&
	       put(scope, asgi_words.path, path_create(head)) &&
	       put(scope, asgi_words.raw_path, PyBytes_FromStringAndSize(head->path, (Py_ssize_t)head->path_length)) &&
	       put(scope, asgi_words.query_string,
		   PyBytes_FromStringAndSize(head->query, (Py_ssize_t)head->query_length)) &&
	       put(scope, asgi_words.headers, headers_create(head)) && put_addresses(scope, request);
}

static bool is_secure(const struct unicorn_head *head)
{
	return strcmp(head->scheme, "https") == 0;
}

PyObject *asgi_scope_create_http(struct unicorn_request *request)
{
	const struct unicorn_head *head = unicorn_request_head(request);
	PyObject *scope = PyDict_Copy(scopes.http.scope);

	if (scope == NULL)
		return NULL;
	if (put_common(scope, &scopes.http, request) &&
	    put(scope, asgi_words.scheme, Py_NewRef(is_secure(head) ? asgi_words.https : asgi_words.http)) &&
	    put(scope, asgi_words.method, python_cache_get(&scopes.methods, head->method, head->method_length)))
		return scope;
	Py_DECREF(scope);
	return NULL;
}

PyObject *asgi_scope_create_websocket(struct unicorn_request *request)
{
	const struct unicorn_head *head = unicorn_request_head(request);
	PyObject *scope = PyDict_Copy(scopes.websocket.scope);

	if (scope == NULL)
		return NULL;
	if (put_common(scope, &scopes.websocket, request) &&
	    put(scope, asgi_words.scheme, Py_NewRef(is_secure(head) ? asgi_words.wss : asgi_words.ws)) &&
	    put(scope, asgi_words.subprotocols, subprotocols_create(head)))
		return scope;
	Py_DECREF(scope);
	return NULL;
}

static PyObject *asgi_create(const char *spec_version)
{
	return Py_BuildValue("{OsOs}", asgi_words.version, ASGI_VERSION, asgi_words.spec_version, spec_version);
}

PyObject *asgi_scope_create_lifespan(void)
{
	return Py_BuildValue("{OOONOO}", asgi_words.type, asgi_words.lifespan, asgi_words.asgi,
			     asgi_create(LIFESPAN_SPEC_VERSION), asgi_words.state, scopes.state);
}

/* ---- start and end */

/** @param names  of extensions, separated by blanks */
static PyObject *extensions_create(const char *names)
{
	PyObject *extensions = PyDict_New();

	while (extensions != NULL && *names != '\0') {
		size_t length = strcspn(names, " ");
		PyObject *name = PyUnicode_DecodeASCII(names, (Py_ssize_t)length, NULL);

		if (name == NULL || !put(extensions, name, PyDict_New()))
			Py_CLEAR(extensions);
		Py_XDECREF(name);
		names += length + strspn(names + length, " ");
	}
	return extensions;
}

/** Each key has its place, so that a copy is filled in without ever growing. */
static bool template_init(struct template *template, PyObject *type, PyObject *special, const char *extensions)
{
	PyObject *keys[] = { asgi_words.asgi,    asgi_words.http_version, asgi_words.server,   asgi_words.client,
			     asgi_words.scheme,  asgi_words.path,         asgi_words.raw_path, asgi_words.query_string,
			     asgi_words.headers, asgi_words.extensions,   asgi_words.state,    special };

	template->asgi = asgi_create(SPEC_VERSION);
	template->extensions = extensions_create(extensions);
	template->scope = PyDict_New();
	if (template->asgi == NULL || template->extensions == NULL || template->scope == NULL)
		return false;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (PyDict_SetItem(template->scope, keys[i], Py_None) < 0)
			return false;
	return put(template->scope, asgi_words.type, Py_NewRef(type)) &&
	       put(template->scope, asgi_words.root_path,
		   PyUnicode_DecodeUTF8(scopes.root_path, (Py_ssize_t)scopes.root_path_length, "replace"));
}

static void template_finish(struct template *template)
{
	Py_CLEAR(template->scope);
	Py_CLEAR(template->asgi);
	Py_CLEAR(template->extensions);
}

int asgi_scope_init(const char *root_path)
{
	scopes.root_path = root_path;
	scopes.root_path_length = strlen(root_path);
	python_cache_init(&scopes.names, python_make_bytes);
	python_cache_init(&scopes.methods, python_make_latin1);
	python_cache_init(&scopes.hosts, python_make_latin1);
	scopes.state = PyDict_New();
	scopes.no_port = PyLong_FromLong(0);
	if (scopes.state == NULL || scopes.no_port == NULL ||
	    !template_init(&scopes.http, asgi_words.http, asgi_words.method,
			   "http.response.pathsend http.response.zerocopysend http.response.early_hint "
			   "http.response.trailers") ||
	    !template_init(&scopes.websocket, asgi_words.websocket, asgi_words.subprotocols, "websocket.http.response"))
		return -1;
	return 0;
}

void asgi_scope_finish(void)
{
	template_finish(&scopes.http);
	template_finish(&scopes.websocket);
	python_cache_finish(&scopes.names);
	python_cache_finish(&scopes.methods);
	python_cache_finish(&scopes.hosts);
	Py_CLEAR(scopes.state);
	Py_CLEAR(scopes.no_port);
}
