/*
 * Chunks of glibc's main heap (malloc/malloc.c, "chunk_at_offset", the same since 2.3):
 * one lies behind the other, and the word before a block is its chunk's size with three
 * flags. There is no other record of chunks in use.
 */
#ifndef CHUNK_H
#define CHUNK_H

#include <stddef.h>
#include <stdint.h>

#define CHUNK_HEADER sizeof(size_t)
#define CHUNK_SMALLEST 32u
#define CHUNK_PREV_INUSE 1u	/* the chunk before this one is in use */
#define CHUNK_FLAGS 7u

static inline size_t *chunk_word(const void *block)
{
	return (size_t *)((uintptr_t)block - CHUNK_HEADER);
}

/* Bytes from this block to the next one. */
static inline size_t chunk_length(const void *block)
{
	return *chunk_word(block) & ~(size_t)CHUNK_FLAGS;
}

#endif
