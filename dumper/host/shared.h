/*
 * Memory that the frozen process would share with its own children, and with
 * nobody else.
 */
#ifndef SHARED_H
#define SHARED_H

/* Makes it private, so that it is in the image. In the process that is frozen; what
 * is shared otherwise is left, and refused by pydump. */
void shared_freeze(void);

/* Makes it shared again, in each restored process anew. */
int shared_resume(void);

#endif
