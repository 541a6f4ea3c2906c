/*
 * Growing bytes; see buffer.h.
 */
#include "buffer.h"

#include "alloc.h"

#include <stdlib.h>
#include <string.h>

size_t buffer_add(struct buffer *buffer, const void *data, size_t size)
{
	size_t at = buffer->used;

	while (buffer->room - buffer->used < size)
		buffer->data = alloc_grow(buffer->data, buffer->room,
					  &buffer->room, 1);
	if (data && size)
		memcpy(buffer->data + at, data, size);
	else if (size)
		memset(buffer->data + at, 0, size);
	buffer->used += size;
	return at;
}

size_t buffer_string(struct buffer *buffer, const char *text)
{
	return buffer_add(buffer, text, strlen(text) + 1);
}

void buffer_pad(struct buffer *buffer, size_t unit, size_t rest)
{
	size_t over = (buffer->used + unit - rest) % unit;

	if (over)
		buffer_add(buffer, NULL, unit - over);
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){0};
}
