/*
 * Rows of hooks.c for modules of programs.
 */
#ifndef HOOKS_PROGRAMS_H
#define HOOKS_PROGRAMS_H

#include <Python.h>

/* gunicorn.config: the user, group and folder that are its settings' defaults. */
PyObject *hooks_gunicorn_before(PyObject *module);
PyObject *hooks_gunicorn_after(PyObject *prepared);

/* mercurial.pycompat: its copy of sys.argv. */
PyObject *hooks_mercurial_before(PyObject *module);
PyObject *hooks_mercurial_after(PyObject *list);

/* pkg_resources, and pip's copy: its cache of real paths. */
PyObject *hooks_pkg_resources_before(PyObject *module);

#endif
