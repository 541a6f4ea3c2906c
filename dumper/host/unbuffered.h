/*
 * Descriptors on the kernel's random devices that nobody reads ahead.
 */
#ifndef UNBUFFERED_H
#define UNBUFFERED_H

/* Hands each to `put`, as "unbuffered" and its number. Opened again, such a one is
 * as it was; from a buffer each process of an image would get the same bytes. */
void unbuffered_report(void (*put)(const char *key, const char *value));

#endif
