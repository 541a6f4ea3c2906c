/*
 * -c's code, as Python/pythonrun.c runs it.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include "cpython.h"

struct startup;

/* Before the freeze: what a command needs of the library. */
void command_prepare(void);

/* The module that is kept for it, out of sys.modules, or NULL. Borrowed. */
PyObject *command_module(void);

/* The file that python3 would import for -c, where the workload imported another one
 * of that name, else NULL. Of a start, before anything of Python's is changed. */
const char *command_differs(const struct startup *startup);

/* After a rehearsal: as before it. */
void command_forget(void);

/* run_mod() from its audit event on, run_eval_code_obj(): what the code returns, or
 * NULL with an exception set. */
PyObject *command_execute(PyObject *code, PyObject *names);

/* For tracebacks, from 3.13 on: has the text of the code kept. 0, or -1 with an
 * exception set. */
int command_register(PyObject *code, const char *text);

/* _PyRun_SimpleStringFlagsWithName(). Prints the exception that it ends by. The exit
 * status. */
int command_run(const char *text, PyCompilerFlags *flags);

void command_release(void);

#endif
