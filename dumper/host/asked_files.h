/*
 * Files that imports look for, there or not.
 */
#ifndef ASKED_FILES_H
#define ASKED_FILES_H

#include <Python.h>

/* Takes down, until watch_end(), what os.stat(), os.open(), os.listdir() and their like
 * look for. After asked_watch(). */
void asked_files_watch(void);

/* A file is looked for by this name, or descriptor, or opened. A relative name counts as
 * if the working folder had been asked for; an absolute one goes to opened_missed() where
 * there is none; see path_looks.h for those in sys.path[0]. No exception is set before or
 * after. */
void asked_file(PyObject *path);

#endif
