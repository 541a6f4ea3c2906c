/*
 * dumper/temporary.c: files that imports left, before and after the image ran.
 */
#include "unit.h"

#include "err.h"
#include "list.h"
#include "temporary.h"

#include <fcntl.h>
#include <string.h>

static void touch(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

START_TEST(one_that_is_gone_is_named)
{
	char one[] = "/tmp/pyimage unit XXXXXX", other[64];
	struct list reported = {0}, left = {0};
	struct err err = {0};

	ck_assert_ptr_nonnull(mkdtemp(one));
	snprintf(other, sizeof(other), "%s/file", one);
	touch(other);
	list_print(&reported, "app.cache %s", one);
	list_print(&reported, "app %s", other);
	list_add(&reported, "app /no/such/file");
	list_add(&reported, "without");
	list_add(&reported, "");
	temporary_find(&reported, &left);
	ck_assert_uint_eq(left.count, 2);
	ck_assert_int_eq(temporary_check(&left, &err), 0);
	ck_assert_int_eq(unlink(other), 0);
	ck_assert_int_eq(temporary_check(&left, &err), -1);
	ck_assert_int_eq(err.status, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(err.text, "module app made /tmp/pyimage unit "));
	ck_assert_ptr_nonnull(strstr(err.text, "/file while"));
	ck_assert_int_eq(rmdir(one), 0);
	err_clear(&err);
	list_free(&left);
	list_free(&reported);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { one_that_is_gone_is_named, NULL };

	return unit_run("temporary", tests);
}
