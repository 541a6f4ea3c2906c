/*
 * pymalloc serves each of its 32 sizes from a pool of its own, so the few dozen
 * small objects of a start would touch a page each. From here they lie side by
 * side. Blocks that are freed are used again. When the arena is full it takes
 * its malloc away again; what is freed has to be looked at for ever. Needs the
 * GIL, as Python's "mem" and "object" domains do, and that of the main interpreter:
 * others get nothing from here.
 *
 * Where hot objects are gathered (gather.h) it is one zone with them: those that each
 * start writes, the arena, those that the command writes. It is there from the
 * interpreter's start then, and serves nothing else until it is opened.
 */
#include "arena.h"
#include "cpython.h"
#include "gather.h"
#include "gather_malloc.h"
#include "talk.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define UNIT 16u			/* pymalloc's alignment */
#define LARGEST 512u			/* its largest small block */
#define SIZE 524288u
#define PAGE 4096u

#define WORD 64u			/* bits of one of bounds' */
#define WORDS(size) ((size) / UNIT / WORD + 1)

/* The zone where nothing is gathered. */
static _Alignas(4096) struct {
	unsigned char bytes[SIZE];
	uint64_t bounds[WORDS(SIZE)];
} plain;

static struct {
	unsigned char *bytes;
	uint64_t *bounds;		/* a bit for each unit: a block ends before it */
	size_t size;
	void *freed[LARGEST / UNIT + 1];	/* blocks of n units, linked */
	void *aside;			/* free, and not to be taken */
	size_t start, used, end;	/* of the arena, between what every start writes and
					   what the command does */
	size_t hot;			/* how many hot blocks are of pymalloc's sizes */
	uint32_t full;
} arena = {
	.bytes = plain.bytes, .bounds = plain.bounds, .size = SIZE,
	.end = SIZE,
};

/* pymalloc; the same functions in both domains. */
static PyMemAllocatorEx below;

static const PyMemAllocatorDomain domains[] = { PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ };

#define DOMAINS (sizeof domains / sizeof *domains)

static void *arena_malloc(void *unused, size_t size);

static inline int is_ours(const void *block)
{
	return (uintptr_t)block - (uintptr_t)arena.bytes < arena.size;
}

/* Units of a block of ours. */
static inline size_t units_of(const void *block)
{
	size_t start = (size_t)((const unsigned char *)block - arena.bytes) / UNIT;
	size_t at = start + 1;
	uint64_t bounds = arena.bounds[at / WORD] >> at % WORD;

	while (!bounds) {
		at = (at / WORD + 1) * WORD;
		bounds = arena.bounds[at / WORD];
	}
	return at + (size_t)__builtin_ctzll(bounds) - start;
}

static inline void bound(size_t at)
{
	arena.bounds[at / UNIT / WORD] |= UINT64_C(1) << at / UNIT % WORD;
}

/* Unless somebody (tracemalloc) stands in between and has our address. */
static void stop_taking(void)
{
	arena.full = 1;
	for (size_t i = 0; i < DOMAINS; i++) {
		PyMemAllocatorEx now;

		PyMem_GetAllocator(domains[i], &now);
		if (now.malloc != arena_malloc)
			continue;
		now.malloc = below.malloc;
		now.calloc = below.calloc;
		now.ctx = below.ctx;
		PyMem_SetAllocator(domains[i], &now);
	}
}

static inline size_t units_for(size_t size)
{
	return size ? (size + UNIT - 1) / UNIT : 1;
}

/* The next block of the arena, or NULL. */
static inline void *cut(size_t units)
{
	void *block = arena.bytes + arena.used;

	if (arena.used + units * UNIT > arena.end)
		return NULL;
	arena.used += units * UNIT;
	bound(arena.used);
	return block;
}

static void *take(size_t size)
{
	size_t units = units_for(size);
	void *block = arena.freed[units];

	if (block) {
		arena.freed[units] = *(void **)block;
		return block;
	}
	block = cut(units);
	if (!block)
		stop_taking();
	return block;
}

static void *arena_malloc(void *unused, size_t size)
{
	void *block;

	(void)unused;
	if (!arena.full && size <= LARGEST && cpython_in_main() && (block = take(size)))
		return block;
	return below.malloc(below.ctx, size);
}

static void *arena_calloc(void *unused, size_t count, size_t size)
{
	void *block;

	(void)unused;
	if (!arena.full && (!size || count <= LARGEST / size) && cpython_in_main() &&
	    (block = take(count * size)))
		return memset(block, 0, count * size);
	return below.calloc(below.ctx, count, size);
}

static void give_back(void *block)
{
	size_t units = units_of(block);

	if (units > LARGEST / UNIT)
		return;		/* hot, and few */
	*(void **)block = arena.freed[units];
	arena.freed[units] = block;
}

static void arena_free(void *unused, void *block)
{
	(void)unused;
	if (__builtin_expect(is_ours(block), 0))
		give_back(block);
	else
		below.free(below.ctx, block);
}

static void *arena_realloc(void *unused, void *block, size_t size)
{
	size_t have;
	void *moved;

	if (!block)
		return arena_malloc(unused, size);
	if (!is_ours(block))
		return below.realloc(below.ctx, block, size);
	have = units_of(block) * UNIT;
	if (size <= have && size > have / 2)
		return block;
	moved = arena_malloc(unused, size);
	if (!moved)
		return size <= have ? block : NULL;
	memcpy(moved, block, size < have ? size : have);
	give_back(block);
	return moved;
}

/* --- while hot objects are gathered: before the freeze --- */

/* In its place if it is hot. */
static void *place(size_t size)
{
	size_t units = units_for(size), at;
	int tier = cpython_in_main() ? gather_count(GATHER_PYMALLOC, size, &at) : -1;

	if (tier < 0)
		return NULL;
	at += tier ? arena.end : 0;
	if (at + units * UNIT > (tier ? arena.size : arena.start))
		return NULL;
	bound(at + units * UNIT);
	arena.hot += units <= LARGEST / UNIT;
	return arena.bytes + at;
}

/* What pymalloc does not have it asks malloc() for, and is no second allocation. */
static void *ask_malloc(size_t size)
{
	void *block;

	gather_malloc_inside(1);
	block = below.malloc(below.ctx, size);
	gather_malloc_inside(0);
	return block;
}

static void *ask_calloc(size_t count, size_t size)
{
	void *block;

	gather_malloc_inside(1);
	block = below.calloc(below.ctx, count, size);
	gather_malloc_inside(0);
	return block;
}

static void *ask_realloc(void *block, size_t size)
{
	gather_malloc_inside(1);
	block = below.realloc(below.ctx, block, size);
	gather_malloc_inside(0);
	return block;
}

static void *gather_malloc(void *unused, size_t size)
{
	void *block = place(size);

	(void)unused;
	if (!block)
		block = ask_malloc(size);
	gather_note(GATHER_PYMALLOC, block, size);
	return block;
}

static void *gather_calloc(void *unused, size_t count, size_t size)
{
	void *block;

	(void)unused;
	if (size && count > SIZE_MAX / size)
		return below.calloc(below.ctx, count, size);
	block = place(count * size);
	if (block)
		memset(block, 0, count * size);
	else
		block = ask_calloc(count, size);
	gather_note(GATHER_PYMALLOC, block, count * size);
	return block;
}

/* How much a block of pymalloc's or malloc's holds nobody says: where it is to move
 * from there, it grows there first. */
static void *gather_realloc(void *unused, void *block, size_t size)
{
	int ours = is_ours(block), is_mallocs = !ours && gather_is_mallocs(block);
	size_t have = ours ? units_of(block) * UNIT : 0;
	void *moved;

	if (!block)
		return gather_malloc(unused, size);
	moved = place(size);
	gather_gone(block);
	if (!ours) {
		block = ask_realloc(block, size);
		if (block && moved) {
			memcpy(moved, block, size);
			below.free(below.ctx, block);
			block = moved;
		}
	} else if (moved || size > have) {
		if (!moved)
			moved = ask_malloc(size);
		if (!moved)
			return NULL;
		memcpy(moved, block, size < have ? size : have);
		give_back(block);
		block = moved;
	}
	gather_note(GATHER_PYMALLOC, block, size);
	if (is_mallocs && !moved)
		gather_note_mallocs(block);
	return block;
}

static void gather_free(void *unused, void *block)
{
	gather_gone(block);
	arena_free(unused, block);
}

static size_t whole_pages(size_t size)
{
	return (size + PAGE - 1) & ~(size_t)(PAGE - 1);
}

static void make_zone(void)
{
	size_t first = whole_pages(gather_bytes(0));
	size_t size = first + SIZE + whole_pages(gather_bytes(1));
	size_t all = size + WORDS(size) * sizeof *arena.bounds;
	unsigned char *zone = mmap(NULL, all, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (zone == MAP_FAILED)
		talk_refuse("map %zu bytes for hot objects: %m", all);
	arena.bytes = zone;
	arena.bounds = (uint64_t *)(void *)(zone + size);
	arena.size = size;
	arena.start = arena.used = first;
	arena.end = first + SIZE;
}

static int find_below(void)
{
	PyMemAllocatorEx other;

	PyMem_GetAllocator(PYMEM_DOMAIN_MEM, &other);
	PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &below);
	return other.malloc == below.malloc && other.ctx == below.ctx;
}

static void put_in(PyMemAllocatorEx *functions)
{
	functions->ctx = below.ctx;
	for (size_t i = 0; i < DOMAINS; i++)
		PyMem_SetAllocator(domains[i], functions);
}

void arena_gather(void)
{
	PyMemAllocatorEx gathering = {
		.malloc = gather_malloc, .calloc = gather_calloc, .realloc = gather_realloc,
		.free = gather_free,
	};

	if (!find_below())
		return;
	make_zone();
	put_in(&gathering);
	gather_malloc_begin();
}

void arena_gather_check(void)
{
	if (arena_is_pymalloc())
		return;
	gather_malloc_end();
	gather_drop();
}

void arena_hear(const char *event, PyObject *arguments)
{
	PyObject *name = strcmp(event, "import") == 0 && PyTuple_Check(arguments) &&
		PyTuple_GET_SIZE(arguments) > 0 ? PyTuple_GET_ITEM(arguments, 0) : NULL;

	if (name && PyUnicode_Check(name) && PyUnicode_IS_ASCII(name))
		gather_import((const char *)PyUnicode_1BYTE_DATA(name));
}

/* --- at the freeze and after --- */

int arena_is_pymalloc(void)
{
	PyMemAllocatorEx before[DOMAINS];
	int is;

	arena_step_aside(before);
	is = cpython_uses_pymalloc();
	arena_step_back(before);
	return is;
}

/* A start is to take no holes on the pages that only the command writes. */
static void put_far_holes_aside(void)
{
	for (size_t i = 0; i <= LARGEST / UNIT; i++)
		for (void **at = &arena.freed[i]; *at;) {
			void **block = *at;

			if ((size_t)((unsigned char *)block - arena.bytes) < arena.end) {
				at = block;
				continue;
			}
			*at = *block;
			*block = arena.aside;
			arena.aside = block;
		}
}

void arena_open(void)
{
	PyMemAllocatorEx ours = {
		.malloc = arena_malloc, .calloc = arena_calloc, .realloc = arena_realloc,
		.free = arena_free,
	};

	/* else somebody looks at allocations */
	if (!arena_is_pymalloc() || (!below.malloc && !find_below()))
		return;
	put_far_holes_aside();
	put_in(&ours);
}

static size_t count_arena(void)
{
	size_t count = 0;

	for (size_t at = arena.start; at < arena.used; at += units_of(arena.bytes + at) * UNIT)
		count++;
	return count;
}

static size_t count_free(void **block)
{
	size_t count = 0;

	for (; block; block = *block)
		count++;
	return count;
}

size_t arena_blocks(void)
{
	size_t count = arena.hot + count_arena();

	for (size_t i = 0; i <= LARGEST / UNIT; i++)
		count -= count_free(arena.freed[i]);
	return count - count_free(arena.aside);
}

int arena_step_aside(PyMemAllocatorEx *now)
{
	int aside = 0;

	for (size_t i = 0; i < DOMAINS; i++) {
		PyMem_GetAllocator(domains[i], &now[i]);
		if (now[i].free != arena_free && now[i].free != gather_free)
			continue;
		PyMem_SetAllocator(domains[i], &below);
		aside++;
	}
	return aside == DOMAINS;
}

void arena_step_back(PyMemAllocatorEx *before)
{
	for (size_t i = 0; i < DOMAINS; i++)
		PyMem_SetAllocator(domains[i], &before[i]);
}
