/*
 * What pydump and the host share while hot objects are gathered: a file in memory
 * that both map. pydump says which allocations are hot, the host writes down which
 * allocation each block came from. Both are advice: a key that names another
 * allocation than it was meant for costs a page, never more.
 *
 * A key is an exact size and the how-manieth allocation of that size it was. Placement
 * changes addresses and so the order of sets of them; counts by size survive that where
 * one count over all would drift. Those of Python begin anew where the import of a
 * module begins: what has gone astray by then goes no further.
 */
#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H

#include <stddef.h>
#include <stdint.h>

#define GATHER_MAGIC 0x31726568746167ull
#define GATHER_LARGEST 4080u	/* bytes of a block that can be gathered */
#define GATHER_SMALL 512u	/* bytes from 1 on that pymalloc serves itself */
#define GATHER_SIZES 0x2000u	/* that there may be in keys */
#define GATHER_CHUNK_OF 0x1000u	/* in a size: a block of malloc's that is not Python's */
_Static_assert(GATHER_LARGEST < GATHER_CHUNK_OF && 2 * GATHER_CHUNK_OF == GATHER_SIZES,
	"a size and its flag");
#define GATHER_MODULE_SHIFT 13u	/* in a size: above it is a hash of the module */
#define GATHER_MODULES (1u << 19)
_Static_assert(1u << GATHER_MODULE_SHIFT == GATHER_SIZES && GATHER_MODULES == 1u << (32u -
	GATHER_MODULE_SHIFT), "a size and its module");
#define GATHER_TIERS 2u		/* what every start writes; what the command does, too */
#define GATHER_TIER (1u << 31)	/* in an ordinal of a key: it is of the second */
#define GATHER_MALLOCS (1u << 31)	/* in that of a block: malloc() had it before Python
				   made it small, and has it still */
#define GATHER_KEYS (1u << 20)	/* at most */
#define GATHER_UNIT 16u		/* blocks begin and end at multiples of it */
#define GATHER_CHUNK (1u << 20)	/* bytes of address space for a part of the table */
#define GATHER_CHUNKS 4096u

struct gather_key {
	uint32_t size;		/* perhaps with GATHER_CHUNK_OF, or a module: counted by
				   itself */
	uint32_t ordinal;	/* from 1 on; 0: no block in use begins here; size is
				   that of one that did */
};

/* The block that begins at each unit of a chunk. */
struct gather_chunk {
	struct gather_key blocks[GATHER_CHUNK / GATHER_UNIT];
};

struct gather_file {
	uint64_t magic;
	uint64_t count;		/* of keys, sorted by size, then by ordinal */
	uint64_t bytes[GATHER_TIERS];	/* that the blocks of each tier need */
	uint64_t chunk_bytes[GATHER_TIERS];	/* that malloc's do, with its headers */
	uint64_t places[GATHER_CHUNKS];	/* address / GATHER_CHUNK of each chunk, hashed by
					   gather_slot(), the next free one; 0: none */
	struct gather_key keys[GATHER_KEYS];
	uint64_t offsets[GATHER_KEYS];	/* in its tier, of each key that is Python's */
	struct gather_chunk chunks[GATHER_CHUNKS];
};

/* glibc, malloc/malloc.c, request2size(): bytes from one chunk to the next. */
static inline size_t gather_chunk_size(size_t size)
{
	size_t needed = (size + sizeof(size_t) + GATHER_UNIT - 1) & ~(size_t)(GATHER_UNIT - 1);

	return needed < 2 * GATHER_UNIT ? 2 * GATHER_UNIT : needed;
}

static inline uint32_t gather_length(const struct gather_key *key)
{
	return key->size & (GATHER_CHUNK_OF - 1);
}

/* Whether the block is in use and in one of pymalloc's pools (Objects/obmalloc.c). */
static inline int gather_is_of_pool(const struct gather_key *key)
{
	return key->ordinal && !(key->ordinal & GATHER_MALLOCS) &&
		!(key->size & GATHER_CHUNK_OF) && gather_length(key) - 1 < GATHER_SMALL;
}

/* Of the part of the table for this chunk, or GATHER_CHUNKS where it has none. */
static inline uint32_t gather_slot(const uint64_t *places, uint64_t chunk)
{
	for (uint32_t i = 0; i < GATHER_CHUNKS; i++) {
		uint32_t slot = (uint32_t)(chunk + i) % GATHER_CHUNKS;

		if (places[slot] == chunk || !places[slot])
			return slot;
	}
	return GATHER_CHUNKS;
}

/* Where what begins at the address is noted, or NULL: nothing was around there. */
static inline struct gather_key *gather_find(struct gather_file *file, uint64_t address)
{
	uint64_t chunk = address / GATHER_CHUNK;
	uint32_t slot = gather_slot(file->places, chunk);

	if (slot == GATHER_CHUNKS || file->places[slot] != chunk)
		return NULL;
	return &file->chunks[slot].blocks[address % GATHER_CHUNK / GATHER_UNIT];
}

/* --- which objects are written --- */

#define GATHER_WRITES_ENV "PYIMAGE_WRITES"	/* path of a file as this */

#define GATHER_STEP 32u
#define GATHER_LATEST UINT8_MAX	/* or later */

struct gather_range {
	uint64_t start;		/* pages, not overlapping, ascending */
	uint64_t length;
	uint64_t marks;		/* offset in the file: a byte for each unit, 0, or when
				   it was first written: from 1 on, in steps of
				   GATHER_STEP units */
	uint64_t rounds;	/* offset in the file: a uint32_t for each page */
};

struct gather_writes {
	uint64_t magic;
	uint64_t count;
	uint64_t ended;		/* set where the watch ended before the process did */
	struct gather_range ranges[];
};

#endif
