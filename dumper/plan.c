/*
 * Planning of segments; see plan.h.
 */
#include "plan.h"

#include "alloc.h"
#include "err.h"
#include "maps.h"
#include "path.h"

#include <stdlib.h>
#include <string.h>

/* Where every other process on x86-64 has its stack, libraries and vDSO. A
 * frozen process has been moved away from there (target.c). */
#define PLAN_COMMON 0x700000000000ull

static int is_shared(const struct mapping *mapping)
{
	return (mapping->flags & MAPS_SHARED) && (mapping->protection & MAPS_WRITE);
}

static int is_writable_code(const struct mapping *mapping)
{
	return (mapping->protection & MAPS_WRITE) &&
	       (mapping->protection & MAPS_EXECUTE);
}

static int is_device(const struct mapping *mapping)
{
	return mapping->flags & MAPS_DEVICE;
}

static int is_droppable(const struct mapping *mapping)
{
	return mapping->flags & (MAPS_WIPED | MAPS_DROPPABLE);
}

static int is_unknown(const struct mapping *mapping)
{
	return mapping->kind == MAPS_UNKNOWN;
}

static int is_deleted(const struct mapping *mapping)
{
	return (mapping->flags & MAPS_DELETED) && !(mapping->flags & MAPS_SHARED);
}

static int covers(const struct mapping *mapping, uint64_t start, uint64_t size)
{
	return mapping->start < start + size && mapping->end > start;
}

static int is_out_of_range(const struct mapping *mapping)
{
	return mapping->start < IMAGE_LOWEST || mapping->end > IMAGE_HIGHEST ||
	       covers(mapping, IMAGE_META_BASE, IMAGE_MAX_META) ||
	       covers(mapping, IMAGE_RESTORER_BASE, IMAGE_RESTORER_SPAN);
}

static int is_common(const struct mapping *mapping)
{
	return mapping->end > PLAN_COMMON;
}

/* What no image can hold, in the order in which it is looked for. */
static const struct {
	int (*test)(const struct mapping *mapping);
	const char *why;
} refusals[] = {
	{is_shared, "is memory that is shared with other processes and writable"},
	{is_device, "is memory of a device"},
	{is_droppable, "is memory that the kernel empties on fork (MADV_WIPEONFORK, "
		"MAP_DROPPABLE), which an image can't hold yet"},
	{is_writable_code, "is writable and executable at once"},
	{is_deleted, "maps a file that was deleted or replaced while building"},
	{is_unknown, "is of a kind that pydump does not know"},
	{is_out_of_range, "lies where an image can't hold memory"},
	{is_common, "lies where every other process has its stack and libraries: "
		"the kernel did not move the interpreter's memory"},
};

int plan_keeps(const struct mapping *mapping)
{
	return mapping->kind != MAPS_STACK && mapping->kind != MAPS_KERNEL &&
	       mapping->protection;
}

static int refuse(const struct mapping *mapping, struct err *err)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		if (refusals[i].test(mapping))
			return err_set(err, ERR_REFUSED,
				       "the mapping at 0x%llx (%llu kB, %s) %s",
				       (unsigned long long)mapping->start,
				       (unsigned long long)(mapping->end - mapping->start) / 1024,
				       *mapping->name ? mapping->name : "anonymous",
				       refusals[i].why);
	return 0;
}

/* A stretch of adjacent mappings that are all writable, or all not. */
struct region {
	size_t first, behind;	/* mappings; some between may be not kept */
	uint64_t start, end;
	unsigned protection;
};

static void set_name(struct plan_segment *segment, const struct mapping *mapping)
{
	const char *name = ".anon";

	if (mapping->kind == MAPS_HEAP)
		name = "heap";
	else if (mapping->kind == MAPS_VDSO)
		name = "vdso";
	else if (mapping->kind == MAPS_FILE)
		name = path_base(mapping->name);
	strncpy(segment->name, name, sizeof(segment->name) - 1);
}

/* The name of what lies at the address; it must lie in the region. */
static void name_by(struct plan_segment *segment, const struct maps *maps,
		    const struct region *region)
{
	for (size_t i = region->first; i < region->behind; i++) {
		if (segment->start < maps->items[i].end) {
			set_name(segment, &maps->items[i]);
			return;
		}
	}
}

static void add_segment(struct plan *plan, const struct maps *maps,
			const struct region *region, uint64_t start,
			uint64_t end, int anonymous)
{
	struct plan_segment segment = {
		.start = start,
		.length = end - start,
		.protection = region->protection,
		.anonymous = anonymous,
	};

	if (start == end)
		return;
	name_by(&segment, maps, region);
	plan->segments = alloc_grow(plan->segments, plan->count, &plan->room,
				    sizeof(segment));
	plan->segments[plan->count++] = segment;
	plan->mapped += end - start;
}

/* Cuts a writable region at its runs of at least `least` zero pages. A region
 * that is zero throughout needs no file content however short it is. */
static void cut(struct plan *plan, const struct maps *maps,
		const struct region *region, const struct memory_ranges *zero,
		uint64_t least)
{
	uint64_t at = region->start;

	for (size_t i = 0; i < zero->count; i++) {
		uint64_t start = zero->items[i].start;
		uint64_t end = start + zero->items[i].length;

		if (start < region->start)
			start = region->start;
		if (end > region->end)
			end = region->end;
		if (start >= end)
			continue;
		if (end - start < least &&
		    end - start < region->end - region->start)
			continue;
		add_segment(plan, maps, region, at, start, 0);
		add_segment(plan, maps, region, start, end, 1);
		at = end;
	}
	add_segment(plan, maps, region, at, region->end, 0);
}

/* Finds the region that begins at the mapping `first`, which is kept. */
static struct region find_region(const struct maps *maps, size_t first)
{
	const struct mapping *items = maps->items;
	struct region region = {
		.first = first,
		.behind = first + 1,
		.start = items[first].start,
		.end = items[first].end,
		.protection = items[first].protection | MAPS_READ,
	};

	while (region.behind < maps->count) {
		const struct mapping *next = &items[region.behind];

		if (!plan_keeps(next) || next->start != region.end ||
		    (next->protection ^ region.protection) & MAPS_WRITE)
			break;
		region.end = next->end;
		region.protection |= next->protection;
		region.behind++;
	}
	return region;
}

static void cut_all(struct plan *plan, const struct maps *maps,
		    const struct memory_ranges *zero, uint64_t least)
{
	plan->count = 0;
	plan->mapped = 0;
	for (size_t i = 0; i < maps->count;) {
		struct region region;

		if (!plan_keeps(&maps->items[i])) {
			i++;
			continue;
		}
		region = find_region(maps, i);
		if (region.protection & MAPS_WRITE)
			cut(plan, maps, &region, zero, least);
		else
			add_segment(plan, maps, &region, region.start, region.end, 0);
		i = region.behind;
	}
}

/* Reserves of glibc's arenas and guard pages of thread stacks have to stay
 * without access; the gaps inside a library's mappings don't. */
static void add_reserve(struct plan *plan, const struct mapping *mapping)
{
	if (!mapping->protection && mapping->kind == MAPS_ANONYMOUS)
		memory_add_range(&plan->reserves, mapping->start,
				 mapping->end - mapping->start);
}

int plan_build(const struct maps *maps, const struct memory_ranges *zero,
	       struct plan *plan, struct err *err)
{
	uint64_t least = PLAN_ZERO_PAGES * IMAGE_PAGE;

	*plan = (struct plan){0};
	for (size_t i = 0; i < maps->count; i++) {
		const struct mapping *mapping = &maps->items[i];

		if (mapping->kind == MAPS_STACK || mapping->kind == MAPS_KERNEL)
			continue;
		if (!mapping->protection && mapping->kind == MAPS_FILE)
			continue;
		if (refuse(mapping, err)) {
			plan->refused = mapping->end - mapping->start;
			return -1;
		}
		add_reserve(plan, mapping);
	}
	cut_all(plan, maps, zero, least);
	/* too many: keep ever longer runs of zeroes in the file */
	while (plan->count > IMAGE_MAX_SEGMENTS && least < IMAGE_HIGHEST) {
		least *= 2;
		cut_all(plan, maps, zero, least);
	}
	if (plan->count > IMAGE_MAX_SEGMENTS)
		return err_set(err, ERR_REFUSED,
			       "the interpreter's memory makes %zu segments, more than the %u "
			       "that the kernel loads; import fewer extension modules",
			       plan->count, IMAGE_MAX_SEGMENTS);
	if (!plan->count)
		return err_set(err, ERR_REFUSED, "the interpreter has no memory to save");
	return 0;
}

static uint64_t place(struct plan_segment *segment, uint64_t offset)
{
	if (segment->anonymous) {
		segment->offset = offset;
		return offset;
	}
	segment->offset = offset + (segment->start - offset) % PLAN_ALIGN;
	return segment->offset + segment->length;
}

static int holds(const struct plan_segment *segment, uint64_t address)
{
	return address >= segment->start && address - segment->start < segment->length;
}

uint64_t plan_place(struct plan *plan, uint64_t meta_size, uint64_t entry,
		    uint64_t handoff)
{
	uint64_t offset = meta_size;

	for (int rest = 0; rest < 2; rest++)
		for (size_t i = 0; i < plan->count; i++) {
			struct plan_segment *segment = &plan->segments[i];
			int is_first = holds(segment, entry) || holds(segment, handoff);

			if (is_first != rest)
				offset = place(segment, offset);
		}
	return offset;
}

const struct plan_segment *plan_find(const struct plan *plan, uint64_t address)
{
	for (size_t i = 0; i < plan->count; i++)
		if (holds(&plan->segments[i], address))
			return &plan->segments[i];
	return NULL;
}

void plan_free(struct plan *plan)
{
	free(plan->segments);
	free(plan->reserves.items);
	*plan = (struct plan){0};
}
