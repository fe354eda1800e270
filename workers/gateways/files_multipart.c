#include "files_multipart.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define BOUNDARY_BYTES 32
/* What stands in front of a part: boundary, type and three numbers. */
#define PART_HEAD_BYTES 320
#define LAST_LINE_BYTES (BOUNDARY_BYTES + 8)

struct files_multipart {
	int fd;
	const char *type;
	int64_t size;
	char boundary[BOUNDARY_BYTES + 1];
	size_t next; /* part to send */
	size_t count;
	struct files_range ranges[];
};

/** A boundary that nobody can have written into the file beforehand. */
static bool make_boundary(char boundary[BOUNDARY_BYTES + 1])
{
	uint64_t random[2];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return false;
	(void)snprintf(boundary, BOUNDARY_BYTES + 1, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
	return true;
}

struct files_multipart *files_multipart_create(int fd, const char *type, int64_t size, const struct files_range *ranges,
					       size_t count)
{
	struct files_multipart *multipart = malloc(sizeof(*multipart) + count * sizeof(*ranges));

	if (multipart == NULL) {
		(void)close(fd);
		return NULL;
	}
	*multipart = (struct files_multipart){ .fd = fd, .type = type, .size = size, .count = count };
	memcpy(multipart->ranges, ranges, count * sizeof(*ranges));
	if (!make_boundary(multipart->boundary)) {
		files_multipart_destroy(multipart);
		return NULL;
	}
	return multipart;
}

void files_multipart_destroy(struct files_multipart *multipart)
{
	if (multipart == NULL)
		return;
	(void)close(multipart->fd);
	free(multipart);
}

static size_t format_part_head(const struct files_multipart *multipart, size_t part, char head[PART_HEAD_BYTES])
{
	const struct files_range *range = &multipart->ranges[part];

	return (size_t)snprintf(head, PART_HEAD_BYTES,
				"%s--%s\r\nContent-Type: %s\r\n"
				"Content-Range: bytes %" PRId64 "-%" PRId64 "/%" PRId64 "\r\n\r\n",
				part == 0 ? "" : "\r\n", multipart->boundary, multipart->type, range->first,
				range->first + range->length - 1, multipart->size);
}

static size_t format_last_line(const struct files_multipart *multipart, char line[LAST_LINE_BYTES + 1])
{
	return (size_t)snprintf(line, LAST_LINE_BYTES + 1, "\r\n--%s--\r\n", multipart->boundary);
}

int files_multipart_begin(struct files_multipart *multipart, struct unicorn_request *request,
			  struct files_headers *headers)
{
	char head[PART_HEAD_BYTES];
	char type[BOUNDARY_BYTES + 64];
	char length_text[24];
	int64_t length = LAST_LINE_BYTES;

	for (size_t part = 0; part < multipart->count; part++)
		length += (int64_t)format_part_head(multipart, part, head) + multipart->ranges[part].length;
	(void)snprintf(type, sizeof(type), "multipart/byteranges; boundary=%s", multipart->boundary);
	(void)snprintf(length_text, sizeof(length_text), "%" PRId64, length);
	files_headers_add(headers, "content-type", type);
	files_headers_add(headers, "content-length", length_text);
	return unicorn_answer_begin(request, 206, NULL, headers->items, headers->count);
}

/** @return as unicorn_answer_write() */
static int send_part(struct files_multipart *multipart, struct unicorn_request *request)
{
	const struct files_range *range = &multipart->ranges[multipart->next];
	char head[PART_HEAD_BYTES];
	const size_t length = format_part_head(multipart, multipart->next, head);
	/* Every part is given away with a descriptor of its own. */
	const int fd = fcntl(multipart->fd, F_DUPFD_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -errno;
	error = unicorn_answer_write(request, head, length);
	if (error != 0) {
		(void)close(fd);
		return error;
	}
	multipart->next++;
	return unicorn_answer_file(request, fd, range->first, range->length);
}

void files_multipart_send(struct files_multipart *multipart, struct unicorn_request *request)
{
	char line[LAST_LINE_BYTES + 1];
	int error = 0;

	/* Past a client that has left nothing may be touched: closed() may have been called. */
	while (multipart->next < multipart->count) {
		error = send_part(multipart, request);
		if (error == -EPIPE)
			return;
		if (error != 0) {
			unicorn_log(UNICORN_ERROR, "files: cannot send a range: %s", strerror(-error));
			unicorn_answer_abort(request);
			return;
		}
		if (unicorn_answer_is_congested(request))
			return;
	}
	(void)unicorn_answer_finish(request, line, format_last_line(multipart, line));
}
