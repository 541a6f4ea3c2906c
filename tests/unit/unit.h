/*
 * What the unit suites share: the main function of a Check program
 * and a folder that a test may fill.
 */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Runs the tests of a NULL-terminated array as one suite, each between these two,
 * or NULL, and in this time. */
static inline int unit_run_between(const char *name, const TTest *const tests[],
	SFun setup, SFun teardown, double seconds)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner;
	int failed;

	for (size_t i = 0; tests[i]; i++)
		tcase_add_test(tcase, tests[i]);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, seconds);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

static inline int unit_run(const char *name, const TTest *const tests[])
{
	return unit_run_between(name, tests, NULL, NULL, 60);
}

static inline int unit_remove(const char *path, const struct stat *status, int type,
	struct FTW *where)
{
	(void)status, (void)type, (void)where;
	return remove(path);
}

/* Leaves a test that can't run here; with MUST_RUN=1 that is a failure. */
#define unit_skip(why) do { \
	const char *must = getenv("MUST_RUN"); \
	printf("# skip: %s\n", why); \
	ck_assert_msg(!must || !*must || *must == '0', "skipped: %s", why); \
	return; \
} while (0)

/* A new folder below $TMPDIR or /tmp; its real path. */
static inline char *unit_folder(void)
{
	const char *parent = getenv("TMPDIR");
	char name[4096], *path;

	snprintf(name, sizeof(name), "%s/pydump-unit.XXXXXX", parent ? parent : "/tmp");
	path = mkdtemp(name);
	ck_assert_ptr_nonnull(path);
	path = realpath(name, NULL);
	ck_assert_ptr_nonnull(path);
	return path;
}

/* Removes it with all that is in it, and frees the path. */
static inline void unit_drop_folder(char *path)
{
	nftw(path, unit_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(path);
}

/* Writes a file of the folder; the path stays valid until the next call. */
static inline const char *unit_file(const char *folder, const char *name,
	const char *text)
{
	static char path[4096];
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	stream = fopen(path, "w");
	ck_assert_ptr_nonnull(stream);
	ck_assert_int_ge(fputs(text, stream), 0);
	ck_assert_int_eq(fclose(stream), 0);
	return path;
}

#endif
