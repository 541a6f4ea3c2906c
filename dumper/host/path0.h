/*
 * The script's folder in sys.path.
 */
#ifndef PATH0_H
#define PATH0_H

#include <Python.h>

struct startup;

/* In python3 the script's folder is on sys.path before anything is imported, so
 * what imports insert in front stays in front of it. Puts a stand-in there (that
 * folder itself, where the script is known already), and takes it out again after
 * the workload, remembering its place. */
void path0_reserve(const char *script);
void path0_unreserve(void);

/* What this file's name is in that stand-in, "" for itself, or NULL: it is another one. */
const char *path0_inside(const char *name);

/* Whether a folder is known. */
int path0_is_known(void);

/* put("modules_in", the script's folder) where modules came from it: another one that
 * appears there could stand before them. */
void path0_report(void (*put)(const char *key, const char *value));

/* Before the first rehearsal, after hooks_before(), which takes out what is made again. */
void path0_prepare(void);

/* That folder, or the zip file that is run, by its name, in `buffer` of PATH_MAX + 1
 * bytes or elsewhere; NULL: nothing is put there. Nothing of Python's is used. */
const char *path0_folder(const struct startup *startup, char *buffer);

/* Puts there what python3 does for this start; nothing under -P. 0 or -1. */
int path0_add(const struct startup *startup);

/* Puts this there: a folder or zip file that is run. 0 or -1. */
int path0_insert(PyObject *text);

/* Lets go of sys.path, for an end that destroys everything. */
void path0_release(void);

/* Takes out what a rehearsal put there. */
void path0_forget(void);

#endif
