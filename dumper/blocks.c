/*
 * Blocks of a build; see blocks.h.
 */
#include "blocks.h"

#include "allocations.h"
#include "image.h"

#include <stddef.h>

#define GAP (1024 / GATHER_UNIT)	/* more than that in a row is somebody else's */

/* The key of the block, in use or free again, that begins at the address; or NULL. */
static const struct gather_key *begins_at(struct gather_file *file, uint64_t address)
{
	const struct gather_key *key = gather_find(file, address);

	return key && (key->ordinal || key->size) ? key : NULL;
}

const struct gather_key *blocks_find(struct gather_file *file, uint64_t address,
				     uint64_t *start)
{
	*start = address & ~(uint64_t)(GATHER_UNIT - 1);
	for (uint32_t back = 0; back <= GATHER_LARGEST; back += GATHER_UNIT) {
		const struct gather_key *key = begins_at(file, *start);

		if (key)
			return address - *start < gather_length(key) ||
				(!gather_length(key) && address == *start) ? key : NULL;
		*start -= GATHER_UNIT;
	}
	return NULL;
}

/* Bytes of a block that may be watched: a larger one of a C library's may be a buffer,
 * or any. What was malloc's (Objects/obmalloc.c: all above 512 bytes) and is free is
 * there for anybody; a free block of pymalloc's is not. */
static uint64_t watchable(const struct gather_key *key, int pythons)
{
	uint64_t length = gather_length(key);

	if ((key->size & GATHER_CHUNK_OF) && (pythons || length > GAP * GATHER_UNIT))
		return 0;
	if (!key->ordinal && length > GATHER_SMALL)
		return 0;
	return length ? length : GATHER_UNIT;
}

/* Whether the page is pymalloc's as a whole: its pools are whole pages (Objects/obmalloc.c)
 * and serve 1 to 512 bytes. What is noted as free may lie in an arena that is gone. */
static int is_of_pool(struct gather_file *file, uint64_t page)
{
	for (uint64_t at = page; at < page + IMAGE_PAGE; at += GATHER_UNIT) {
		const struct gather_key *key = begins_at(file, at);

		if (key && gather_is_of_pool(key))
			return 1;
	}
	return 0;
}

int blocks_fill(struct gather_file *file, uint64_t page, int pythons)
{
	/* so far beside the page, too, that one that touches it is seen whole */
	uint64_t from = page - GAP * GATHER_UNIT, to = page + IMAGE_PAGE + GAP * GATHER_UNIT;
	uint64_t gap = 0, covered = 0, start;
	const struct gather_key *key = blocks_find(file, from, &start);

	if (is_of_pool(file, page))
		return 1;
	if (key)
		covered = start + watchable(key, pythons);
	for (uint64_t at = from; at < to; at += GATHER_UNIT) {
		key = begins_at(file, at);
		if (key)
			covered = at + watchable(key, pythons);
		gap = at < covered ? 0 : gap + 1;
		if (gap > GAP)
			return 0;
	}
	return 1;
}

int blocks_any(struct gather_file *file, uint64_t page)
{
	for (uint64_t at = page - IMAGE_PAGE; at < page + IMAGE_PAGE; at += GATHER_UNIT)
		if (begins_at(file, at))
			return 1;
	return 0;
}
