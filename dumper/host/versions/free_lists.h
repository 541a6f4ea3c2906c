/*
 * Free lists of objects that the collector counts: one that comes out of such a
 * list is not counted when it is made.
 */
#ifndef FREE_LISTS_H
#define FREE_LISTS_H

#include <Python.h>

/* The most kinds of objects that have a list in any version. */
#define FREE_LISTS_MOST 24
#define FREE_LISTS_KEPT 2000	/* the most of a kind */

/* How many objects of each kind are free. The number of kinds is returned: 0 where
 * a version's lists are not known. */
int free_lists_read(int *free);

/* Tuples and dicts that end from here on are not kept for others, as in the
 * interpreter's own end. 3.13 alone. */
void free_lists_close(void);

/* An object of the kind, as the interpreter makes it. NULL: out of memory. */
PyObject *free_lists_make(int kind);

#endif
