/*
 * What is left when the program's modules are gone.
 */
#ifndef LEFTOVERS_H
#define LEFTOVERS_H

#include <Python.h>

/* Notes what is open for writing. Before the rehearsals. */
void leftovers_prepare(void);
void leftovers_release(void);

/* Finalises objects made since the restore that still live; `held`: only those
 * that nothing but frozen objects holds. */
void leftovers_finalize(int held);

/* Flushes files that were open at the freeze. */
void leftovers_flush(void);

/* Whether a stream's `closed` is true. */
int leftovers_is_closed(PyObject *stream);

#endif
