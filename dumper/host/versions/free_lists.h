/*
 * Free lists of objects that the collector counts: one that comes out of such a
 * list is not counted when it is made.
 */
#ifndef FREE_LISTS_H
#define FREE_LISTS_H

#include <Python.h>

/* The most kinds of objects that have a list in any version. */
#define FREE_LISTS_MOST 30
#define FREE_LISTS_KEPT 2000	/* the most of a kind */

/* How many objects of each kind are free. The number of kinds is returned: 0 where
 * a version's lists are not known. */
int free_lists_read(int *free);

/* How many a list of the kind keeps. */
int free_lists_room(int kind);

/* Marks an object that is free; whether it was not used since. */
#define FREE_LISTS_MARK 0x5eed
void free_lists_mark(PyObject *free);
int free_lists_is_marked(PyObject *free);

/* Tuples and dicts, and from 3.14 on all objects, that end from here on are not kept
 * for others, as in the interpreter's own end. From 3.13 on. */
void free_lists_close(void);

/* An object of the kind, as the interpreter makes it. NULL: out of memory. */
PyObject *free_lists_make(int kind);

/* Makes one and keeps it for good, where gc.get_objects() does not show it. */
void free_lists_take(int kind);

#endif
