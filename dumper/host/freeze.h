/*
 * The freeze: a forked child that stands still for pydump to read.
 */
#ifndef FREEZE_H
#define FREEZE_H

/* At the very start, before any library registers fork handlers of its own. */
void freeze_watch_threads(void);

/* Refuses where threads of Python's are running: a rehearsal would wait for
 * them. */
void freeze_check_threads(void);

/* Forks; the child is brought to rest and stopped, pydump is told, and this
 * process waits for pydump and ends. */
void freeze(void) __attribute__((noreturn));

#endif
