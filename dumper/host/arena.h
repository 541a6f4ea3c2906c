/*
 * The start-up arena: where a restored process's first small objects go.
 */
#ifndef ARENA_H
#define ARENA_H

#include "cpython.h"

#include <stddef.h>

/* From now on hot objects are put in their place; gather_open() comes before. Before
 * the interpreter is started; nothing where somebody else has its allocators. */
void arena_gather(void);

/* Once the interpreter has started: where its settings chose other allocators nothing
 * is gathered. */
void arena_gather_check(void);

/* An audit event: where the import of a module begins allocations are counted anew. */
void arena_hear(const char *event, PyObject *arguments);

/* Whether small objects come from pymalloc, and nobody but the arena stands in
 * between. */
int arena_is_pymalloc(void);

/* Makes pymalloc's small blocks come from one contiguous piece of memory until
 * that is full. The very last thing done to Python's heap before the freeze:
 * what is allocated from here on belongs to the restored process. */
void arena_open(void);

/* How many blocks of it are in use. */
size_t arena_blocks(void);

/* For somebody who looks at the allocators of both domains, or makes objects that are
 * to lie elsewhere, and frees none meanwhile: pymalloc stands there itself, 1; or one
 * of them is not ours to put aside, 0. What is there now is kept in `now` for the way
 * back. */
#define ARENA_DOMAINS 2
int arena_step_aside(PyMemAllocatorEx *now);
void arena_step_back(PyMemAllocatorEx *before);

#endif
