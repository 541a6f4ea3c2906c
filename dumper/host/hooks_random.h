/*
 * Generators of random numbers that Python code made before the freeze: those that
 * were seeded by the system go on from another state in each process; those that
 * were given a seed go on as they would.
 */
#ifndef HOOKS_RANDOM_H
#define HOOKS_RANDOM_H

#include "cpython.h"

/* Before the workload: which is which is known by watching. */
void hooks_random_watch(void);

/* For module random, and for its generators' type. */
PyObject *hooks_random_before(PyObject *module);
PyObject *hooks_random_after(PyObject *prepared);

/* In the process that is frozen, after the fork. */
void hooks_random_forked(void);

/* What os.urandom() returned so far, where a seed may be made of it: a new list of
 * bytes, NULL with an exception set. */
PyObject *hooks_random_drawn(void);

#endif
