/*
 * Which environment variables the workload read while it was built, and who did
 * so first: what pydump makes guards of. Two modules feed it, reads_os.c for
 * os.environ and reads_libc.c for getenv(3) and its like. Knows nothing of Python.
 */
#ifndef READS_H
#define READS_H

#include <stddef.h>
#include <stdio.h>

/* The name that stands for all variables: somebody went through the whole list. */
#define READS_WHOLE "*"

/* Who reads. */
struct reads_by {
	const char *module;	/* Python's name of it, or the library's file name */
	const char *function;	/* or NULL */
	const char *text;	/* for people; NULL: found by `address` when needed */
	const void *address;	/* of the code in C, or NULL */
};

/* Whether nothing more can become known of this variable: its first reader that
 * counts was noted, or nothing is noted any more. */
int reads_is_settled(const char *name, size_t length);

/* Notes that `name` was read, where it was set or not. Any thread. */
void reads_note(const char *name, size_t length, int is_set, const struct reads_by *by);

/* Nothing is noted any more. */
void reads_end(void);

/* Writes "variable=FLAGS NAME" and "reader=TEXT" strings for the report, then
 * forgets all. Refuses the build where not all could be noted. */
void reads_put(FILE *stream);

#endif
