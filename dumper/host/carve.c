/*
 * glibc keeps no record of chunks in use: what tells one is the word before it, its
 * size with three flags (malloc/malloc.c, "chunk_at_offset", the same since 2.3). So
 * one chunk in use may be cut in two by writing the second one's size, and each is
 * free()'s and realloc()'s to deal with from then on. What is not cut off yet stays
 * one chunk in use, so the heap can be walked at any time.
 */
#include "carve.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

#define ALIGNMENT 16u
#define HEADER sizeof(size_t)
#define SMALLEST 32u
#define PREV_INUSE 1u		/* the chunk before this one is in use */
#define FLAGS 7u
#define PIECE 65536u		/* below what malloc() maps: chunks of the heap */
#define PIECES 64u
#define PARTS 2

static struct {
	unsigned char *pieces[PIECES];	/* what is left of each, from malloc() */
	unsigned count, now;
} parts[PARTS];

static size_t *size_of(void *block)
{
	return (size_t *)((uintptr_t)block - HEADER);
}

/* Bytes from one chunk to the next. */
static size_t chunk_size(size_t size)
{
	size_t needed = (size + HEADER + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);

	return needed < SMALLEST ? SMALLEST : needed;
}

void carve_reserve(unsigned part, size_t bytes)
{
	while (bytes && parts[part].count < PIECES) {
		size_t size = bytes < PIECE ? bytes : PIECE;
		unsigned char *piece = malloc(size + SMALLEST);

		if (!piece)
			return;
		/* Another flag would be of another heap than the main one. */
		if ((*size_of(piece) & FLAGS) != PREV_INUSE ||
		    (*size_of(piece) & ~(size_t)FLAGS) != chunk_size(size + SMALLEST)) {
			free(piece);
			return;
		}
		parts[part].pieces[parts[part].count++] = piece;
		bytes -= size;
	}
}

static void *cut_off(unsigned char **piece, size_t size)
{
	unsigned char *block = *piece;
	size_t have = *size_of(block) & ~(size_t)FLAGS;

	if (size + SMALLEST > have)
		return NULL;
	*piece = block + size;
	*size_of(*piece) = (have - size) | PREV_INUSE;
	*size_of(block) = size | (*size_of(block) & FLAGS);
	return block;
}

void *carve(unsigned part, size_t size)
{
	unsigned *now = &parts[part].now;

	for (; *now < parts[part].count; ++*now) {
		void *block = cut_off(&parts[part].pieces[*now], chunk_size(size));

		if (block)
			return block;
	}
	return NULL;
}
