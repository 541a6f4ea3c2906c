/*
 * dumper/path.c and environment.c: text work.
 */
#include "unit.h"

#include "environment.h"
#include "err.h"
#include "list.h"
#include "path.h"

#include <string.h>

START_TEST(makes_absolute)
{
	static const char *const cases[][2] = {
		{"/a/b", "/a/b"}, {"//a/./b/", "/a/b"}, {"/", "/"}, {"/.", "/"},
		{"/a/../b", "/a/../b"}, {"/.a/b.", "/.a/b."},
	};
	struct err err = {0};
	char *folder = getcwd(NULL, 0);
	char *path = path_absolute("./x//y", &err);

	ck_assert(strncmp(path, folder, strlen(folder)) == 0);
	ck_assert_str_eq(path + strlen(folder), "/x/y");
	free(path);
	free(folder);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		path = path_absolute(cases[i][0], &err);
		ck_assert_str_eq(path, cases[i][1]);
		free(path);
	}
}
END_TEST

START_TEST(takes_apart)
{
	char *folder = path_folder("/a/b");

	ck_assert_str_eq(folder, "/a");
	free(folder);
	folder = path_folder("/a");
	ck_assert_str_eq(folder, "/");
	free(folder);
	ck_assert_str_eq(path_base("/a/b.so"), "b.so");
	ck_assert_str_eq(path_base("b"), "b");
	ck_assert(path_has_part("/usr/lib/site-packages/x.py", "site-packages"));
	ck_assert(path_has_part("/usr/site-packages", "site-packages"));
	ck_assert(!path_has_part("/usr/my-site-packages/x", "site-packages"));
	ck_assert(!path_has_part("/usr/site-packages2/x", "site-packages"));
	ck_assert(!path_has_part("", "x"));
}
END_TEST

START_TEST(cleans_the_environment)
{
	char *const caller[] = {
		(char *)"PATH=/bin", (char *)"HOME=/h", (char *)"PYTHONPATH=/p",
		(char *)"LC_ALL=C", (char *)"LC_TIME=x", (char *)"A=1", (char *)"AB=2", NULL,
	};
	struct list keep = {0}, out = {0};

	list_add(&keep, "A");
	list_add(&keep, "MISSING");
	list_add(&keep, "B=");
	list_add(&keep, "PATH=/x=y");
	environment_clean(caller, &keep, &out);
	ck_assert_uint_eq(out.count, 5);
	ck_assert_str_eq(environment_get(out.items, "PATH"), "/x=y");
	ck_assert_str_eq(environment_get(out.items, "HOME"), "/h");
	ck_assert_str_eq(environment_get(out.items, "LC_ALL"), "C");
	ck_assert_str_eq(environment_get(out.items, "A"), "1");
	ck_assert_str_eq(environment_get(out.items, "B"), "");
	ck_assert_ptr_null(environment_get(out.items, "PYTHONPATH"));
	list_free(&keep);
	list_free(&out);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		makes_absolute, takes_apart, cleans_the_environment, NULL,
	};

	return unit_run("path", tests);
}
