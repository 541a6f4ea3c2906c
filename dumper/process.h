/*
 * Runs other programs: in a given environment, with given descriptors, for a
 * bounded time, and says how they ended.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include "buffer.h"

#include <sys/types.h>

struct err;

struct process {
	char *const *argv;	/* argv[0] is the program's path */
	char *const *envp;
	int input, output, error;	/* descriptors; -1: /dev/null */
	int keep;		/* one more descriptor it inherits, or -1 */
};

/* Starts it. Returns its pid, or -1. */
pid_t process_start(const struct process *process, struct err *err);

/* Waits for the end for at most `wait` milliseconds, then kills it and fails.
 * Fills the wait status. */
int process_wait(pid_t pid, int wait, int *status, struct err *err);

/* Both of the above. What it writes to stdout and stderr goes to `out` and
 * `error` (NULL: /dev/null); its input is /dev/null. */
int process_run(const struct process *process, int wait, struct buffer *out,
		struct buffer *error, int *status, struct err *err);

/* "ended with status 1", "was killed by signal 9 (Killed)". To be freed. */
char *process_describe(int status);

#endif
