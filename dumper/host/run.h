/*
 * Running what the command line asks for, by the rules of CPython's
 * pymain_run_python.
 */
#ifndef RUN_H
#define RUN_H

struct startup;

/* In python3 the script's folder is on sys.path before anything is imported, so
 * what imports insert in front stays in front of it. Puts a stand-in there, and
 * takes it out again after the workload, remembering its place. */
void run_reserve_path0(void);
void run_release_path0(void);

/* Takes out of sys.path what a rehearsal put there. */
void run_forget(void);

/* Before the freeze. */
void run_prepare(const char *program);

/* Runs it; the exit status before finalisation. sys.argv must be set. */
int run_startup(const struct startup *startup);

#endif
