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

/* The same for what a command or a script raised: before gh-152132 it does not come
 * back from SystemExit. */
int module_main_failed(void);

#endif
