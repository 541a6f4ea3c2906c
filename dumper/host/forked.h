/*
 * Memory that a fork treats in another way than the rest: children share it, or
 * find it empty.
 */
#ifndef FORKED_H
#define FORKED_H

/* Makes it common private memory, so that it is in the image. In the process that
 * is frozen; what other processes may share is left, and refused by pydump. */
void forked_freeze(void);

/* Makes it what it was, in each restored process anew. */
int forked_resume(void);

#endif
