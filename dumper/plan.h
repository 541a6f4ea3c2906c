/*
 * From the mappings of the frozen process to the segments of an image. Pure:
 * looks at no process and no file, so that a test can hand it anything.
 *
 * A segment is a run of pages with one protection, and either wholly in the
 * file or wholly anonymous. Each one costs a restore about 3 us, so read-only
 * pages next to code join it, and writable runs of a library's data, bss and
 * neighbours are one; only long runs of zero pages are cut out of them.
 */
#ifndef PLAN_H
#define PLAN_H

#include "memory.h"

#include <stddef.h>
#include <stdint.h>

struct err;
struct maps;
struct mapping;

/* A run of zero pages this long becomes a segment without file content. One that
 * lies between others makes two segments more, at each start and in each process
 * for ever; as content it is at most 1 MB of a file, that all share. */
#define PLAN_ZERO_PAGES 256u

/* File offsets are congruent to addresses modulo this, so that the kernel can
 * map code that lies in large folios by PMD. */
#define PLAN_ALIGN 0x200000ull

struct plan_segment {
	uint64_t start, length;
	uint64_t offset;	/* in the file; 0 until plan_place() */
	unsigned protection;	/* enum maps_protection */
	int anonymous;		/* all zero: nothing of it is in the file */
	char name[32];		/* for people: "libc.so.6", "heap", ".anon" */
};

struct plan {
	struct plan_segment *segments;	/* ascending */
	size_t count;
	size_t room;
	struct memory_ranges reserves;	/* PROT_NONE, to be kept free */
	uint64_t mapped;		/* sum of the segments, bytes */
	uint64_t refused;		/* size of the mapping that was refused, or 0 */
};

/* Is this mapping part of an image at all? (Not the stack, the kernel's own
 * pages, mappings without access.) */
int plan_keeps(const struct mapping *mapping);

/* Makes the segments. `zero` holds the zero pages of writable mappings,
 * ascending. Refuses what no image can hold: shared writable mappings,
 * writable code, memory of devices, addresses out of range, more than
 * IMAGE_MAX_SEGMENTS segments. plan_free() in either case. */
int plan_build(const struct maps *maps, const struct memory_ranges *zero,
	       struct plan *plan, struct err *err);

/* Gives each segment its place in the file behind a meta part of that size: those
 * that hold the entry code and its data, the handoff, first, so that an image
 * that was cut off can say so. Returns the offset behind the last one. */
uint64_t plan_place(struct plan *plan, uint64_t meta_size, uint64_t entry,
		    uint64_t handoff);

/* The segment that holds the address, or NULL. */
const struct plan_segment *plan_find(const struct plan *plan, uint64_t address);

void plan_free(struct plan *plan);

#endif
