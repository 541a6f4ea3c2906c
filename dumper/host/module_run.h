/*
 * Running a module by runpy, as -m does.
 */
#ifndef MODULE_RUN_H
#define MODULE_RUN_H

/* Runs it as __main__; `set_argv0` as for -m; `found`: entry.c knows it already.
 * The exit status. */
int module_run(const char *name, int set_argv0, int found);

/* The exit status for the exception that is set, which is printed. Comes back from
 * SystemExit where no prompt follows. */
int module_failed(void);

#endif
