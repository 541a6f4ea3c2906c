/*
 * numpy.random: its module's functions, and generators that were made before the
 * freeze. As hooks_random.h: a seed that was given holds.
 */
#ifndef HOOKS_NUMPY_H
#define HOOKS_NUMPY_H

#include "cpython.h"

/* Before the workload. */
void hooks_numpy_watch(void);

PyObject *hooks_numpy_before(PyObject *module);
PyObject *hooks_numpy_after(PyObject *prepared);

#endif
