/*
 * Running a file in __main__: Python/pythonrun.c, _PyRun_SimpleFile().
 */
#ifndef MAIN_FILE_H
#define MAIN_FILE_H

#include <Python.h>
#include <stdio.h>

/* Before the freeze. */
void main_file_prepare(void);

/* What __main__.__loader__ is for a source file of this name, or NULL with an exception. */
PyObject *main_file_loader(PyObject *filename);

/* Runs evaluate() as the file's code. Prints the exception that it ends by. The exit
 * status. */
int main_file_evaluate(PyObject *filename, PyObject *loader,
	PyObject *(*evaluate)(void *of, PyObject *names), void *of);

/* Runs a file that is open, and closes it. `name` is `filename` in bytes. The exit status. */
int main_file_run(FILE *file, const char *name, PyObject *filename);

void main_file_release(void);

#endif
