/*
 * Event loops that imports make: their descriptors are closed before the freeze, and
 * each restored process has its own under the same numbers.
 */
#ifndef HOOKS_LOOPS_H
#define HOOKS_LOOPS_H

/* Before the freeze: closes what can be made anew. Leaves all open, which refuses the
 * build, where a loop watches something else. */
void hooks_loops_before(void);

/* In the process that is frozen, after Python's own functions for a fork. */
void hooks_loops_forked(void);

/* In the restored process, as long as python3 can take over: makes them anew. Why that
 * can't be, or NULL. */
const char *hooks_loops_differ(void);

/* Later: python3 can take over no more. -1 with an exception set. */
int hooks_loops_resume(void);

void hooks_loops_release(void);

#endif
