/*
 * What tells a chunk in use is the word before it alone (chunk.h). So one may be cut in
 * two by writing the second one's size, and each is free()'s and realloc()'s to deal with
 * from then on. Blocks are cut from the end: the word of the piece is then written here
 * alone, for the chunk before it is one of ours that stays in use (free() clears a flag
 * in the next chunk's word, with libc's lock, which we don't have). The heap can be
 * walked at any time.
 */
#include "carve.h"

#include "allocations.h"
#include "chunk.h"

#include <stdlib.h>

#define PIECE 65536u		/* below what malloc() maps: chunks of the heap */
#define PIECES 64u
#define PARTS 2

static struct {
	unsigned char *pieces[PIECES];	/* what is left of each, as a block */
	unsigned count, now;
} parts[PARTS];

/* Makes two chunks of one: the first one has `size` bytes less. The second one. */
static unsigned char *cut_end(unsigned char *block, size_t size)
{
	size_t left = chunk_length(block) - size;

	*chunk_word(block + left) = size | CHUNK_PREV_INUSE;
	*chunk_word(block) = left | CHUNK_PREV_INUSE;
	return block + left;
}

void carve_reserve(unsigned part, size_t bytes)
{
	while (bytes && parts[part].count < PIECES) {
		size_t size = bytes < PIECE ? bytes : PIECE;
		unsigned char *piece = malloc(size + 2 * CHUNK_SMALLEST);

		if (!piece)
			return;
		/* Another flag would be of another heap than the main one. */
		if ((*chunk_word(piece) & CHUNK_FLAGS) != CHUNK_PREV_INUSE ||
		    chunk_length(piece) != gather_chunk_size(size + 2 * CHUNK_SMALLEST)) {
			free(piece);
			return;
		}
		/* the chunk before the piece is to be ours, too */
		parts[part].pieces[parts[part].count++] =
			cut_end(piece, chunk_length(piece) - CHUNK_SMALLEST);
		bytes -= size;
	}
}

static void *cut_off(unsigned char *piece, size_t size)
{
	return size + CHUNK_SMALLEST > chunk_length(piece) ? NULL : cut_end(piece, size);
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
