/*
 * Lists, dicts and sets that imports made of what was on sys.path, as pkg_resources
 * does: they have the first item's stand-in, too (path0.h), in whose place this start's
 * belongs.
 */
#ifndef PATH_COPIES_H
#define PATH_COPIES_H

#include <Python.h>

/* Takes down who holds this stand-in. The workload is done. No image is made where
 * another kind of object holds it, or what was made of it. */
void path_copies_find(PyObject *stand_in);

/* Puts `text` in the place of what was put last, at first of the stand-in; text is held
 * by someone else. 0 or -1. */
int path_copies_change(PyObject *text);

/* There is no such item: takes it out; a name for it becomes one for `next`. 0 or -1. */
int path_copies_remove(PyObject *next);

void path_copies_release(void);

#endif
