/*
 * What C libraries keep of their process: generators of random numbers, keys.
 */
#ifndef HOOKS_LIBRARY_H
#define HOOKS_LIBRARY_H

#include "cpython.h"

/* For the module _ssl: keys of servers' session tickets. */
PyObject *hooks_library_before_ssl(PyObject *module);
PyObject *hooks_library_after_ssl(PyObject *prepared);

/* Before the freeze. */
void hooks_library_before(void);

/* The last thing before the freeze, in the process that is frozen. */
void hooks_library_uninstantiate(void);

/* In the restored process. -1 with an exception set. */
int hooks_library_after(void);

#endif
