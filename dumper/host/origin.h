/*
 * Where a module comes from, as text that can be compared between processes.
 */
#ifndef ORIGIN_H
#define ORIGIN_H

#include <Python.h>

/* "LOADER TAB ORIGIN" of a module's spec: the loader's type with its module, the
 * origin as it stands in the spec or nothing. A new string; NULL, and no exception,
 * where it is no spec or has no loader. Runs code of importlib's objects only. */
PyObject *origin_of(PyObject *spec);

#endif
