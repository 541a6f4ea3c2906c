/*
 * Which allocations are hot, and which allocation each block is of; include/allocations.h.
 */
#ifndef HOST_GATHER_H
#define HOST_GATHER_H

#include <stddef.h>

/* Maps pydump's file. Before the interpreter is started. The host refuses where that
 * does not work. */
void gather_open(const char *path);

/* Bytes that the blocks of a tier need. */
size_t gather_bytes(unsigned tier);

/* Counts an allocation of this size. Its tier if it is hot, or -1. Needs the GIL, or
 * that there is one thread. */
int gather_count(size_t size);

/* The last allocation that was counted is here. */
void gather_note(const void *block, size_t size);

/* In a child of the process that began: what it does is not noted. */
void gather_forked(void);

/* Of the process to be frozen: it is, again. */
void gather_go_on(void);

/* The end of it: nothing of it stays in the process. */
void gather_end(void);

#endif
