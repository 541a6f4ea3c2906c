/*
 * The lowest descriptors are held while the workload runs, so that files which it leaves
 * open get higher numbers. A restored process opens these under the same numbers, and
 * whoever starts it may hand on descriptors of its own: those are low.
 */
#ifndef LOW_DESCRIPTORS_H
#define LOW_DESCRIPTORS_H

/* Before the interpreter starts. Where few descriptors are allowed, none are held. */
void low_descriptors_hold(void);

/* Whether this one is held, and nobody else's. */
int low_descriptors_holds(int fd);

/* Closes those that are held yet: the workload may have closed some. */
void low_descriptors_release(void);

#endif
