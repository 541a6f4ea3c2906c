/*
 * The functions that a program registers to be called before the freeze and
 * after each restore (module pyimage).
 */
#ifndef CALLBACKS_H
#define CALLBACKS_H

#include "cpython.h"

enum callbacks_moment { CALLBACKS_BEFORE, CALLBACKS_AFTER };

/* Notes a call of `function`; `keywords` may be NULL. After the restore nothing
 * is noted: what would be renewed was made in this very process. 0, or -1 with
 * an exception set. */
int callbacks_register(enum callbacks_moment moment, PyObject *function,
	PyObject *arguments, PyObject *keywords);

/* How many calls are noted. */
Py_ssize_t callbacks_count(void);

/* Inside pydump build; in a process that was restored. */
int callbacks_is_building(void);
int callbacks_is_restored(void);

/* Calls those for before the freeze, the last one registered first. Refuses the
 * build where one raises. */
void callbacks_before(void);

/* The last moment of the build: whoever goes on from here was restored. */
void callbacks_freeze(void);

/* Calls those for after the restore, the first one registered first. -1 with an
 * exception set where one raises; the others are not called then. */
int callbacks_after(void);

void callbacks_release(void);

#endif
