/*
 * Looks over the shoulder of C functions of CPython and of extension modules while
 * imports run: each is called through a word of a table, which is another one until
 * the watch ends. Nothing of it is left in the image.
 */
#ifndef WATCH_H
#define WATCH_H

#include "cpython.h"

/* Python runs; nothing of the workload does. */
void watch_start(void);

/* Has ready() called once the extension module of this name is there. `late`: it
 * was there before the watch began. */
void watch_module(const char *name, void (*ready)(PyObject *module, int late));

/* Has `ours` called for a function or method of C's whose flags are these. *theirs
 * is the one to call on. 0, or -1: it is not of this kind, and goes unwatched. */
int watch_function(PyObject *function, int flags, PyCFunction ours, PyCFunction *theirs);

/* The same for an attribute of a module or type. */
int watch_named(PyObject *of, const char *name, int flags, PyCFunction ours,
	PyCFunction *theirs);

/* A function with METH_FASTCALL | METH_KEYWORDS. */
typedef PyObject *(*watch_fast)(PyObject *self, PyObject *const *given, Py_ssize_t count,
	PyObject *names);

/* The same for such an attribute. */
int watch_fast_named(PyObject *of, const char *name, watch_fast ours, watch_fast *theirs);

/* What such a function is given at this place or by this name: borrowed, or NULL. */
PyObject *watch_argument(PyObject *const *given, Py_ssize_t count, PyObject *names,
	Py_ssize_t place, const char *name);

/* The same for both sides of an attribute of a C type. */
int watch_attribute(PyObject *descriptor, getter our_get, setter our_set,
	getter *their_get, setter *their_set);

/* The hash of a built-in function is made of that word (methodobject.c, meth_hash): to
 * be called when all is watched that was there before the workload, so that the sets
 * and dicts that have such functions, os.supports_dir_fd among them, find these. */
void watch_hash_again(void);

/* Puts all words back, and hashes again. */
void watch_end(void);

#endif
