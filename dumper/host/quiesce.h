/*
 * Bringing Python's and libc's heaps to rest before the freeze.
 */
#ifndef QUIESCE_H
#define QUIESCE_H

/* Collects garbage and takes all that is left out of the collector's sight. */
void quiesce_collect(void);

/* Fills the free blocks that lie scattered among live ones, so that what the
 * restored process allocates lies together: each hole that it would use is a
 * page copied. The memory is given up for good. */
void quiesce_plug(void);

#endif
