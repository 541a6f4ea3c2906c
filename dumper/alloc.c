/*
 * Allocation that can't fail; see alloc.h.
 */
#include "alloc.h"

#include "err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Entries of an array that is allocated first. */
#define ALLOC_FIRST 16

static void *checked(void *memory)
{
	if (!memory) {
		fputs("pydump: out of memory\n", stderr);
		exit(ERR_IO);
	}
	return memory;
}

void *alloc_array(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *alloc_grow(void *array, size_t used, size_t *room, size_t size)
{
	if (used < *room)
		return array;
	*room = *room ? *room * 2 : ALLOC_FIRST;
	return checked(reallocarray(array, *room, size));
}

char *alloc_copy(const char *text)
{
	return checked(strdup(text));
}

char *alloc_vprint(const char *format, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	return checked(text);
}

char *alloc_print(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = alloc_vprint(format, args);
	va_end(args);
	return text;
}
