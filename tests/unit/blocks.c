/*
 * dumper/blocks.c: which pages may be watched, by what a build noted.
 */
#include "unit.h"

#include "allocations.h"
#include "blocks.h"
#include "image.h"

#include <sys/mman.h>

#define PAGE 0x7000000u		/* in the middle of nothing that is known */
#define C_BLOCK GATHER_CHUNK_OF

static struct gather_file *file;

static void setup(void)
{
	file = mmap(NULL, sizeof(*file), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ck_assert_ptr_ne(file, MAP_FAILED);
}

static void teardown(void)
{
	munmap(file, sizeof(*file));
}

static void note(uint64_t address, uint32_t size, uint32_t ordinal)
{
	uint64_t chunk = address / GATHER_CHUNK;
	uint32_t slot = gather_slot(file->places, chunk);

	file->places[slot] = chunk;
	file->chunks[slot].blocks[address % GATHER_CHUNK / GATHER_UNIT] =
		(struct gather_key){size, ordinal};
}

/* Blocks of this size, side by side, between these distances from the page. */
static void fill(int64_t from, int64_t to, uint32_t size, uint32_t ordinal)
{
	uint32_t length = size & (GATHER_CHUNK_OF - 1);

	for (; from + length <= to; from += length)
		note((uint64_t)(PAGE + from), size, ordinal);
}

START_TEST(a_full_page_is_watched)
{
	fill(-2048, IMAGE_PAGE + 2048, 64, 1);
	ck_assert(blocks_fill(file, PAGE, 0));
	ck_assert(blocks_fill(file, PAGE, 1));
}
END_TEST

START_TEST(a_page_beside_nothing_known_is_not)
{
	fill(48, IMAGE_PAGE + 2048, 1024, 1);
	ck_assert(!blocks_fill(file, PAGE, 0));
}
END_TEST

START_TEST(a_pool_is_watched_whatever_lies_beside_it)
{
	fill(48, 1024, 64, 1);
	ck_assert(blocks_fill(file, PAGE, 0));
	ck_assert(blocks_fill(file, PAGE, 1));
	note(PAGE + 48, 64 | 5u << GATHER_MODULE_SHIFT, 1);
	ck_assert(blocks_fill(file, PAGE, 0));
}
END_TEST

START_TEST(an_arena_that_is_gone_is_no_pool)
{
	fill(48, 1024, 64, 0);
	ck_assert(!blocks_fill(file, PAGE, 0));
}
END_TEST

START_TEST(what_c_or_malloc_itself_gave_is_no_pool)
{
	static const uint32_t sizes[] = {C_BLOCK | 64, 0, 513};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		note(PAGE + 2048, sizes[i], 1);
		ck_assert(!blocks_fill(file, PAGE, 0));
	}
}
END_TEST

START_TEST(what_malloc_had_before_it_was_made_small_is_no_pool)
{
	fill(48, 1024, 64, 1 | GATHER_MALLOCS);
	ck_assert(!blocks_fill(file, PAGE, 0));
}
END_TEST

START_TEST(small_blocks_of_c_count_unless_it_has_to_be_pythons)
{
	fill(-2048, IMAGE_PAGE + 2048, C_BLOCK | 1024, 1);
	ck_assert(blocks_fill(file, PAGE, 0));
	ck_assert(!blocks_fill(file, PAGE, 1));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_full_page_is_watched,
		a_page_beside_nothing_known_is_not,
		a_pool_is_watched_whatever_lies_beside_it,
		an_arena_that_is_gone_is_no_pool,
		what_c_or_malloc_itself_gave_is_no_pool,
		what_malloc_had_before_it_was_made_small_is_no_pool,
		small_blocks_of_c_count_unless_it_has_to_be_pythons,
		NULL,
	};

	return unit_run_between("blocks", tests, setup, teardown, 60);
}
