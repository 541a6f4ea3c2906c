/*
 * The heaps at rest. Knows the two allocators' outer behaviour only.
 */
#include "quiesce.h"
#include "arena.h"
#include "cpython.h"
#include "gc_view.h"

#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

void quiesce_collect(void)
{
	/* Finalizers may make new garbage; three rounds are what settles. */
	for (int i = 0; i < 3; i++)
		PyGC_Collect();
	gc_view_freeze();
}

/* pymalloc serves blocks of 16..512 bytes, in steps of 16, from pools that
 * hold one size each. A block that is the only one of its pool comes from a
 * fresh pool: the partly used ones are full then. */
static void plug_pymalloc(void)
{
	if (!arena_is_pymalloc())
		return;
	for (size_t size = 16; size <= 512; size += 16) {
		for (;;) {
			void *block = PyObject_Malloc(size);

			if (!block)
				break;
			if (cpython_pool_count(block) == 1) {
				PyObject_Free(block);
				break;
			}
		}
	}
}

/* Chunks hold 16 n + 8 bytes, 24 at least (malloc.c, request2size()); 0 after that. */
static size_t smaller(size_t size)
{
	if (size <= 24)
		return 0;
	return ((size > 2048 ? size - size / 4 : size - 16) & ~(size_t)15) | 8;
}

/* Everything that is free below the heap's top chunk. A chunk that comes from
 * above where the break was is cut from the top: nothing fits below. */
static void plug_glibc(void)
{
	struct mallinfo2 info = mallinfo2();
	char *top = (char *)sbrk(0) - info.keepcost;

	for (size_t size = 64 * 1024; size; size = smaller(size)) {
		for (;;) {
			char *chunk = malloc(size);

			if (!chunk)
				break;
			if (chunk >= top) {
				free(chunk);
				break;
			}
		}
	}
}

void quiesce_plug(void)
{
	plug_pymalloc();
	plug_glibc();
}
