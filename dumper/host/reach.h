/*
 * What would stay alive if __main__ went: the collector's own question
 * (gcmodule.c, deduce_unreachable), asked without collecting.
 */
#ifndef REACH_H
#define REACH_H

#include <Python.h>

/* Room for `count` objects. -1 without memory. */
int reach_begin(Py_ssize_t count);

/* One object of those that are looked at; `known` of its references are going
 * away. `wanted`: it matters whether this one stays. */
void reach_add(PyObject *object, Py_ssize_t known, int wanted);

/* One more reference to it goes away; nothing if it was not added. */
void reach_forget(PyObject *object);

/* As if frozen objects were going away, too: what is held then is held by C's
 * state. Reads the whole frozen heap. */
void reach_forget_frozen(void);

/* Calls `held` for wanted objects that something holds which was not added, over
 * any number of others, until it does not return 0: what it returned, else 0.
 * Frees everything. */
int reach_end(int (*held)(PyObject *object, void *data), void *data);

#endif
