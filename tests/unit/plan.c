/*
 * dumper/plan.c: which segments come out of which mappings.
 */
#include "unit.h"

#include "err.h"
#include "maps.h"
#include "plan.h"

#include <string.h>

#define KB 1024ull
#define BASE 0x145555000000ull

static struct maps maps;
static struct memory_ranges zero;
static struct plan plan;
static struct err err;

static void setup(const char *text)
{
	ck_assert_msg(!maps_parse(text, &maps, &err), "%s", err.text);
}

static void add_zero(uint64_t start, uint64_t pages)
{
	memory_add_range(&zero, start, pages * IMAGE_PAGE);
}

static void build(size_t segments)
{
	ck_assert_msg(!plan_build(&maps, &zero, &plan, &err), "%s", err.text);
	ck_assert_uint_eq(plan.count, segments);
}

static void check(size_t i, uint64_t start, uint64_t end, unsigned protection,
		  int anonymous, const char *name)
{
	const struct plan_segment *segment = &plan.segments[i];

	ck_assert_uint_eq(segment->start, start);
	ck_assert_uint_eq(segment->start + segment->length, end);
	ck_assert_uint_eq(segment->protection, protection);
	ck_assert_int_eq(segment->anonymous, anonymous);
	ck_assert_str_eq(segment->name, name);
}

static void drop(void)
{
	plan_free(&plan);
	maps_free(&maps);
	free(zero.items);
	zero = (struct memory_ranges){0};
	err_clear(&err);
}

/* Expects a refusal that holds the text. */
static void refuse(const char *text, const char *why)
{
	setup(text);
	ck_assert_int_eq(plan_build(&maps, &zero, &plan, &err), -1);
	ck_assert_int_eq(err.status, ERR_REFUSED);
	ck_assert_msg(strstr(err.text, why), "%s", err.text);
	drop();
}

START_TEST(a_library_is_two_segments)
{
	setup("145555000000-145555001000 r--p 0 08:02 1 /lib/a.so\n"
	      "145555001000-145555003000 r-xp 0 08:02 1 /lib/a.so\n"
	      "145555003000-145555004000 r--p 0 08:02 1 /lib/a.so\n"
	      "145555004000-145555005000 r--p 0 08:02 1 /lib/a.so\n"
	      "145555005000-145555006000 rw-p 0 08:02 1 /lib/a.so\n"
	      "145555006000-145555007000 rw-p 0 00:00 0\n");
	build(2);
	check(0, BASE, BASE + 0x5000, MAPS_READ | MAPS_EXECUTE, 0, "a.so");
	check(1, BASE + 0x5000, BASE + 0x7000, MAPS_READ | MAPS_WRITE, 0, "a.so");
	ck_assert_uint_eq(plan.mapped, 0x7000);
	ck_assert_ptr_eq(plan_find(&plan, BASE + 0x4fff), &plan.segments[0]);
	ck_assert_ptr_null(plan_find(&plan, BASE + 0x7000));
	drop();
}
END_TEST

START_TEST(neighbours_merge_and_gaps_part)
{
	setup("145555000000-145555001000 r-xp 0 08:02 1 /lib/a.so\n"
	      "145555001000-145555002000 r--p 0 08:02 2 /lib/b.so\n"
	      "145555002000-145555003000 r-xp 0 08:02 2 /lib/b.so\n"
	      "145555004000-145555005000 r--p 0 08:02 3 /data\n"
	      "145555006000-145555007000 r--p 0 08:02 3 /lib/c.so\n"
	      "145555007000-145555008000 ---p 0 08:02 3 /lib/c.so\n"
	      "145555008000-145555009000 r--p 0 08:02 3 /lib/c.so\n"
	      "145555009000-14555500a000 r--s 0 08:02 4 /shared\n");
	build(4);
	check(0, BASE, BASE + 0x3000, MAPS_READ | MAPS_EXECUTE, 0, "a.so");
	check(1, BASE + 0x4000, BASE + 0x5000, MAPS_READ, 0, "data");
	check(2, BASE + 0x6000, BASE + 0x7000, MAPS_READ, 0, "c.so");
	check(3, BASE + 0x8000, BASE + 0xa000, MAPS_READ, 0, "c.so");
	ck_assert_uint_eq(plan.reserves.count, 0);
	drop();
}
END_TEST

START_TEST(drops_what_the_kernel_brings)
{
	setup("000000400000-000000401000 r-xp 0 08:02 1 /bin/a\n"
	      "145555000000-145555004000 r--p 0 00:00 0 [vvar]\n"
	      "145555004000-145555006000 r-xp 0 00:00 0 [vdso]\n"
	      "7ffffffde000-7ffffffff000 rw-p 0 00:00 0 [stack]\n"
	      "ffffffffff600000-ffffffffff601000 --xp 0 00:00 0 [vsyscall]\n");
	build(2);
	check(1, BASE + 0x4000, BASE + 0x6000, MAPS_READ | MAPS_EXECUTE, 0, "vdso");
	drop();
}
END_TEST

START_TEST(cuts_out_long_runs_of_zeroes)
{
	setup("145555000000-145555400000 rw-p 0 00:00 0 [heap]\n");
	add_zero(BASE + 0x1000, 255);
	add_zero(BASE + 0x150000, 256);
	build(3);
	check(0, BASE, BASE + 0x150000, 6, 0, "heap");
	check(1, BASE + 0x150000, BASE + 0x250000, 6, 1, "heap");
	check(2, BASE + 0x250000, BASE + 0x400000, 6, 0, "heap");
	drop();
	/* at either end there is no segment on that side */
	setup("145555000000-145555400000 rw-p 0 00:00 0\n");
	add_zero(BASE, 256);
	add_zero(BASE + 0x300000, 256);
	build(3);
	check(0, BASE, BASE + 0x100000, 6, 1, ".anon");
	check(2, BASE + 0x300000, BASE + 0x400000, 6, 1, ".anon");
	drop();
}
END_TEST

START_TEST(runs_of_zeroes_cross_mappings)
{
	setup("145555000000-145555080000 rw-p 0 08:02 1 /lib/a.so\n"
	      "145555080000-145555101000 rw-p 0 00:00 0\n"
	      "145555101000-145555102000 r--p 0 08:02 1 /lib/b\n"
	      "145555102000-145555104000 rw-p 0 00:00 0\n");
	add_zero(BASE, 256);
	add_zero(BASE + 0x102000, 2);
	build(4);
	check(0, BASE, BASE + 0x100000, 6, 1, "a.so");
	/* short, but nothing else is in that region: no file content needed */
	check(3, BASE + 0x102000, BASE + 0x104000, 6, 1, ".anon");
	drop();
}
END_TEST

START_TEST(zeroes_that_are_not_writable_stay)
{
	setup("145555000000-145555100000 r--p 0 00:00 0\n");
	build(1);
	check(0, BASE, BASE + 0x100000, 4, 0, ".anon");
	drop();
}
END_TEST

START_TEST(keeps_reserves)
{
	setup("145555000000-145555001000 rw-p 0 00:00 0\n"
	      "145555001000-145555002000 ---p 0 00:00 0\n"
	      "145555002000-145555003000 ---p 0 00:00 0\n"
	      "145555003000-145555004000 ---p 0 08:02 1 /lib/a.so\n"
	      "145555004000-145555005000 ---p 0 00:00 0\n");
	build(1);
	ck_assert_uint_eq(plan.reserves.count, 2);
	ck_assert_uint_eq(plan.reserves.items[0].start, BASE + 0x1000);
	ck_assert_uint_eq(plan.reserves.items[0].length, 0x2000);
	drop();
}
END_TEST

START_TEST(tells_the_size_of_what_it_refuses)
{
	setup("145555000000-145555003000 rw-s 0 00:05 7 /dev/shm/x\n");
	ck_assert_int_eq(plan_build(&maps, &zero, &plan, &err), -1);
	ck_assert_uint_eq(plan.refused, 0x3000);
	drop();
}
END_TEST

START_TEST(refuses)
{
	refuse("145555000000-145555001000 rw-s 0 00:05 7 /dev/shm/x\n", "/dev/shm/x");
	refuse("145555000000-145555001000 rw-s 0 00:05 7 /dev/shm/x\n", "shared");
	refuse("145555000000-145555001000 rwxp 0 00:00 0\n", "executable at once");
	refuse("145555000000-145555001000 -wxp 0 00:00 0\n", "executable at once");
	refuse("145555000000-145555001000 rw-p 0 00:00 0\nVmFlags: wf\n", "WIPEONFORK");
	refuse("145555000000-145555001000 rw-p 0 00:00 0\nVmFlags: dp\n", "DROPPABLE");
	refuse("145555000000-145555001000 rw-p 0 00:05 7 /dev/x\nVmFlags: pf\n", "device");
	refuse("145555000000-145555001000 r-xp 0 08:02 7 /a.so (deleted)\n", "deleted");
	refuse("145555000000-145555001000 r--p 0 00:00 0 [new]\n", "not know");
	refuse("000000001000-000000002000 rw-p 0 00:00 0\n", "can't hold");
	refuse("1f0000001000-1f0000002000 rw-p 0 00:00 0\n", "can't hold");
	refuse("1effffff0000-1f0000001000 rw-p 0 00:00 0\n", "can't hold");
	refuse("200000ff0000-200001001000 rw-p 0 00:00 0\n", "can't hold");
	refuse("7f0000000000-7f0000001000 rw-p 0 00:00 0\n", "did not move");
	refuse("7ffffffde000-7ffffffff000 rw-p 0 00:00 0 [stack]\n", "no memory");
	refuse("", "no memory");
}
END_TEST

/* A heap with more runs of zeroes than there may be segments. */
START_TEST(merges_where_there_are_too_many)
{
	uint64_t at = BASE;

	setup("145555000000-146555000000 rw-p 0 00:00 0 [heap]\n");
	for (int i = 0; i < 2000; i++) {
		add_zero(at + IMAGE_PAGE, i < 1900 ? 256 : 1000);
		at += 1100 * IMAGE_PAGE;
	}
	build(201);
	ck_assert_int_eq(plan.segments[1].anonymous, 1);
	ck_assert_uint_eq(plan.segments[1].length, 1000 * IMAGE_PAGE);
	drop();
}
END_TEST

START_TEST(refuses_too_many)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	for (unsigned i = 0; i <= IMAGE_MAX_SEGMENTS; i++)
		fprintf(stream, "%llx-%llx r-xp 0 08:02 1 /a\n", BASE + i * 8 * KB,
			BASE + i * 8 * KB + 4 * KB);
	fclose(stream);
	refuse(text, "1161 segments");
	free(text);
}
END_TEST

START_TEST(places_congruently)
{
	uint64_t end = 3 * IMAGE_PAGE;

	setup("000000400000-000000403000 r-xp 0 08:02 1 /bin/a\n"
	      "000000403000-000000404000 rw-p 0 08:02 1 /bin/a\n"
	      "145555123000-145555223000 rw-p 0 00:00 0\n"
	      "145555223000-145555224000 r--p 0 00:00 0\n"
	      "145555240000-145555241000 r-xp 0 08:02 1 /a\n");
	add_zero(BASE + 0x123000, 256);
	build(5);
	ck_assert_uint_eq(plan_place(&plan, end, 0, 0), plan.segments[4].offset + 0x1000);
	for (size_t i = 0; i < plan.count; i++) {
		if (plan.segments[i].anonymous)
			continue;
		ck_assert_uint_ge(plan.segments[i].offset, end);
		ck_assert_uint_lt(plan.segments[i].offset - end, PLAN_ALIGN);
		ck_assert_uint_eq((plan.segments[i].start - plan.segments[i].offset)
				  % PLAN_ALIGN, 0);
		end = plan.segments[i].offset + plan.segments[i].length;
	}
	/* neighbours stay neighbours */
	ck_assert_uint_eq(plan.segments[1].offset, plan.segments[0].offset + 0x3000);
	ck_assert_uint_eq(plan.segments[4].offset, plan.segments[3].offset + 0x1d000);
	drop();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_library_is_two_segments, neighbours_merge_and_gaps_part,
		drops_what_the_kernel_brings, cuts_out_long_runs_of_zeroes,
		runs_of_zeroes_cross_mappings, zeroes_that_are_not_writable_stay,
		keeps_reserves, tells_the_size_of_what_it_refuses, refuses,
		merges_where_there_are_too_many, refuses_too_many, places_congruently, NULL,
	};

	return unit_run("plan", tests);
}
