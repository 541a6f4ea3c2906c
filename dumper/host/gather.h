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
size_t gather_chunk_bytes(unsigned tier);	/* of malloc's, as chunks */

/* A module begins to be imported. With the GIL. */
void gather_import(const char *name);

/* Whose allocation it is: each is counted by itself. */
enum gather_domain { GATHER_PYMALLOC, GATHER_MALLOC };

/* Counts an allocation of this size. Its tier if it is hot, and where it lies there; or
 * -1. One thread at once in each domain. */
int gather_count(enum gather_domain domain, size_t size, size_t *offset);

/* The domain's last allocation that was counted is here. */
void gather_note(enum gather_domain domain, const void *block, size_t size);

/* Whether malloc() has the block that the first domain gave, and will: pymalloc leaves
 * one to it that is made smaller or larger (Objects/obmalloc.c, pymalloc_realloc). */
int gather_is_mallocs(const void *block);

/* What is noted there is such a block. */
void gather_note_mallocs(const void *block);

/* The block is free. */
void gather_gone(const void *block);

/* Nor is there any in this memory, which is a multiple of GATHER_UNIT away from 0. */
void gather_forget(const void *from, const void *to);

/* There is nothing to learn: no block is known, and none will be. */
void gather_drop(void);

/* In the process that is to be frozen: what other children of the one that began do
 * is not noted. */
void gather_go_on(void);

/* The end of it: nothing of it stays in the process. */
void gather_end(void);

#endif
