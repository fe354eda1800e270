#include "http_body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BYTES_MIN 4096

void http_body_init(struct http_body *body, bool is_spooled)
{
	*body = (struct http_body){ .file = -1, .is_spooled = is_spooled };
}

void http_body_finish(struct http_body *body)
{
	free(body->bytes);
	if (body->file >= 0)
		(void)close(body->file);
	body->bytes = NULL;
	body->file = -1;
}

/** A file without a name in $TMPDIR, /var/tmp or /tmp; in memory where none of them takes one. */
static int file_open(void)
{
	const char *folders[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		int fd = folders[i] == NULL ? -1 : open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

		if (fd >= 0)
			return fd;
	}
	return memfd_create("unicornd-body", MFD_CLOEXEC);
}

static int file_append(struct http_body *body, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = pwrite(body->file, bytes, length, body->file_length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		bytes += written;
		length -= (size_t)written;
		body->file_length += written;
	}
	return 0;
}

/** What is in memory becomes the beginning of a file. */
static int move_to_file(struct http_body *body)
{
	int result;

	body->file = file_open();
	if (body->file < 0)
		return -errno;
	result = file_append(body, body->bytes + body->start, body->length);
	free(body->bytes);
	body->bytes = NULL;
	body->start = 0;
	body->length = 0;
	body->capacity = 0;
	return result;
}

static int memory_reserve(struct http_body *body, size_t more)
{
	size_t capacity = body->capacity > 0 ? body->capacity : BYTES_MIN;
	char *bytes;

	if (body->start > 0) {
		memmove(body->bytes, body->bytes + body->start, body->length);
		body->start = 0;
	}
	while (capacity < body->length + more)
		capacity *= 2;
	if (capacity == body->capacity)
		return 0;
	bytes = realloc(body->bytes, capacity);
	if (bytes == NULL)
		return -ENOMEM;
	body->bytes = bytes;
	body->capacity = capacity;
	return 0;
}

int http_body_append(struct http_body *body, const char *bytes, size_t length)
{
	body->received += (int64_t)length;
	if (body->is_discarded)
		return 0;
	if (body->is_spooled && body->file < 0 && body->length + length > HTTP_BODY_MEMORY_BYTES) {
		int result = move_to_file(body);

		if (result != 0)
			return result;
	}
	if (body->file >= 0)
		return file_append(body, bytes, length);
	if (body->start + body->length + length > body->capacity && memory_reserve(body, length) != 0)
		return -ENOMEM;
	memcpy(body->bytes + body->start + body->length, bytes, length);
	body->length += length;
	return 0;
}

int64_t http_body_available(const struct http_body *body)
{
	return body->file_length - body->file_start + (int64_t)body->length;
}

static int64_t file_read(struct http_body *body, void *buffer, size_t size)
{
	ssize_t count;

	do {
		count = pread(body->file, buffer, size, body->file_start);
	} while (count < 0 && errno == EINTR);
	if (count < 0)
		return -errno;
	body->file_start += count;
	return count;
}

int64_t http_body_read(struct http_body *body, void *buffer, size_t size)
{
	if (body->file_start < body->file_length)
		return file_read(body, buffer, size);
	if (size > body->length)
		size = body->length;
	if (size == 0)
		return 0;
	memcpy(buffer, body->bytes + body->start, size);
	body->start += size;
	body->length -= size;
	if (body->length == 0)
		body->start = 0;
	return (int64_t)size;
}
