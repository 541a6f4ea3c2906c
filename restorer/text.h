/*
 * Strings, without a libc: what the restorer needs of <string.h>, and names
 * that say what is asked. Pure.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

/* Room for any unsigned long in decimal, with its NUL. */
#define TEXT_DECIMAL 24

/* Bytes before the NUL. */
size_t text_length(const char *text);

/* Whether both are the same, byte by byte. */
int text_equal(const char *left, const char *right);

/* Less than, equal to or greater than 0, as `left`'s first `size` bytes (which
 * hold no NUL) compare to the whole of `right`: strcmp's order. */
int text_compare(const char *left, size_t size, const char *right);

/* What follows `prefix` in `text`, or NULL if it does not begin with it. */
const char *text_after(const char *text, const char *prefix);

/* Appends `text` to the string of `used` bytes in `buffer` of `size` bytes.
 * Returns the new length, or `size` where it does not fit (`used` == `size`
 * is taken and stays); the result is NUL-terminated where it fits. */
size_t text_append(char *buffer, size_t size, size_t used, const char *text);

/* The number that the whole of `text` spells in decimal, or -1 where it spells
 * none or one that an int does not hold. */
int text_number(const char *text);

/* `number` in decimal; returns where it begins in `buffer`. */
const char *text_decimal(unsigned long number, char buffer[TEXT_DECIMAL]);

#endif
