/*
 * What imported modules make of the command line: sys.argv has the program's name
 * alone while they are imported, and other words in each run.
 */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include <Python.h>

struct startup;

/* Hears, until arguments_end(), what bodies of modules ask of sys.argv. Slices and sums
 * of it, as the default of main(argv=sys.argv[1:]), are renewed by each run; whatever
 * else they ask is a guard. After asked_watch(). */
void arguments_watch(void);

/* The workload is done: sys.argv is an ordinary list again. */
void arguments_end(void);

/* sys.argv[0] as this start begins with it: initconfig.c, config_update_argv. runpy
 * sets a module's path later. */
const char *arguments_name(const struct startup *startup);

/* NULL if what was asked of sys.argv would be answered alike here; else a sentence. */
const char *arguments_differ(const struct startup *startup);

/* put("needs", text) for each thing that it must not differ in. After arguments_end(). */
void arguments_report(void (*put)(const char *key, const char *value));

/* Renews what was made of sys.argv, which is `argv` now. -1 with an exception set. */
int arguments_resume(PyObject *argv);

void arguments_release(void);

#endif
