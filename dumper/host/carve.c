/*
 * glibc keeps no record of chunks in use: what tells one is the word before it, its
 * size with three flags (malloc/malloc.c, "chunk_at_offset", the same since 2.3). So
 * one chunk in use may be cut in two by writing the second one's size, and each is
 * free()'s and realloc()'s to deal with from then on. Blocks are cut from the end: the
 * word of the piece is then written here alone, for the chunk before it is one of ours
 * that stays in use (free() clears a flag in the next chunk's word, with libc's lock,
 * which we don't have). The heap can be walked at any time.
 */
#include "carve.h"

#include "allocations.h"

#include <stdint.h>
#include <stdlib.h>

#define HEADER sizeof(size_t)
#define SMALLEST 32u
#define PREV_INUSE 1u		/* the chunk before this one is in use */
#define FLAGS 7u
#define PIECE 65536u		/* below what malloc() maps: chunks of the heap */
#define PIECES 64u
#define PARTS 2

static struct {
	unsigned char *pieces[PIECES];	/* what is left of each, as a block */
	unsigned count, now;
} parts[PARTS];

static size_t *size_of(void *block)
{
	return (size_t *)((uintptr_t)block - HEADER);
}

/* Makes two chunks of one: the first one has `size` bytes less. The second one. */
static unsigned char *cut_end(unsigned char *block, size_t size)
{
	size_t left = (*size_of(block) & ~(size_t)FLAGS) - size;

	*size_of(block + left) = size | PREV_INUSE;
	*size_of(block) = left | PREV_INUSE;
	return block + left;
}

void carve_reserve(unsigned part, size_t bytes)
{
	while (bytes && parts[part].count < PIECES) {
		size_t size = bytes < PIECE ? bytes : PIECE;
		unsigned char *piece = malloc(size + 2 * SMALLEST);
		size_t whole;

		if (!piece)
			return;
		/* Another flag would be of another heap than the main one. */
		whole = *size_of(piece);
		if ((whole & FLAGS) != PREV_INUSE ||
		    (whole & ~(size_t)FLAGS) != gather_chunk_size(size + 2 * SMALLEST)) {
			free(piece);
			return;
		}
		/* the chunk before the piece is to be ours, too */
		parts[part].pieces[parts[part].count++] =
			cut_end(piece, (whole & ~(size_t)FLAGS) - SMALLEST);
		bytes -= size;
	}
}

static void *cut_off(unsigned char *piece, size_t size)
{
	return size + SMALLEST > (*size_of(piece) & ~(size_t)FLAGS) ? NULL :
		cut_end(piece, size);
}

void *carve(unsigned part, size_t size)
{
	unsigned *now = &parts[part].now;

	for (; *now < parts[part].count; ++*now) {
		void *block = cut_off(parts[part].pieces[*now], gather_chunk_size(size));

		if (block)
			return block;
	}
	return NULL;
}
