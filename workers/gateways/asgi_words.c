#include "asgi_words.h"

struct asgi_words asgi_words;

int asgi_words_init(void)
{
	static const struct {
		PyObject **word;
		const char *text;
	} rows[] = {
#define ROW_NAME(name)       { &asgi_words.name, #name },
#define ROW_TEXT(name, text) { &asgi_words.name, text },
		ASGI_NAMES(ROW_NAME) ASGI_TEXTS(ROW_TEXT)
#undef ROW_NAME
#undef ROW_TEXT
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		*rows[i].word = PyUnicode_InternFromString(rows[i].text);
		if (*rows[i].word == NULL)
			return -1;
	}
	asgi_words.no_bytes = PyBytes_FromStringAndSize(NULL, 0);
	return asgi_words.no_bytes == NULL ? -1 : 0;
}

void asgi_words_finish(void)
{
#define CLEAR_NAME(name)       Py_CLEAR(asgi_words.name);
#define CLEAR_TEXT(name, text) Py_CLEAR(asgi_words.name);
	ASGI_NAMES(CLEAR_NAME)
	ASGI_TEXTS(CLEAR_TEXT)
#undef CLEAR_NAME
#undef CLEAR_TEXT
	Py_CLEAR(asgi_words.no_bytes);
}
