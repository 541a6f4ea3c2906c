/*
 * Numbers that tell of this process and this moment: its id, the time. A module that
 * asks while it is imported keeps the answer, and takes it for its own process's.
 */
#ifndef ANSWERS_H
#define ANSWERS_H

/* Hears the answers that bodies of modules get (asked.h), until answers_end(): what a
 * warm-up file's cache has been filled with is as old as it is, and of the process that
 * filled it. After asked_watch(). */
void answers_watch(void);

/* The workload is done. Answers that nobody kept are dropped; so are keys of dicts and
 * sets, and the id where its asker drew random bytes: these stay the build's. */
void answers_end(void);

/* Each object that was kept says what it would say had it been asked for now. No other
 * object is: whatever was computed from one stays. -1 with an exception set. */
int answers_resume(void);

void answers_release(void);

#endif
