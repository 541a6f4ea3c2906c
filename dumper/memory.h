/*
 * The memory of a stopped process: its bytes with the host's patches over
 * them, and which of its pages are zero. Reads /proc/PID/mem and pagemap.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include "image.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct mapping;

struct memory_patch {
	uint64_t address;
	uint64_t length;
	const char *bytes;	/* the caller's; must outlive the memory */
};

struct memory {
	pid_t pid;
	int mem, pagemap;	/* descriptors */
	struct memory_patch *patches;
	size_t count;
	size_t room;
};

struct memory_ranges {
	struct image_range *items;	/* ascending, not adjacent */
	size_t count;
	size_t room;
};

int memory_open(pid_t pid, struct memory *memory, struct err *err);
void memory_close(struct memory *memory);

/* From now on these bytes stand in for the process' own. */
void memory_patch(struct memory *memory, const struct memory_patch *patch);

/* Reads [start, start + size) into data, patches included. */
int memory_read(const struct memory *memory, uint64_t start, void *data,
		size_t size, struct err *err);

/* Adds the runs of zero pages of a writable mapping to `zero`. A page that an
 * anonymous mapping never touched counts without being read. */
int memory_find_zero(const struct memory *memory, const struct mapping *mapping,
		     struct memory_ranges *zero, struct err *err);

/* Adds the pages of [start, start + size) that the process has private copies
 * of (written since they were mapped from a file) to `dirty`. */
int memory_find_dirty(const struct memory *memory, uint64_t start, uint64_t size,
		      struct memory_ranges *dirty, struct err *err);

/* Adds a range at the end; one that continues the last is merged into it. */
void memory_add_range(struct memory_ranges *ranges, uint64_t start, uint64_t length);

/* What is in both: both ascending; the result is to be freed by the caller. */
struct memory_ranges memory_intersect(const struct memory_ranges *a,
				      const struct memory_ranges *b);

#endif
