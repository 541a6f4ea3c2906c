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

/* Back: it is an ordinary one. The table's stays. */
void counts_set(PyObject *object, Py_ssize_t count);

#endif
