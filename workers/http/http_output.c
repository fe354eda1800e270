#include "http_output.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

/* A segment holds at least so much, so that many small writes become few. */
#define SEGMENT_BYTES 16384
/* Most of a file in one turn, so that a fast client with a large file leaves others their share; nginx takes 2 MB. */
#define FILE_TURN_BYTES (2 * 1024 * 1024)

struct http_segment {
	struct http_segment *next;
	int file;        /* -1: the bytes below */
	int64_t offset;  /* of a file: where to go on */
	int64_t length;  /* left to send */
	size_t start;    /* of memory: where to go on */
	size_t capacity; /* of memory */
	char bytes[];
};

static struct http_segment *segment_create(size_t capacity)
{
	struct http_segment *segment = malloc(sizeof(*segment) + capacity);

	if (segment != NULL)
		*segment = (struct http_segment){ .file = -1, .capacity = capacity };
	return segment;
}

static void segment_append(struct http_output *output, struct http_segment *segment)
{
	if (output->last != NULL)
		output->last->next = segment;
	else
		output->first = segment;
	output->last = segment;
}

static void segment_remove_first(struct http_output *output)
{
	struct http_segment *segment = output->first;

	output->first = segment->next;
	if (output->first == NULL)
		output->last = NULL;
	if (segment->file >= 0)
		(void)close(segment->file);
	free(segment);
}

static size_t segment_room(const struct http_segment *segment)
{
	if (segment == NULL || segment->file >= 0)
		return 0;
	return segment->capacity - segment->start - (size_t)segment->length;
}

/** Makes room for a copy at the end. */
static int reserve(struct http_output *output, size_t length)
{
	size_t least = output->is_corked ? HTTP_CORKED_BYTES : SEGMENT_BYTES;
	struct http_segment *segment;

	if (length == 0 || segment_room(output->last) >= length)
		return 0;
	segment = segment_create(length > least ? length : least);
	if (segment == NULL)
		return -ENOMEM;
	segment_append(output, segment);
	return 0;
}

/** Keeps a copy, in the room that there is. */
static void keep(struct http_output *output, const char *bytes, size_t length)
{
	struct http_segment *last = output->last;

	if (length == 0)
		return;
	memcpy(last->bytes + last->start + last->length, bytes, length);
	last->length += (int64_t)length;
	output->pending += (int64_t)length;
}

/** Keeps a copy of all that is behind what was sent. */
static int keep_parts(struct http_output *output, const struct iovec *parts, int count, size_t total, size_t sent)
{
	int result = reserve(output, total - sent);

	for (int i = 0; result == 0 && i < count; i++) {
		size_t skip = sent < parts[i].iov_len ? sent : parts[i].iov_len;

		keep(output, (const char *)parts[i].iov_base + skip, parts[i].iov_len - skip);
		sent -= skip;
	}
	return result;
}

static bool is_temporary(int error)
{
	return error == EAGAIN || error == EINTR;
}

/** @return bytes taken, 0 when the socket is full, or a negative errno value */
static ssize_t send_parts(int fd, struct iovec *parts, int count, bool more)
{
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = (size_t)count };
	int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
	ssize_t sent;

	/* What is one piece the kernel takes quicker without the structure around it. */
	if (count == 1)
		sent = send(fd, parts[0].iov_base, parts[0].iov_len, flags);
	else
		sent = sendmsg(fd, &message, flags);
	if (sent >= 0)
		return sent;
	return is_temporary(errno) ? 0 : -errno;
}

static size_t parts_length(const struct iovec *parts, int count)
{
	size_t length = 0;

	for (int i = 0; i < count; i++)
		length += parts[i].iov_len;
	return length;
}

int http_output_write(struct http_output *output, int fd, struct iovec *parts, int count, bool more)
{
	size_t total = parts_length(parts, count);
	ssize_t sent = 0;

	if (output->is_corked && output->pending + (int64_t)total > HTTP_CORKED_BYTES) {
		int result = http_output_flush(output, fd);

		if (result != 0)
			return result;
	} else if (output->is_corked) {
		return keep_parts(output, parts, count, total, 0);
	}
	if (output->first == NULL)
		sent = send_parts(fd, parts, count, more);
	return sent < 0 ? (int)sent : keep_parts(output, parts, count, total, (size_t)sent);
}

int http_output_file(struct http_output *output, int fd, int file, int64_t offset, int64_t length)
{
	bool was_empty = output->first == NULL;
	struct http_segment *segment = length > 0 ? segment_create(0) : NULL;

	if (segment == NULL) {
		(void)close(file);
		return length > 0 ? -ENOMEM : 0;
	}
	segment->file = file;
	segment->offset = offset;
	segment->length = length;
	segment_append(output, segment);
	output->pending += length;
	return was_empty ? http_output_flush(output, fd) : 0;
}

/** @return bytes sent, 0 when the socket is full, -EIO when the file is shorter than it was, or another error */
static ssize_t segment_send(struct http_segment *segment, int fd)
{
	struct iovec part = { .iov_base = segment->bytes + segment->start, .iov_len = (size_t)segment->length };
	size_t length = segment->length > FILE_TURN_BYTES ? FILE_TURN_BYTES : (size_t)segment->length;
	off_t offset = segment->offset;
	ssize_t sent;

	if (segment->file < 0)
		return send_parts(fd, &part, 1, segment->next != NULL);
	sent = sendfile(fd, segment->file, &offset, length);
	if (sent == 0)
		return -EIO;
	if (sent < 0)
		return is_temporary(errno) ? 0 : -errno;
	return sent;
}

int http_output_flush(struct http_output *output, int fd)
{
	int64_t budget = FILE_TURN_BYTES;

	while (output->first != NULL && budget > 0) {
		struct http_segment *segment = output->first;
		ssize_t sent = segment_send(segment, fd);

		if (sent <= 0)
			return (int)sent;
		budget -= sent;
		output->pending -= sent;
		segment->length -= sent;
		if (segment->file < 0)
			segment->start += (size_t)sent;
		else
			segment->offset += sent;
		if (segment->length == 0)
			segment_remove_first(output);
	}
	return 0;
}

int http_output_in_kernel(int fd)
{
	int bytes = 0;

	return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

void http_output_finish(struct http_output *output)
{
	while (output->first != NULL)
		segment_remove_first(output);
	output->pending = 0;
}
