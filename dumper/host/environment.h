/*
 * The environment over the freeze: the restored process has its own, changed
 * in the way the workload changed that of the build.
 */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

/* Remembers the environment before anything could change it. Leaves out the
 * NULL-terminated names in `without`, which it also unsets. */
void environment_keep(char **without);

/* Takes what Python's start did to LC_CTYPE into what is remembered. */
void environment_keep_coercion(void);

/* Finds what has changed since, and empties os.environ. After the workload,
 * before rehearsals. Needs the GIL. */
void environment_prepare(void);

/* Repeats the changes in libc's environ (unless `rehearse`), fills os.environ
 * from it. Needs the GIL; -1 with an exception set. */
int environment_resume(int rehearse);

/* NULL if every variable that the workload changed had, before, the value that it
 * has here; else the name of one that had not: what the workload would have made
 * of this environment is not known. */
const char *environment_differs(void);

/* Sets a variable in libc's environ and in os.environ; both strings live for
 * ever. -1 with an exception set. */
int environment_set(const char *name, char *assignment);

/* Empties os.environ again after a rehearsal. */
void environment_forget(void);

/* Whether this is a trial run of pydump's, which is no start of the program's: what it
 * would reach for, or have, may not be there at the build. */
int environment_is_trial(void);

void environment_release(void);

#endif
