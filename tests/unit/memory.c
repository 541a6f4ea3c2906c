/*
 * dumper/memory.c: this process looks at itself.
 */
#include "unit.h"

#include "err.h"
#include "maps.h"
#include "memory.h"

#include <string.h>
#include <sys/mman.h>

#define PAGES 16

static char *map_pages(size_t pages)
{
	char *at = mmap(NULL, pages * IMAGE_PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ck_assert_ptr_ne(at, MAP_FAILED);
	return at;
}

static uint64_t address(const void *pointer)
{
	return (uint64_t)(uintptr_t)pointer;
}

START_TEST(reads_with_patches)
{
	struct err err = {0};
	struct memory memory;
	char *at = map_pages(2);
	char copy[64];
	struct memory_patch patch = {address(at) + 4094, 4, "ABCD"};

	memset(at, '.', 8192);
	ck_assert_msg(!memory_open(getpid(), &memory, &err), "%s", err.text);
	memory_patch(&memory, &patch);
	ck_assert(!memory_read(&memory, address(at) + 4090, copy, 12, &err));
	ck_assert(memcmp(copy, "....ABCD....", 12) == 0);
	/* only a part of the patch, from either side */
	ck_assert(!memory_read(&memory, address(at) + 4096, copy, 4, &err));
	ck_assert(memcmp(copy, "CD..", 4) == 0);
	ck_assert(!memory_read(&memory, address(at) + 4092, copy, 3, &err));
	ck_assert(memcmp(copy, "..A", 3) == 0);
	ck_assert_int_eq(memory_read(&memory, 4096, copy, 4, &err), -1);
	ck_assert_int_eq(err.status, ERR_IO);
	ck_assert_ptr_nonnull(strstr(err.text, "0x1000"));
	err_clear(&err);
	memory_close(&memory);
}
END_TEST

START_TEST(finds_zero_pages)
{
	struct err err = {0};
	struct memory memory;
	struct memory_ranges zero = {0};
	char *at = map_pages(PAGES);
	struct mapping mapping = {
		.start = address(at), .end = address(at) + PAGES * IMAGE_PAGE,
		.populated = 1, .name = (char *)"",
	};
	struct memory_patch patch = {address(at) + 10 * IMAGE_PAGE + 8, 1, "x"};

	at[2 * IMAGE_PAGE] = 1;
	at[3 * IMAGE_PAGE + 4095] = 1;
	at[5 * IMAGE_PAGE] = 0;		/* touched, but zero */
	ck_assert(!memory_open(getpid(), &memory, &err));
	memory_patch(&memory, &patch);
	ck_assert(!memory_find_zero(&memory, &mapping, &zero, &err));
	ck_assert_uint_eq(zero.count, 3);
	ck_assert_uint_eq(zero.items[0].start, address(at));
	ck_assert_uint_eq(zero.items[0].length, 2 * IMAGE_PAGE);
	ck_assert_uint_eq(zero.items[1].start, address(at) + 4 * IMAGE_PAGE);
	ck_assert_uint_eq(zero.items[1].length, 6 * IMAGE_PAGE);
	ck_assert_uint_eq(zero.items[2].start, address(at) + 11 * IMAGE_PAGE);
	free(zero.items);
	memory_close(&memory);
}
END_TEST

/* Must not look at each of its pages. */
START_TEST(a_huge_reserve_costs_nothing)
{
	struct err err = {0};
	struct memory memory;
	struct memory_ranges zero = {0};
	struct mapping mapping = {
		.start = 0x100000000000, .end = 0x600000000000, .name = (char *)"",
	};

	ck_assert(!memory_open(getpid(), &memory, &err));
	ck_assert(!memory_find_zero(&memory, &mapping, &zero, &err));
	ck_assert_uint_eq(zero.count, 1);
	ck_assert_uint_eq(zero.items[0].length, 0x500000000000);
	free(zero.items);
	memory_close(&memory);
}
END_TEST

START_TEST(finds_dirty_pages_of_a_file)
{
	struct err err = {0};
	struct memory memory;
	struct memory_ranges dirty = {0};
	int fd = memfd_create("x", 0);
	volatile char *at;

	ck_assert_int_eq(ftruncate(fd, PAGES * IMAGE_PAGE), 0);
	at = mmap(NULL, PAGES * IMAGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	(void)at[IMAGE_PAGE];		/* present, but the file's own */
	at[4 * IMAGE_PAGE] = 1;
	at[5 * IMAGE_PAGE] = 1;
	ck_assert(!memory_open(getpid(), &memory, &err));
	ck_assert(!memory_find_dirty(&memory, address((void *)at), PAGES * IMAGE_PAGE,
				     &dirty, &err));
	ck_assert_uint_eq(dirty.count, 1);
	ck_assert_uint_eq(dirty.items[0].start, address((void *)at) + 4 * IMAGE_PAGE);
	ck_assert_uint_eq(dirty.items[0].length, 2 * IMAGE_PAGE);
	free(dirty.items);
	memory_close(&memory);
	close(fd);
}
END_TEST

START_TEST(intersects)
{
	struct image_range left[] = {{0, 10}, {20, 10}, {40, 5}};
	struct image_range right[] = {{5, 20}, {28, 20}};
	struct memory_ranges a = {left, 3, 0}, b = {right, 2, 0}, none = {0};
	struct memory_ranges both = memory_intersect(&a, &b);

	ck_assert_uint_eq(both.count, 4);
	ck_assert_uint_eq(both.items[0].start, 5);
	ck_assert_uint_eq(both.items[0].length, 5);
	ck_assert_uint_eq(both.items[1].start, 20);
	ck_assert_uint_eq(both.items[1].length, 5);
	ck_assert_uint_eq(both.items[2].start, 28);
	ck_assert_uint_eq(both.items[2].length, 2);
	ck_assert_uint_eq(both.items[3].start, 40);
	ck_assert_uint_eq(both.items[3].length, 5);
	free(both.items);
	both = memory_intersect(&a, &none);
	ck_assert_uint_eq(both.count, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		reads_with_patches, finds_zero_pages, a_huge_reserve_costs_nothing,
		finds_dirty_pages_of_a_file, intersects, NULL,
	};

	return unit_run("memory", tests);
}
