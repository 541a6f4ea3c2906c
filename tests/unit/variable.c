/*
 * restorer/variable.c: the environment of a start against what was written.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image_check.h"
#include "say.h"
#include "variable.h"

static struct {
	struct image_header header;
	struct image_variable rows[IMAGE_MAX_VARIABLES];
	char strings[IMAGE_MAX_VARIABLES * 16];
} meta;
static uint32_t used;
static struct reason reason;
static char name[VARIABLE_NAME];

static uint32_t string(const char *text)
{
	uint32_t at = used;

	strcpy(meta.strings + used, text);
	used += (uint32_t)strlen(text) + 1;
	return (uint32_t)offsetof(__typeof__(meta), strings) + at;
}

static int by_hash(const void *a, const void *b)
{
	uint32_t left = ((const struct image_variable *)a)->hash;
	uint32_t right = ((const struct image_variable *)b)->hash;

	return (left > right) - (left < right);
}

static void add(const char *variable, const char *value, uint32_t flags)
{
	uint32_t bit = image_filter_bit(variable);
	struct image_variable *row = &meta.rows[meta.header.variables.count++];

	*row = (struct image_variable){
		.hash = image_hash_name(variable, strlen(variable)),
		.name = string(variable), .value = string(value ? value : ""),
		.flags = flags | (value ? IMAGE_VARIABLE_SET : 0),
	};
	meta.header.variable_filter[bit / 64] |= 1ull << bit % 64;
	qsort(meta.rows, meta.header.variables.count, sizeof(*row), by_hash);
}

static void setup(void)
{
	memset(&meta, 0, sizeof(meta));
	used = 0;
	meta.header.strings.offset = offsetof(__typeof__(meta), strings);
	meta.header.strings.count = sizeof(meta.strings);
	meta.header.variables.offset = offsetof(__typeof__(meta), rows);
	add("HOME", "/root", 0);
	add("EMPTY", "", 0);
	add("APP_MODE", NULL, 0);
	add("LANGUAGE", NULL, IMAGE_VARIABLE_LANGUAGE);
	add("LC_MESSAGES", "de", IMAGE_VARIABLE_LANGUAGE);
}

#define MOST 8
#define GOOD "HOME=/root", "EMPTY=", "LC_MESSAGES=de"

/* What differs, or NULL: all is as it was. */
static const struct {
	const char *envp[MOST];
	const char *differs;
	const char *why;
} cases[] = {
	{ { GOOD }, NULL, NULL },
	{ { "PATH=/bin", GOOD, "HOM=/x", "HOMELESS=1", "=", "" }, NULL, NULL },
	{ { GOOD, "HOME=/other" }, NULL, NULL },	/* the first one counts */
	{ { "HOME=/other", GOOD }, "HOME", "otherwise" },
	{ { GOOD, "APP_MODE=1" }, "APP_MODE", "was not set" },
	{ { GOOD, "APP_MODE=" }, "APP_MODE", "was not set" },
	{ { GOOD, "APP_MODE", "APP_MODEL=1", "APP_MOD=1" }, NULL, NULL },
	{ { "EMPTY=", "LC_MESSAGES=de" }, "HOME", "was set" },
	{ { "HOME=/root", "LC_MESSAGES=de" }, "EMPTY", "was set" },
	{ { "HOME=/roo", "EMPTY=", "LC_MESSAGES=de" }, "HOME", "otherwise" },
	{ { "HOME=/root/", "EMPTY=", "LC_MESSAGES=de" }, "HOME", "otherwise" },
	{ { "HOME", "EMPTY=", "LC_MESSAGES=de" }, "HOME", "was set" },
	{ { GOOD, "LANGUAGE=C" }, NULL, NULL },
	{ { GOOD, "LANGUAGE=C.UTF-8" }, NULL, NULL },
	{ { GOOD, "LANGUAGE=POSIX" }, NULL, NULL },
	{ { GOOD, "LANGUAGE=" }, NULL, NULL },
	{ { GOOD, "LANGUAGE=fr" }, "LANGUAGE", "was not set" },
	{ { "HOME=/root", "EMPTY=", "LC_MESSAGES=C" }, "LC_MESSAGES", "otherwise" },
};

static int check_case(int i)
{
	return variable_check(&meta, &meta.header, (char *const *)cases[i].envp, name, &reason);
}

START_TEST(tells_what_differs)
{
	int result = check_case(_i);

	ck_assert_int_eq(result, cases[_i].differs ? -1 : 0);
	if (!cases[_i].differs)
		return;
	ck_assert_str_eq(reason.detail, cases[_i].differs);
	ck_assert_ptr_nonnull(strstr(reason.why, cases[_i].why));
}
END_TEST

START_TEST(values_are_not_told)
{
	const char *const envp[] = { "APP_MODE=secret", GOOD, NULL };

	ck_assert_int_eq(variable_check(&meta, &meta.header, (char *const *)envp, name,
			&reason), -1);
	ck_assert_str_eq(reason.detail, "APP_MODE");
}
END_TEST

START_TEST(the_whole_environment)
{
	const char *envp[MOST] = { GOOD, "PWD=/x", "_=/bin/x", "PYIMAGE=on" };

	meta.header.flags = IMAGE_WHOLE_ENVIRONMENT;
	ck_assert_int_eq(variable_check(&meta, &meta.header, (char *const *)envp, name,
			&reason), 0);
	envp[6] = "NEW=1";
	ck_assert_int_eq(variable_check(&meta, &meta.header, (char *const *)envp, name,
			&reason), -1);
	ck_assert_str_eq(reason.detail, "NEW");
}
END_TEST

START_TEST(names_that_begin_alike)
{
	const char *envp[MOST] = { GOOD, "OWN_=x", "NUMBA=1" };

	add("NUMBA_", NULL, IMAGE_VARIABLE_PREFIX);
	add("NUMBA_OWN", "1", 0);
	meta.header.flags = IMAGE_PREFIXES;
	envp[5] = "NUMBA_OWN=1";
	ck_assert_int_eq(variable_check(&meta, &meta.header, (char *const *)envp, name,
			&reason), 0);
	envp[6] = "NUMBA_OTHER=1";
	ck_assert_int_eq(variable_check(&meta, &meta.header, (char *const *)envp, name,
			&reason), -1);
	ck_assert_str_eq(reason.detail, "NUMBA_OTHER");
	envp[6] = "NUMBA_=1";
	ck_assert_int_eq(variable_check(&meta, &meta.header, (char *const *)envp, name,
			&reason), -1);
}
END_TEST

START_TEST(a_long_name_is_cut_off)
{
	char variable[300];
	const char *const envp[] = { variable, GOOD, NULL };

	memset(variable, 'x', sizeof(variable));
	strcpy(variable + 290, "=y");
	meta.header.flags = IMAGE_WHOLE_ENVIRONMENT;
	ck_assert_int_eq(variable_check(&meta, &meta.header, (char *const *)envp, name,
			&reason), -1);
	ck_assert_uint_eq(strlen(reason.detail), VARIABLE_NAME - 1);
}
END_TEST

START_TEST(as_many_as_there_may_be)
{
	static char texts[IMAGE_MAX_VARIABLES][16];
	static char *envp[IMAGE_MAX_VARIABLES + 1];

	meta.header.variables.count = 0;
	used = 0;
	for (unsigned i = 0; i < IMAGE_MAX_VARIABLES; i++) {
		snprintf(texts[i], sizeof(texts[i]), "V%u=x", i);
		envp[i] = texts[i];
		*strchr(texts[i], '=') = '\0';
		add(texts[i], "x", 0);
		texts[i][strlen(texts[i])] = '=';
	}
	ck_assert_int_eq(variable_check(&meta, &meta.header, envp, name, &reason), 0);
	for (unsigned i = 0; i < IMAGE_MAX_VARIABLES; i += 97) {
		char *there = envp[i];

		envp[i] = (char *)"W=x";
		ck_assert_int_eq(variable_check(&meta, &meta.header, envp, name, &reason), -1);
		ck_assert_int_eq(strncmp(there, name, strlen(name)), 0);
		envp[i] = there;
	}
}
END_TEST

START_TEST(one_by_itself)
{
	ck_assert(variable_has(&meta, &meta.header, "HOME=/root"));
	ck_assert(!variable_has(&meta, &meta.header, "HOME=/x"));
	ck_assert(!variable_has(&meta, &meta.header, "HOME"));
	ck_assert(!variable_has(&meta, &meta.header, "LD_PRELOAD=/x"));
	ck_assert(!variable_has(&meta, &meta.header, "APP_MODE=1"));
}
END_TEST

/* Strings that are none: never outside, whatever comes of it. */
START_TEST(rows_may_lie)
{
	meta.rows[1].name = ~0u;
	meta.rows[2].value = 1;
	meta.rows[3].name = 0;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_case((int)i);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("variable");
	TCase *tcase = tcase_create("variable");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_loop_test(tcase, tells_what_differs, 0, sizeof(cases) / sizeof(*cases));
	tcase_add_test(tcase, values_are_not_told);
	tcase_add_test(tcase, the_whole_environment);
	tcase_add_test(tcase, names_that_begin_alike);
	tcase_add_test(tcase, a_long_name_is_cut_off);
	tcase_add_test(tcase, as_many_as_there_may_be);
	tcase_add_test(tcase, one_by_itself);
	tcase_add_test(tcase, rows_may_lie);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
