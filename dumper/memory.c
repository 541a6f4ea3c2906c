/*
 * Memory of a stopped process; see memory.h.
 */
#include "memory.h"

#include "alloc.h"
#include "err.h"
#include "file.h"
#include "maps.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Pages whose entries in pagemap are read in one go, and those whose content
 * is: a reserve of a terabyte that was touched somewhere has 2 GB of entries. */
#define CHUNK 16384u
#define CONTENT 512u

/* Entries of pagemap (Documentation/admin-guide/mm/pagemap.rst). */
#define PAGE_PRESENT (1ull << 63)
#define PAGE_SWAPPED (1ull << 62)
#define PAGE_OF_FILE (1ull << 61)

static int open_proc(pid_t pid, const char *name, struct err *err)
{
	char *path = alloc_print("/proc/%d/%s", (int)pid, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		err_sys(err, "open %s", path);
	free(path);
	return fd;
}

int memory_open(pid_t pid, struct memory *memory, struct err *err)
{
	*memory = (struct memory){.pid = pid, .mem = -1, .pagemap = -1};
	memory->mem = open_proc(pid, "mem", err);
	if (memory->mem < 0)
		return -1;
	memory->pagemap = open_proc(pid, "pagemap", err);
	if (memory->pagemap < 0) {
		memory_close(memory);
		return -1;
	}
	return 0;
}

void memory_close(struct memory *memory)
{
	if (memory->mem >= 0)
		close(memory->mem);
	if (memory->pagemap >= 0)
		close(memory->pagemap);
	free(memory->patches);
	*memory = (struct memory){.mem = -1, .pagemap = -1};
}

void memory_patch(struct memory *memory, const struct memory_patch *patch)
{
	memory->patches = alloc_grow(memory->patches, memory->count,
				     &memory->room, sizeof(*patch));
	memory->patches[memory->count++] = *patch;
}

/* Copies the part of the patch that lies in [start, start + size). */
static void apply(const struct memory_patch *patch, uint64_t start, char *data,
		  size_t size)
{
	uint64_t from = patch->address > start ? patch->address : start;
	uint64_t to = patch->address + patch->length;

	if (to > start + size)
		to = start + size;
	if (from < to)
		memcpy(data + (from - start),
		       patch->bytes + (from - patch->address), to - from);
}

int memory_read(const struct memory *memory, uint64_t start, void *data,
		size_t size, struct err *err)
{
	struct err why = {0};

	if (file_read_at(memory->mem, "", data, size, start, &why)) {
		err_set(err, why.status,
			"read the interpreter's memory at 0x%llx (%zu bytes)%s",
			(unsigned long long)start, size,
			why.status == ERR_IO ? why.text + strlen("read ") : "");
		err_clear(&why);
		return -1;
	}
	for (size_t i = 0; i < memory->count; i++)
		apply(&memory->patches[i], start, data, size);
	return 0;
}

void memory_add_range(struct memory_ranges *ranges, uint64_t start, uint64_t length)
{
	struct image_range *last = ranges->count ?
		&ranges->items[ranges->count - 1] : NULL;

	if (last && last->start + last->length == start) {
		last->length += length;
		return;
	}
	ranges->items = alloc_grow(ranges->items, ranges->count, &ranges->room,
				   sizeof(*ranges->items));
	ranges->items[ranges->count++] = (struct image_range){start, length};
}

static int read_pagemap(const struct memory *memory, uint64_t start, size_t pages,
			uint64_t *entries, struct err *err)
{
	return file_read_at(memory->pagemap, "the interpreter's pagemap", entries,
			    pages * sizeof(*entries),
			    start / IMAGE_PAGE * sizeof(*entries), err);
}

static int is_zero(const char *page)
{
	return page[0] == 0 && memcmp(page, page + 1, IMAGE_PAGE - 1) == 0;
}

static int is_patched(const struct memory *memory, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < memory->count; i++)
		if (memory->patches[i].address < end &&
		    memory->patches[i].address + memory->patches[i].length > start)
			return 1;
	return 0;
}

/* Reads pages and adds those that are zero. */
static int compare_zero(const struct memory *memory, uint64_t start, size_t pages,
			struct memory_ranges *zero, struct err *err)
{
	static char data[CONTENT * IMAGE_PAGE];

	while (pages) {
		size_t count = pages < CONTENT ? pages : CONTENT;

		if (memory_read(memory, start, data, count * IMAGE_PAGE, err))
			return -1;
		for (size_t i = 0; i < count; i++)
			if (is_zero(data + i * IMAGE_PAGE))
				memory_add_range(zero, start + i * IMAGE_PAGE, IMAGE_PAGE);
		start += count * IMAGE_PAGE;
		pages -= count;
	}
	return 0;
}

/* The length of the run of pages from `first` on that all are populated, or
 * all are not. */
static size_t find_run(const uint64_t *entries, size_t first, size_t pages)
{
	const uint64_t populated = PAGE_PRESENT | PAGE_SWAPPED;
	size_t run = 1;

	while (first + run < pages &&
	       !(entries[first] & populated) == !(entries[first + run] & populated))
		run++;
	return run;
}

/* Pages of an anonymous mapping, by their entries in pagemap. */
static int find_zero(const struct memory *memory, uint64_t start, size_t pages,
		     const uint64_t *entries, struct memory_ranges *zero,
		     struct err *err)
{
	for (size_t i = 0; i < pages;) {
		size_t run = find_run(entries, i, pages);
		uint64_t at = start + i * IMAGE_PAGE;

		if (!(entries[i] & (PAGE_PRESENT | PAGE_SWAPPED)) &&
		    !is_patched(memory, at, at + run * IMAGE_PAGE))
			memory_add_range(zero, at, run * IMAGE_PAGE);
		else if (compare_zero(memory, at, run, zero, err))
			return -1;
		i += run;
	}
	return 0;
}

int memory_find_zero(const struct memory *memory, const struct mapping *mapping,
		     struct memory_ranges *zero, struct err *err)
{
	uint64_t all = (mapping->end - mapping->start) / IMAGE_PAGE;
	static uint64_t entries[CHUNK];

	/* pages of a file that are not present are not zero for that */
	if (mapping->kind == MAPS_FILE)
		return compare_zero(memory, mapping->start, all, zero, err);
	if (!mapping->populated && !is_patched(memory, mapping->start, mapping->end)) {
		memory_add_range(zero, mapping->start, mapping->end - mapping->start);
		return 0;
	}
	for (uint64_t at = mapping->start; at < mapping->end;) {
		uint64_t left = (mapping->end - at) / IMAGE_PAGE;
		size_t pages = left < CHUNK ? (size_t)left : CHUNK;

		if (read_pagemap(memory, at, pages, entries, err) ||
		    find_zero(memory, at, pages, entries, zero, err))
			return -1;
		at += pages * IMAGE_PAGE;
	}
	return 0;
}

int memory_find_dirty(const struct memory *memory, uint64_t start, uint64_t size,
		      struct memory_ranges *dirty, struct err *err)
{
	static uint64_t entries[CHUNK];

	for (uint64_t at = start; at < start + size;) {
		uint64_t left = (start + size - at) / IMAGE_PAGE;
		size_t pages = left < CHUNK ? (size_t)left : CHUNK;

		if (read_pagemap(memory, at, pages, entries, err))
			return -1;
		for (size_t i = 0; i < pages; i++)
			if (entries[i] & (PAGE_PRESENT | PAGE_SWAPPED) &&
			    !(entries[i] & PAGE_OF_FILE))
				memory_add_range(dirty, at + i * IMAGE_PAGE, IMAGE_PAGE);
		at += pages * IMAGE_PAGE;
	}
	return 0;
}

struct memory_ranges memory_intersect(const struct memory_ranges *a,
				      const struct memory_ranges *b)
{
	struct memory_ranges both = {0};

	for (size_t i = 0, k = 0; i < a->count && k < b->count;) {
		uint64_t a_end = a->items[i].start + a->items[i].length;
		uint64_t b_end = b->items[k].start + b->items[k].length;
		uint64_t start = a->items[i].start > b->items[k].start ?
			a->items[i].start : b->items[k].start;
		uint64_t end = a_end < b_end ? a_end : b_end;

		if (start < end)
			memory_add_range(&both, start, end - start);
		if (a_end < b_end)
			i++;
		else
			k++;
	}
	return both;
}
