/*
 * pymalloc serves each of its 32 sizes from a pool of its own, so the few dozen
 * small objects of a start would touch a page each. From here they lie side by
 * side. Blocks that are freed are used again. When the arena is full it takes
 * its malloc away again; what is freed has to be looked at for ever. Needs the
 * GIL, as Python's "mem" and "object" domains do.
 */
#include "arena.h"
#include "cpython.h"

#include <stdint.h>
#include <string.h>

#define UNIT 16u			/* pymalloc's alignment */
#define LARGEST 512u			/* its largest small block */
#define SIZE 65536u

static _Alignas(4096) struct {
	unsigned char bytes[SIZE];
	unsigned char units[SIZE / UNIT];	/* of the block that starts there */
	void *freed[LARGEST / UNIT + 1];	/* blocks of n units, linked */
	uint32_t used;
	uint32_t full;
} arena;

/* pymalloc; the same functions in both domains. */
static PyMemAllocatorEx below;

static const PyMemAllocatorDomain domains[] = { PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ };

#define DOMAINS (sizeof domains / sizeof *domains)

static void *arena_malloc(void *unused, size_t size);

static inline int is_ours(const void *block)
{
	return (uintptr_t)block - (uintptr_t)arena.bytes < SIZE;
}

static inline unsigned char *units_of(const void *block)
{
	return &arena.units[((const unsigned char *)block - arena.bytes) / UNIT];
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

static void *take(size_t size)
{
	uint32_t units = size ? (uint32_t)((size + UNIT - 1) / UNIT) : 1;
	void *block = arena.freed[units];

	if (block) {
		arena.freed[units] = *(void **)block;
		return block;
	}
	if (arena.used + units * UNIT > SIZE) {
		stop_taking();
		return NULL;
	}
	block = arena.bytes + arena.used;
	arena.used += units * UNIT;
	*units_of(block) = (unsigned char)units;
	return block;
}

static void *arena_malloc(void *unused, size_t size)
{
	void *block;

	(void)unused;
	if (!arena.full && size <= LARGEST && (block = take(size)))
		return block;
	return below.malloc(below.ctx, size);
}

static void *arena_calloc(void *unused, size_t count, size_t size)
{
	void *block;

	(void)unused;
	if (!arena.full && (!size || count <= LARGEST / size) &&
	    (block = take(count * size)))
		return memset(block, 0, count * size);
	return below.calloc(below.ctx, count, size);
}

static void give_back(void *block)
{
	uint32_t units = *units_of(block);

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
	have = *units_of(block) * UNIT;
	if (size <= have && size > have / 2)
		return block;
	moved = arena_malloc(unused, size);
	if (!moved)
		return size <= have ? block : NULL;
	memcpy(moved, block, size < have ? size : have);
	give_back(block);
	return moved;
}

void arena_open(void)
{
	PyMemAllocatorEx ours, other;

	if (!cpython_uses_pymalloc())
		return;		/* somebody looks at allocations */
	PyMem_GetAllocator(PYMEM_DOMAIN_MEM, &other);
	PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &below);
	if (other.malloc != below.malloc || other.ctx != below.ctx)
		return;
	ours = (PyMemAllocatorEx){
		below.ctx, arena_malloc, arena_calloc, arena_realloc, arena_free
	};
	for (size_t i = 0; i < DOMAINS; i++)
		PyMem_SetAllocator(domains[i], &ours);
}

size_t arena_blocks(void)
{
	size_t count = 0;

	for (uint32_t at = 0; at < arena.used; at += arena.units[at / UNIT] * UNIT)
		count++;
	for (size_t i = 0; i <= LARGEST / UNIT; i++)
		for (void **block = arena.freed[i]; block; block = *block)
			count--;
	return count;
}

int arena_step_aside(PyMemAllocatorEx *now)
{
	int aside = 0;

	for (size_t i = 0; i < DOMAINS; i++) {
		PyMem_GetAllocator(domains[i], &now[i]);
		if (now[i].free != arena_free)
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
