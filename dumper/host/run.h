/*
 * Running what the command line asks for, by the rules of CPython's
 * pymain_run_python.
 */
#ifndef RUN_H
#define RUN_H

struct startup;

/* Before the freeze. */
void run_prepare(const char *program);

/* Runs it; the exit status before finalisation. sys.argv must be set. */
int run_startup(const struct startup *startup);

void run_release(void);

#endif
