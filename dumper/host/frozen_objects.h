/*
 * Which of Python's objects are frozen: those of the program that were there at
 * the freeze, as far as the collector knows them.
 */
#ifndef FROZEN_OBJECTS_H
#define FROZEN_OBJECTS_H

#include "cpython.h"

/* What is in the generations up to this one now is the program's. What never was
 * noted until the freeze is the host's, and is not among the frozen objects. */
void frozen_objects_note(int generation);

/* What is behind this object in the youngest generation, or in all of it, is neither:
 * it is among the frozen objects of a process from frozen_objects_show() on. */
void frozen_objects_hide(PyObject *behind);
void frozen_objects_show(void);

/* When everything is in the permanent generation. */
void frozen_objects_settle(void);

/* Frozen objects are always in the permanent generation, until this is called: they
 * were moved out of it. */
void frozen_objects_leave(void);

/* Calls `visit` for each, in order, until it does not return 0: what it returned,
 * else 0. Frozen objects must not be freed by it. */
int frozen_objects_each(int (*visit)(PyObject *object, void *data), void *data);

/* What the program itself froze: the next of an object, the first for NULL. */
PyObject *frozen_objects_next_other(PyObject *object);

/* The last of them in that generation, behind which only the program freezes. */
PyObject *frozen_objects_last(void);

#endif
