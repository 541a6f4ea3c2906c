/*
 * dumper/list.c, buffer.c, alloc.c: things that grow.
 */
#include "unit.h"

#include "alloc.h"
#include "buffer.h"
#include "list.h"

#include <string.h>

START_TEST(sorts_and_drops_doubles)
{
	struct list list = {0};

	list_sort(&list);
	ck_assert(!list_has(&list, "a"));
	for (int i = 0; i < 100; i++)
		list_print(&list, "%d", (i * 37) % 50);
	list_add(&list, "");
	list_sort(&list);
	ck_assert_uint_eq(list.count, 51);
	ck_assert_str_eq(list.items[0], "");
	ck_assert_ptr_null(list.items[51]);
	ck_assert(list_has(&list, "49"));
	ck_assert(!list_has(&list, "50"));
	for (size_t i = 1; i < list.count; i++)
		ck_assert_int_lt(strcmp(list.items[i - 1], list.items[i]), 0);
	list_free(&list);
	ck_assert_uint_eq(list.count, 0);
}
END_TEST

START_TEST(buffer_grows_and_pads)
{
	struct buffer buffer = {0};

	ck_assert_uint_eq(buffer_add(&buffer, NULL, 0), 0);
	ck_assert_uint_eq(buffer_string(&buffer, "abc"), 0);
	ck_assert_uint_eq(buffer_add(&buffer, NULL, 1), 4);
	buffer_pad(&buffer, 8, 4);
	ck_assert_uint_eq(buffer.used, 12);
	buffer_pad(&buffer, 8, 4);
	ck_assert_uint_eq(buffer.used, 12);
	ck_assert_uint_eq(buffer_add(&buffer, NULL, 100000), 12);
	ck_assert_int_eq(buffer.data[100011], 0);
	ck_assert_str_eq(buffer.data, "abc");
	buffer_free(&buffer);
	ck_assert_ptr_null(buffer.data);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		sorts_and_drops_doubles, buffer_grows_and_pads, NULL,
	};

	return unit_run("list", tests);
}
