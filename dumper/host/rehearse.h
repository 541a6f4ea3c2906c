/*
 * Doing beforehand what every restored process will do first and last.
 */
#ifndef REHEARSE_H
#define REHEARSE_H

/* Resumes, runs a trivial program and finishes, `times` times, and sets back
 * what that set: fills type caches and free lists, lets bytecode specialise,
 * so that a restore writes to fewer pages. */
void rehearse(int times);

void rehearse_release(void);

#endif
