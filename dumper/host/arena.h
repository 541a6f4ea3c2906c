/*
 * The start-up arena: where a restored process's first small objects go.
 */
#ifndef ARENA_H
#define ARENA_H

/* Makes pymalloc's small blocks come from one contiguous piece of memory until
 * that is full. The very last thing done to Python's heap before the freeze:
 * what is allocated from here on belongs to the restored process. */
void arena_open(void);

#endif
