#include "files_headers.h"

#include <string.h>

void files_headers_add(struct files_headers *headers, const char *name, const char *value)
{
	if (headers->count == FILES_HEADERS_MAX)
		return;
	headers->items[headers->count++] = (struct unicorn_header){
		.name = name,
		.value = value,
		.name_length = (uint32_t)strlen(name),
		.value_length = (uint32_t)strlen(value),
	};
}

static const char *text_of_status(int status)
{
	switch (status) {
	case 301:
		return "It is a folder: its address ends with a slash.\n";
	case 400:
		return "The path of the request is malformed.\n";
	case 403:
		return "This file may not be read.\n";
	case 404:
		return "There is no such file.\n";
	case 405:
		return "Files can be read with GET and HEAD only.\n";
	case 406:
		return "There is no form of this file that the client accepts.\n";
	case 412:
		return "The file is another one by now.\n";
	case 416:
		return "The file has no such ranges.\n";
	case 503:
		return "The server is short of something, try again later.\n";
	default:
		return "The file could not be sent.\n";
	}
}

void files_headers_answer(struct files_headers *headers, struct unicorn_request *request, int status)
{
	const char *text = text_of_status(status);

	files_headers_add(headers, "content-type", "text/plain; charset=utf-8");
	files_headers_add(headers, "x-content-type-options", "nosniff");
	if (unicorn_answer(request, status, headers->items, headers->count, text, strlen(text)) != 0)
		unicorn_answer_abort(request);
}
