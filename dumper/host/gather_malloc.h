/*
 * Gathers blocks of malloc(3), whoever asks for them, as arena.c does those of
 * pymalloc.
 */
#ifndef GATHER_MALLOC_H
#define GATHER_MALLOC_H

/* Begins; while there is one thread, after gather_open(). Where malloc() is not as we
 * know it nothing is gathered. */
void gather_malloc_begin(void);

/* malloc() is as it was: while there is one thread. What it has free at its top is no
 * block of anybody's. */
void gather_malloc_end(void);

/* While pymalloc is asked, which counts as one allocation where it asks on. With the
 * GIL. */
void gather_malloc_inside(int is_inside);

#endif
