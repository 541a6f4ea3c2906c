/*
 * Which units of memory a run of an image writes, for pydump, which asks for it by
 * GATHER_WRITES_ENV (include/allocations.h).
 */
#ifndef WRITES_H
#define WRITES_H

/* Begins, if the environment of this trial run asks for it. What does not work is
 * not watched. */
void writes_watch(void);

/* No write from here on counts. */
void writes_end(void);

#endif
