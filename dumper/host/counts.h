/*
 * Reference counts that are never written (PEP 683), as each CPython has them.
 */
#ifndef COUNTS_H
#define COUNTS_H

#include "cpython.h"

/* Whether this version has such counts. */
int counts_can_be_immortal(void);

int counts_are_immortal(PyObject *object);

/* Makes the object's count such a one; of a class also that of the table of names
 * that its instances share. */
void counts_make_immortal(PyObject *object);

/* What code that has run already learned of its constants' counts, once these are as
 * they will be. -1 with an exception set: out of memory. */
int counts_settle_code(PyCodeObject *code);

/* Back: it is an ordinary one. The table's stays. */
void counts_set(PyObject *object, Py_ssize_t count);

#endif
