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

/* The block is free. */
void gather_gone(const void *block);

/* In the process that is to be frozen: what other children of the one that began do
 * is not noted. */
void gather_go_on(void);

/* The end of it: nothing of it stays in the process. */
void gather_end(void);

#endif
