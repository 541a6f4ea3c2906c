/*
 * Bytes that grow at the end: the meta part of an image, a process' output.
 */
#ifndef BUFFER_H
#define BUFFER_H

#include <stddef.h>

struct buffer {
	char *data;
	size_t used;
	size_t room;
};

/* Appends the bytes; NULL appends zeroes. Returns the offset of the first. */
size_t buffer_add(struct buffer *buffer, const void *data, size_t size);

/* Appends a string with its NUL. Returns its offset. */
size_t buffer_string(struct buffer *buffer, const char *text);

/* Appends zeroes until the size is `rest` modulo `unit`. */
void buffer_pad(struct buffer *buffer, size_t unit, size_t rest);

void buffer_free(struct buffer *buffer);

#endif
