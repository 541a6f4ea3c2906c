/*
 * dumper/zone.c: where hot objects lie.
 */
#include "unit.h"

#include "allocations.h"
#include "image.h"
#include "zone.h"

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define MANY 200u

/* No two at one place, none behind the end. */
static void check(const struct zone_block *blocks, size_t count, size_t bytes)
{
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(blocks[i].place % 16, 0);
		ck_assert_uint_le(blocks[i].place + blocks[i].size, bytes);
		for (size_t k = 0; k < i; k++)
			ck_assert(blocks[i].place >= blocks[k].place + blocks[k].size ||
				  blocks[k].place >= blocks[i].place + blocks[i].size);
	}
}

/* How many pages are written where all heads are. */
static size_t count_written(const struct zone_block *blocks, size_t count)
{
	char written[2 * MANY] = {0};
	size_t pages = 0;

	for (size_t i = 0; i < count; i++)
		for (uint32_t at = 0; at < blocks[i].head; at++)
			written[(blocks[i].place + at) / IMAGE_PAGE] = 1;
	for (size_t i = 0; i < COUNT(written); i++)
		pages += written[i] != 0;
	return pages;
}

START_TEST(nothing_needs_no_room)
{
	ck_assert_uint_eq(zone_place(NULL, 0), 0);
	ck_assert_uint_eq(zone_place_astride(NULL, 0), 0);
}
END_TEST

START_TEST(they_lie_side_by_side_by_when_they_are_written)
{
	struct zone_block blocks[] = {
		{.size = 60, .head = 16, .when = 2},
		{.size = 16, .head = 16, .when = 1},
		{.size = 1000, .head = 16, .when = 2},
		{.size = 1, .head = 16, .when = 1},
	};

	ck_assert_uint_eq(zone_place(blocks, COUNT(blocks)), 16 + 16 + 64 + 1008);
	ck_assert_uint_eq(blocks[1].place, 0);
	ck_assert_uint_eq(blocks[3].place, 16);
	ck_assert_uint_eq(blocks[0].place, 32);
	ck_assert_uint_eq(blocks[2].place, 96);
}
END_TEST

START_TEST(a_large_one_ends_the_page)
{
	struct zone_block blocks[] = {
		{.size = 4000, .head = 20, .when = 1},
		{.size = 2000, .head = 2000, .when = 2},
		{.size = 64, .head = 64, .when = 1},
	};

	ck_assert_uint_eq(zone_place_astride(blocks, COUNT(blocks)), 2 * IMAGE_PAGE);
	check(blocks, COUNT(blocks), 2 * IMAGE_PAGE);
	ck_assert_uint_eq(blocks[0].place, IMAGE_PAGE - 32);
	ck_assert_uint_eq(blocks[2].place, 0);
	ck_assert_uint_eq(blocks[1].place, 64);
	ck_assert_uint_eq(count_written(blocks, COUNT(blocks)), 1);
}
END_TEST

START_TEST(small_ones_and_those_written_at_their_end_are_not_astride)
{
	struct zone_block blocks[] = {
		{.size = 4000, .head = 4000},
		{.size = 270, .head = 30},
		{.size = 64, .head = 8},
	};

	ck_assert_uint_eq(zone_place_astride(blocks, COUNT(blocks)), 4000 + 272 + 64);
	check(blocks, COUNT(blocks), 4000 + 272 + 64);
}
END_TEST

START_TEST(one_on_each_page_and_as_few_pages_as_that_leaves)
{
	struct zone_block blocks[MANY];
	size_t bytes, before;

	for (uint32_t i = 0; i < MANY; i++)
		blocks[i] = (struct zone_block){
			.size = 200 + i * 37 % 3000, .head = 32 + i % 5 * 8, .when = i % 7};
	bytes = zone_place(blocks, MANY);
	check(blocks, MANY, bytes);
	before = count_written(blocks, MANY);
	ck_assert_uint_eq(before, (bytes + IMAGE_PAGE - 1) / IMAGE_PAGE);
	bytes = zone_place_astride(blocks, MANY);
	check(blocks, MANY, bytes);
	ck_assert_uint_lt(count_written(blocks, MANY), before * 2 / 3);
}
END_TEST

static int by_place(const void *a, const void *b)
{
	const struct zone_block *left = a, *right = b;

	return (left->place > right->place) - (left->place < right->place);
}

/* Whether no two overlap. The blocks are in their order then. */
static int are_apart(struct zone_block *blocks, size_t count)
{
	qsort(blocks, count, sizeof(*blocks), by_place);
	for (size_t i = 1; i < count; i++)
		if (blocks[i - 1].place + blocks[i - 1].size > blocks[i].place)
			return 0;
	return 1;
}

START_TEST(as_many_as_there_may_be)
{
	struct zone_block *blocks = calloc(GATHER_KEYS, sizeof(*blocks));

	for (uint32_t i = 0; i < GATHER_KEYS; i++)
		blocks[i] = (struct zone_block){
			.size = GATHER_LARGEST, .head = GATHER_LARGEST - 256};
	ck_assert_uint_gt(zone_place_astride(blocks, GATHER_KEYS), UINT32_MAX);
	ck_assert(are_apart(blocks, GATHER_KEYS));
	for (uint32_t i = 0; i < GATHER_KEYS; i++)
		blocks[i] = (struct zone_block){
			.size = i % 5 ? 48 + i * 37 % 200 : 600 + i * 37 % 3000, .head = 16};
	zone_place_astride(blocks, GATHER_KEYS);	/* not for minutes */
	ck_assert(are_apart(blocks, GATHER_KEYS));
	free(blocks);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		nothing_needs_no_room,
		they_lie_side_by_side_by_when_they_are_written,
		a_large_one_ends_the_page,
		small_ones_and_those_written_at_their_end_are_not_astride,
		one_on_each_page_and_as_few_pages_as_that_leaves,
		as_many_as_there_may_be,
		NULL,
	};

	return unit_run("zone", tests);
}
