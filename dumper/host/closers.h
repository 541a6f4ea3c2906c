/*
 * Types of extension modules whose objects do their last work when they are freed,
 * without a finalizer: a database's connection, a C++ writer.
 */
#ifndef CLOSERS_H
#define CLOSERS_H

#include <Python.h>

/* Before the freeze. */
void closers_prepare(void);
void closers_release(void);

/* Whether code that is not the interpreter's frees objects of this type. */
int closers_has_code(const PyTypeObject *type);

/* Whether objects of this type may be such. */
int closers_is(const PyTypeObject *type);

#endif
