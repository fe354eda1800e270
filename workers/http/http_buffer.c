#include "http_buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Blocks kept for the next connection: as many as are busy at a time on one core, and not a memory worth noticing. */
#define STOCK_MAX 64

static char *stock[STOCK_MAX];
static size_t stock_count;

static char *block_take(void)
{
	if (stock_count > 0)
		return stock[--stock_count];
	return malloc(HTTP_BLOCK_BYTES);
}

static void block_put(char *block)
{
	if (stock_count < STOCK_MAX)
		stock[stock_count++] = block;
	else
		free(block);
}

bool http_buffer_reserve(struct http_buffer *buffer, size_t more)
{
	size_t wanted = buffer->length + more;
	size_t capacity = buffer->capacity;
	char *bytes;

	if (wanted <= capacity)
		return true;
	if (capacity == 0 && wanted <= HTTP_BLOCK_BYTES) {
		buffer->bytes = block_take();
		buffer->capacity = buffer->bytes != NULL ? HTTP_BLOCK_BYTES : 0;
		return buffer->bytes != NULL;
	}
	if (wanted > SIZE_MAX / 2)
		return false;
	capacity = capacity == 0 ? HTTP_BLOCK_BYTES : capacity;
	while (capacity < wanted)
		capacity *= 2;
	/* A block of the stock grows like any other memory; it just does not come back to it. */
	bytes = realloc(buffer->bytes, capacity);
	if (bytes == NULL)
		return false;
	buffer->bytes = bytes;
	buffer->capacity = capacity;
	return true;
}

void http_buffer_finish(struct http_buffer *buffer)
{
	if (buffer->capacity == HTTP_BLOCK_BYTES)
		block_put(buffer->bytes);
	else
		free(buffer->bytes);
	*buffer = (struct http_buffer){ 0 };
}

void http_buffer_stock_finish(void)
{
	while (stock_count > 0)
		free(stock[--stock_count]);
}
