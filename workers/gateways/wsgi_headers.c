/*
 * wsgi_headers.c - the checks that PEP 3333 asks for when start_response() is called, so that the one who erred is
 * told.
 */
#include "wsgi_headers.h"

#include <string.h>

/* What a name of a header may consist of (RFC 9110, token): letters and digits apart, these. */
static const char token_marks[] = "!#$%&'*+-.^_`|~";

/** Per byte of a name: 0 when it must not be there, else its lower case. */
static unsigned char token_lower[256];

static void tokens_prepare(void)
{
	for (int i = 0; i < 26; i++) {
		token_lower['a' + i] = (unsigned char)('a' + i);
		token_lower['A' + i] = (unsigned char)('a' + i);
	}
	for (int i = '0'; i <= '9'; i++)
		token_lower[i] = (unsigned char)i;
	for (const char *mark = token_marks; *mark != '\0'; mark++)
		token_lower[(unsigned char)*mark] = (unsigned char)*mark;
}

void wsgi_headers_init(struct wsgi_headers *headers)
{
	if (token_lower['a'] == 0)
		tokens_prepare();
	headers->status_text = NULL;
	headers->reason = NULL;
	headers->status = 0;
	headers->content_length = -1;
	headers->count = 0;
	headers->capacity = WSGI_HEADERS_FEW;
	headers->list = headers->few_list;
	headers->owners = headers->few_owners;
}

void wsgi_headers_clear(struct wsgi_headers *headers)
{
	size_t count = headers->count;

	headers->count = 0;
	headers->content_length = -1;
	for (size_t i = 0; i < count; i++)
		Py_CLEAR(headers->owners[i]);
	Py_CLEAR(headers->status_text);
	if (headers->list != headers->few_list) {
		PyMem_Free(headers->list);
		PyMem_Free(headers->owners);
		headers->list = headers->few_list;
		headers->owners = headers->few_owners;
		headers->capacity = WSGI_HEADERS_FEW;
	}
}

static bool headers_reserve(struct wsgi_headers *headers, size_t count)
{
	struct unicorn_header *list;
	PyObject **owners;

	if (count <= headers->capacity)
		return true;
	list = PyMem_Calloc(count + 1, sizeof(*list));
	owners = PyMem_Calloc(count, sizeof(*owners));
	if (list == NULL || owners == NULL) {
		PyMem_Free(list);
		PyMem_Free(owners);
		PyErr_NoMemory();
		return false;
	}
	headers->list = list;
	headers->owners = owners;
	headers->capacity = count;
	return true;
}

/* ---- one header */

/** @return the bytes of a str in latin-1 without copying, or NULL with the exception set */
static const char *text_bytes(PyObject *text, const char *what, uint32_t *length)
{
	if (!PyUnicode_Check(text)) {
		PyErr_Format(PyExc_TypeError, "start_response(): %s must be str, not %.100s: %.100R", what,
			     Py_TYPE(text)->tp_name, text);
		return NULL;
	}
#if PY_VERSION_HEX < 0x030c0000
	if (PyUnicode_READY(text) != 0)
		return NULL;
#endif
	if (PyUnicode_KIND(text) != PyUnicode_1BYTE_KIND) {
		PyErr_Format(PyExc_ValueError, "start_response(): %s has characters that latin-1 does not have: %.100R",
			     what, text);
		return NULL;
	}
	if (PyUnicode_GET_LENGTH(text) > INT32_MAX) {
		PyErr_Format(PyExc_ValueError, "start_response(): %s is too long", what);
		return NULL;
	}
	*length = (uint32_t)PyUnicode_GET_LENGTH(text);
	return (const char *)PyUnicode_1BYTE_DATA(text);
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/** Is there a control character? Eight bytes at a time; what looks like one is looked at alone. */
static bool bytes_have_control(const char *bytes, size_t length)
{
	size_t i = 0;

	for (; length - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
		uint64_t part, deleted;

		memcpy(&part, bytes + i, sizeof(part));
		deleted = part ^ EACH(0x7f);
		if ((((part - EACH(0x20)) & ~part) | ((deleted - EACH(1)) & ~deleted)) & EACH(0x80))
			break;
	}
	for (; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
			return true;
	}
	return false;
}

static bool name_is(const char *lower, size_t length, const char *name)
{
	return strlen(name) == length && memcmp(lower, name, length) == 0;
}

/** Names that speak of the connection, which is the server's to do and not the application's. */
static bool name_is_hop_by_hop(const char *lower, size_t length)
{
	static const char *const names[] = { "connection", "keep-alive", "proxy-authenticate", "proxy-authorization",
					     "te",         "trailers",   "transfer-encoding",  "upgrade" };

	if (lower[0] != 'c' && lower[0] != 'k' && lower[0] != 'p' && lower[0] != 't' && lower[0] != 'u')
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (name_is(lower, length, names[i]))
			return true;
	}
	return false;
}

/** Room for the names that mean something here. */
#define NAME_BYTES 24

/**
 * PEP 3333 forbids them, but applications that hand on another server's answer, or stream events, send them, and
 * servers have always left them out.
 */
static void tell_of_hop_by_hop(PyObject *name)
{
	static bool is_told;
	const char *text = is_told ? NULL : PyUnicode_AsUTF8(name);

	if (text != NULL)
		unicorn_log(UNICORN_WARNING,
			    "wsgi: the application's header %s is left out, and others that speak of the connection: "
			    "that is the server's to do (PEP 3333)",
			    text);
	is_told = true;
}

/** Checks a name. @param lower  its first NAME_BYTES in lower case */
static bool name_check(PyObject *text, const char *name, uint32_t length, char lower[NAME_BYTES])
{
	for (uint32_t i = 0; i < length; i++) {
		unsigned char byte = token_lower[(unsigned char)name[i]];

		if (byte == 0) {
			length = 0;
			break;
		}
		if (i < NAME_BYTES)
			lower[i] = (char)byte;
	}
	if (length == 0) {
		PyErr_Format(PyExc_ValueError, "start_response(): %.100R cannot be the name of a header", text);
		return false;
	}
	return true;
}

static bool length_parse(const struct unicorn_header *header, int64_t *length)
{
	int64_t sum = 0;

	for (uint32_t i = 0; i < header->value_length; i++) {
		char digit = header->value[i];

		if (digit < '0' || digit > '9' || sum > (INT64_MAX - 9) / 10) {
			sum = -1;
			break;
		}
		sum = sum * 10 + (digit - '0');
	}
	if (header->value_length == 0 || sum < 0 || (*length >= 0 && *length != sum)) {
		PyErr_Format(PyExc_ValueError, "start_response(): %s Content-Length: %.100s",
			     *length >= 0 ? "a second" : "this is no", header->value);
		return false;
	}
	*length = sum;
	return true;
}

/** @return 1 when the header is to be sent, 0 when it is to be left out, -1 with an exception set */
static int pair_convert(struct wsgi_headers *headers, PyObject *pair, struct unicorn_header *header)
{
	char lower[NAME_BYTES];
	PyObject *name, *value;

	if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
		PyErr_Format(PyExc_TypeError,
			     "start_response(): a header must be a tuple of name and value, not %.100s: %.100R",
			     Py_TYPE(pair)->tp_name, pair);
		return -1;
	}
	name = PyTuple_GET_ITEM(pair, 0);
	value = PyTuple_GET_ITEM(pair, 1);
	header->name = text_bytes(name, "the name of a header", &header->name_length);
	if (header->name == NULL || !name_check(name, header->name, header->name_length, lower))
		return -1;
	header->value = text_bytes(value, "the value of a header", &header->value_length);
	if (header->value == NULL)
		return -1;
	if (bytes_have_control(header->value, header->value_length)) {
		PyErr_Format(PyExc_ValueError, "start_response(): the value of %U has a control character: %.100R",
			     name, value);
		return -1;
	}
	if (header->name_length < NAME_BYTES && name_is_hop_by_hop(lower, header->name_length)) {
		tell_of_hop_by_hop(name);
		return 0;
	}
	if (header->name_length == 14 && name_is(lower, 14, "content-length") &&
	    !length_parse(header, &headers->content_length))
		return -1;
	return 1;
}

/* ---- all of them */

bool wsgi_headers_set_fields(struct wsgi_headers *headers, PyObject *list)
{
	if (!PyList_Check(list)) {
		PyErr_Format(PyExc_TypeError, "start_response(): the headers must be a list of tuples, not %.100s",
			     Py_TYPE(list)->tp_name);
		return false;
	}
	if (!headers_reserve(headers, (size_t)PyList_GET_SIZE(list)))
		return false;
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list) && headers->count < headers->capacity; i++) {
		PyObject *pair = PyList_GET_ITEM(list, i);
		int result = pair_convert(headers, pair, &headers->list[headers->count]);

		if (result < 0) {
			wsgi_headers_clear(headers);
			return false;
		}
		if (result > 0)
			headers->owners[headers->count++] = Py_NewRef(pair);
	}
	return true;
}

/** "NNN reason" */
static bool status_parse(struct wsgi_headers *headers, PyObject *text)
{
	uint32_t length;
	const char *bytes = text_bytes(text, "the status", &length);
	bool is_number = bytes != NULL && length >= 3;

	if (bytes == NULL)
		return false;
	for (uint32_t i = 0; is_number && i < 3; i++)
		is_number = bytes[i] >= '0' && bytes[i] <= '9';
	if (!is_number || (length > 3 && bytes[3] != ' ') || bytes_have_control(bytes, length)) {
		PyErr_Format(PyExc_ValueError, "start_response(): the status must look like \"200 OK\": %.100R", text);
		return false;
	}
	headers->status = (bytes[0] - '0') * 100 + (bytes[1] - '0') * 10 + (bytes[2] - '0');
	if (headers->status < 200 || headers->status > 599) {
		PyErr_Format(PyExc_ValueError, "start_response(): no answer has the status %d: it must be 200 to 599",
			     headers->status);
		return false;
	}
	/* Most say what the worker would have said; that is quicker. */
	headers->reason = length > 4 && !(headers->status == 200 && strcmp(bytes + 4, "OK") == 0) ? bytes + 4 : NULL;
	return true;
}

bool wsgi_headers_set(struct wsgi_headers *headers, PyObject *status, PyObject *list)
{
	wsgi_headers_clear(headers);
	if (!status_parse(headers, status) || !wsgi_headers_set_fields(headers, list))
		return false;
	headers->status_text = Py_NewRef(status);
	return true;
}

size_t wsgi_headers_add_length(struct wsgi_headers *headers, int64_t length)
{
	struct unicorn_header *header = &headers->list[headers->count];
	char *digit = headers->length_text + sizeof(headers->length_text) - 1;

	*digit = '\0';
	headers->content_length = length;
	do
		*--digit = (char)('0' + length % 10);
	while ((length /= 10) > 0);
	header->name = "Content-Length";
	header->name_length = 14;
	header->value = digit;
	header->value_length = (uint32_t)(headers->length_text + sizeof(headers->length_text) - 1 - digit);
	return headers->count + 1;
}
