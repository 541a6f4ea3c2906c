/*
 * Modules at the end: finalize_modules() of Python/pylifecycle.c, for __main__
 * and what was imported since the restore.
 */
#ifndef TEARDOWN_H
#define TEARDOWN_H

#include <Python.h>

/* Notes which modules are frozen. Before the rehearsals. */
void teardown_prepare(void);
void teardown_release(void);

/* The names in sys.modules of the modules that go: a new reference, or NULL with
 * an exception set. */
PyObject *teardown_names(void);

/* Clears what keeps the program's values in sys and builtins; `all`: also what
 * imports need, as python3 does. */
void teardown_special(int all);

/* Takes the modules out of sys.modules; `all`: frozen ones, too, which live on
 * nevertheless. Returns weak references to those that go, for teardown_clear();
 * NULL, and nothing done, without memory. */
PyObject *teardown_remove(PyObject *names, int all);

/* Clears those that still live, and drops the list, which may be NULL. */
void teardown_clear(PyObject *alive);

#endif
