/*
 * Importing the workload and warming it up.
 */
#ifndef IMPORTS_H
#define IMPORTS_H

#include "cpython.h"

/* Imports a module by its dotted name. Refuses, with the traceback, where it
 * can't. */
void imports_module(const char *name);

/* Runs a file as __main__ in a namespace that is thrown away, unless it registers
 * hooks (callbacks.h). An exit with
 * status 0 is fine; anything else raised refuses. */
void imports_warm_up(const char *path);

/* The current exception as python3 would print it; owned by the callee until
 * the next call. Clears the exception. */
const char *imports_traceback(void);

/* One for the host's own use: a new reference. sys.modules stays as it is. */
PyObject *imports_private(const char *name);

/* Runs Python text of the host's in a namespace that has builtins only and what
 * `names`, a dict, has; it gets what the text sets. 0, or -1 with an exception set. */
int imports_run(const char *code, PyObject *names);

#endif
