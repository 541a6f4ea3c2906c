/*
 * -c's code, as Python/pythonrun.c runs it.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include "cpython.h"

/* run_mod() from its audit event on, run_eval_code_obj(): what the code returns, or
 * NULL with an exception set. */
PyObject *command_execute(PyObject *code, PyObject *names);

/* For tracebacks: tells module linecache the text of the code, from 3.13 on. 0 or -1
 * with an exception set. */
int command_register(PyObject *code, const char *text);

/* _PyRun_SimpleStringFlagsWithName(): 0, or -1 after it has printed the exception. */
int command_run(const char *text, PyCompilerFlags *flags);

#endif
