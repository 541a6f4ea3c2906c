/*
 * What a page is worth; see zone.h. One written word makes a page a process's own, so
 * what counts is bytes that share pages with written ones. Of a large object that is a
 * function's code or a class only the head, its reference count, is written as a rule.
 * One such object ends each page; the pages of its rest hold nothing else.
 */
#include "zone.h"

#include "alloc.h"
#include "allocations.h"
#include "image.h"

#include <stdlib.h>

#define AHEAD 1000u	/* blocks that a page is filled from: with all of them a million blocks
			   take minutes */
#define LEAST 256u	/* bytes that it keeps off, or it is not worth a page of the file */

static uint32_t round_up(uint32_t size, uint32_t to)
{
	return (size + to - 1) / to * to;
}

static uint32_t room_for(const struct zone_block *block)
{
	return round_up(block->size, GATHER_UNIT);
}

static uint32_t gain(const struct zone_block *block)
{
	uint32_t head = round_up(block->head, GATHER_UNIT), size = room_for(block);

	/* it has to begin on the page */
	return head && head < size && head < IMAGE_PAGE ? size - head : 0;
}

static int by_gain(const void *a, const void *b)
{
	uint32_t left = gain(*(struct zone_block *const *)a);
	uint32_t right = gain(*(struct zone_block *const *)b);

	return (left < right) - (left > right);
}

static int by_time(const void *a, const void *b)
{
	const struct zone_block *left = *(struct zone_block *const *)a;
	const struct zone_block *right = *(struct zone_block *const *)b;

	if (left->when != right->when)
		return left->when < right->when ? -1 : 1;
	return (left > right) - (left < right);
}

/* How many, from the first on, lie astride: one on each page that is written. */
static size_t count_astride(struct zone_block *const *order, size_t count)
{
	size_t written = 0, n = 0;

	for (size_t i = 0; i < count; i++)
		written += room_for(order[i]);
	while (n < count && gain(order[n]) >= LEAST && n * IMAGE_PAGE < written)
		written -= gain(order[n++]);
	return n;
}

/* Blocks that wait for a place, in order; NULL: it has one. */
struct waiting {
	struct zone_block **blocks;
	size_t next, count;
};

/* Up to `stop` of those that wait. Where they end. */
static size_t place_next(struct waiting *waiting, size_t stop, size_t at, size_t room)
{
	size_t end = at + room;

	for (size_t i = waiting->next; i < stop && at < end; i++) {
		struct zone_block *block = waiting->blocks[i];

		if (!block || room_for(block) > end - at)
			continue;
		block->place = at;
		at += room_for(block);
		waiting->blocks[i] = NULL;
	}
	while (waiting->next < waiting->count && !waiting->blocks[waiting->next])
		waiting->next++;
	return at;
}

/* The page of which it is the end, and those of its rest. Where they end. */
static size_t place_page(struct zone_block *block, struct waiting *waiting, size_t at)
{
	uint32_t rest = gain(block), head = room_for(block) - rest;
	size_t stop = waiting->next + AHEAD;

	place_next(waiting, stop < waiting->count ? stop : waiting->count, at,
		   IMAGE_PAGE - head);
	block->place = at + IMAGE_PAGE - head;
	return at + IMAGE_PAGE + round_up(rest, IMAGE_PAGE);
}

static size_t place(struct zone_block *blocks, size_t count, int may_be_astride)
{
	struct zone_block **order = alloc_array(count + 1, sizeof(*order));
	size_t astride = 0, at = 0;
	struct waiting waiting;

	for (size_t i = 0; i < count; i++)
		order[i] = &blocks[i];
	if (may_be_astride) {
		qsort(order, count, sizeof(*order), by_gain);
		astride = count_astride(order, count);
	}
	qsort(order, astride, sizeof(*order), by_time);
	qsort(order + astride, count - astride, sizeof(*order), by_time);
	waiting = (struct waiting){order + astride, 0, count - astride};
	for (size_t i = 0; i < astride; i++)
		at = place_page(order[i], &waiting, at);
	at = place_next(&waiting, waiting.count, at, SIZE_MAX - at);
	free(order);
	return at;
}

size_t zone_place(struct zone_block *blocks, size_t count)
{
	return place(blocks, count, 0);
}

size_t zone_place_astride(struct zone_block *blocks, size_t count)
{
	return place(blocks, count, 1);
}
