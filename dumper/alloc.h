/*
 * Memory that is there or else the program is not: these functions never
 * return NULL. Where memory runs out they say so and exit with ERR_IO, since
 * no message could be built on the way up either. All results go to free().
 */
#ifndef ALLOC_H
#define ALLOC_H

#include <stdarg.h>
#include <stddef.h>

/* Zeroed room for count * size bytes. */
void *alloc_array(size_t count, size_t size);

/* Makes room for one more entry in an array of *room entries of `size` bytes
 * of which `used` are in use; returns the array, which may have moved. */
void *alloc_grow(void *array, size_t used, size_t *room, size_t size);

/* A copy of the string. */
char *alloc_copy(const char *text);

/* A formatted string. */
char *alloc_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *alloc_vprint(const char *format, va_list args)
	__attribute__((format(printf, 1, 0)));

#endif
