/*
 * Rows of hooks.c for modules of the standard library that are a function or two.
 */
#ifndef HOOKS_STDLIB_H
#define HOOKS_STDLIB_H

#include "cpython.h"

PyObject *hooks_stdlib_before_uuid(PyObject *module);
PyObject *hooks_stdlib_before_tempfile(PyObject *module);
PyObject *hooks_stdlib_before_platform(PyObject *module);
PyObject *hooks_stdlib_before_process(PyObject *module);
PyObject *hooks_stdlib_after_process(PyObject *prepared);
PyObject *hooks_stdlib_before_logging(PyObject *module);
PyObject *hooks_stdlib_after_logging(PyObject *prepared);
PyObject *hooks_stdlib_before_sysconfig(PyObject *module);
PyObject *hooks_stdlib_after_sysconfig(PyObject *prepared);
PyObject *hooks_stdlib_before_warnings(PyObject *module);

/* Whether it is tempfile that asks for the working folder, and has another. */
int hooks_stdlib_pass_folder_by(void);

#endif
