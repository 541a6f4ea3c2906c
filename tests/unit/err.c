/*
 * dumper/err.c: messages on their way up.
 */
#include "unit.h"

#include "err.h"

#include <errno.h>

START_TEST(sets_text_and_status)
{
	struct err err = {0};

	ck_assert_int_eq(err_set(&err, ERR_USAGE, "%s %d", "a", 1), -1);
	ck_assert_str_eq(err.text, "a 1");
	ck_assert_int_eq(err.status, ERR_USAGE);
	err_clear(&err);
	ck_assert_ptr_null(err.text);
	ck_assert_int_eq(err.status, ERR_NONE);
}
END_TEST

START_TEST(says_what_errno_means)
{
	struct err err = {0};

	errno = ENOENT;
	ck_assert_int_eq(err_sys(&err, "open %s", "x"), -1);
	ck_assert_str_eq(err.text, "open x: No such file or directory");
	ck_assert_int_eq(err.status, ERR_IO);
	err_clear(&err);
}
END_TEST

START_TEST(adds_words_around)
{
	struct err err = {0};

	err_set(&err, ERR_REFUSED, "b");
	err_prefix(&err, "a");
	err_add(&err, "c");
	ck_assert_str_eq(err.text, "a: b\nc");
	ck_assert_int_eq(err.status, ERR_REFUSED);
	err_clear(&err);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		sets_text_and_status, says_what_errno_means, adds_words_around, NULL,
	};

	return unit_run("err", tests);
}
