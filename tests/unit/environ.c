/*
 * restorer/environ.c, mode.c and text.c: what the restorer reads from the
 * environment.
 */
#include <check.h>
#include <stddef.h>
#include <string.h>

#include "environ.h"
#include "mode.h"
#include "say.h"
#include "text.h"

static struct environ_values values;

static void read_one(const char *variable)
{
	const char *envp[] = { "PATH=/bin", variable, NULL };

	environ_read((char **)(void *)envp, &values);
}

/* One of python3's variables: what it asks for, or that no image can do it. */
static const struct {
	const char *variable;
	int foreign;
	uint32_t flags;
	int32_t inspect;
} python[] = {
	{ "PYTHONPATH=/x", 1, 0, 0 }, { "PYTHONPATH=", 0, 0, 0 },
	{ "PYTHONHASHSEED=0", 1, 0, 0 }, { "PYTHONHASHSEED=random", 0, PYTHON_RANDOM_HASH, 0 },
	{ "PYTHON_JIT=1", 1, 0, 0 }, { "PYTHON_JIT=0", 0, 0, 0 },
	{ "PYTHONDEBUG=1", 1, 0, 0 }, { "PYTHONDEBUG=0", 0, 0, 0 }, { "PYTHON=x", 0, 0, 0 }, { "PYTHON=", 0, 0, 0 },
	{ "PYTHON", 0, 0, 0 }, { "PYTHONPATH", 0, 0, 0 }, { "PYTHO=x", 0, 0, 0 },
	{ "XPYTHONPATH=/x", 0, 0, 0 }, { "PYTHONPATHX=/x", 0, 0, 0 },
	{ "PYTHONVERBOSE=1", 1, 0, 0 }, { "PYTHON_VERSION=3.11", 0, 0, 0 },
	{ "PYTHONUNBUFFERED=1", 0, PYTHON_UNBUFFERED, 0 },
	{ "PYTHONUNBUFFERED=", 0, 0, 0 }, { "PYTHONUNBUFFERED=0", 0, 0, 0 },
	{ "PYTHONUNBUFFERED= +00", 0, 0, 0 }, { "PYTHONUNBUFFERED=0x", 0, PYTHON_UNBUFFERED, 0 },
	{ "PYTHONUNBUFFERED=-2", 0, PYTHON_UNBUFFERED, 0 },
	{ "PYTHONUNBUFFERED=no", 0, PYTHON_UNBUFFERED, 0 },
	{ "PYTHONSAFEPATH=0", 0, PYTHON_SAFE_PATH, 0 },
	{ "PYTHONNOUSERSITE=1", 0, PYTHON_NO_USER_SITE, 0 },
	{ "PYTHONDONTWRITEBYTECODE=x", 0, PYTHON_NO_BYTECODE, 0 },
	{ "PYTHONFAULTHANDLER=0", 0, PYTHON_FAULTHANDLER, 0 },
	{ "PYTHONINSPECT=-0", 0, PYTHON_INSPECT_ZERO, 0 },
	{ "PYTHONINSPECT=3", 0, PYTHON_INSPECT, 3 },
	{ "PYTHONINSPECT=99999999999", 0, PYTHON_INSPECT, 1 },
	{ "PYTHONINSPECT=2147483647", 0, PYTHON_INSPECT, 2147483647 },
};

START_TEST(python_variables)
{
	struct python_options options = { .inspect = 2 };
	const char *refused;

	read_one(python[_i].variable);
	ck_assert_ptr_null(values.foreign);
	refused = environ_ask(&values, &options);
	ck_assert_pstr_eq(refused, python[_i].foreign ? python[_i].variable : NULL);
	ck_assert_uint_eq(options.flags, python[_i].flags);
	ck_assert_int_eq(options.inspect, python[_i].inspect > 2 ? python[_i].inspect : 2);
	options = (struct python_options){ .flags = PYTHON_NO_ENVIRONMENT };
	ck_assert_ptr_null(environ_ask(&values, &options));
	ck_assert_uint_eq(options.flags, PYTHON_NO_ENVIRONMENT);
}
END_TEST

START_TEST(io_encoding)
{
	struct python_options options = { 0 };

	read_one("PYTHONIOENCODING=latin-1:strict");
	ck_assert_ptr_null(environ_ask(&values, &options));
	ck_assert_str_eq(options.io_encoding, "latin-1:strict");
	read_one("PYTHONIOENCODING=");
	ck_assert_ptr_null(environ_ask(&values, &options));
	ck_assert_ptr_null(options.io_encoding);
}
END_TEST

static const struct {
	const char *variable;
	int foreign;
} foreign[] = {
	{ "_PYTHON_HOST_PLATFORM=x", 1 }, { "_=/bin/env", 0 },
	{ "__PYVENV_LAUNCHER__=/x", 1 }, { "__PYVENV_LAUNCHER__=", 0 },
	{ "LD_PRELOAD=x.so", 1 }, { "LD_PRELOAD=", 0 }, { "LD=x", 0 },
	{ "MALLOC_ARENA_MAX=1", 1 }, { "MALLOC_=", 0 }, { "MALLOCX=1", 0 },
	{ "GLIBC_TUNABLES=glibc.x=1", 1 }, { "GLIBC_TUNABLES=", 0 },
	{ "GLIBC_TUNABLESX=1", 0 }, { "", 0 }, { "=", 0 }, { "P", 0 }, { "L=", 0 },
};

/* Also under -E. */
START_TEST(variables_of_modules)
{
	struct python_options options = { .flags = PYTHON_NO_ENVIRONMENT };

	read_one("PYTHONUSERBASE=/x");
	ck_assert_pstr_eq(values.module, "PYTHONUSERBASE=/x");
	ck_assert_ptr_null(environ_ask(&values, &options));
	read_one("PYTHONTZPATH=/x");
	ck_assert_pstr_eq(values.module, "PYTHONTZPATH=/x");
	read_one("PYTHONTZPATH=");
	ck_assert_ptr_null(values.module);
}
END_TEST

START_TEST(foreign_variables)
{
	read_one(foreign[_i].variable);
	ck_assert_pstr_eq(values.foreign,
		foreign[_i].foreign ? foreign[_i].variable : NULL);
}
END_TEST

START_TEST(picks)
{
	static const char *const envp[] = {
		"LC_ALL=a", "LC_CTYPE=b", "LANG=c", "LANGUAGE=x", "TZ=d", "HOME=e",
		"PYIMAGE=f", "PYIMAGE_VERBOSE=g", "PYIMAGE_HOLD=h", "PYIMAGE_FINALIZE=i", "HOME=second",
		"PYIMAGE_ENTRY=j", "PYIMAGE_KSM=k",
		"TZ", NULL
	};

	environ_read((char **)(void *)envp, &values);
	ck_assert_str_eq(values.lc_all, "a");
	ck_assert_str_eq(values.lc_ctype, "b");
	ck_assert_str_eq(values.lang, "c");
	ck_assert_str_eq(values.tz, "d");
	ck_assert_str_eq(values.home, "e");
	ck_assert_str_eq(values.mode, "f");
	ck_assert_str_eq(values.verbose, "g");
	ck_assert_str_eq(values.hold, "h");
	ck_assert_str_eq(values.finalize, "i");
	ck_assert_str_eq(values.entry, "j");
	ck_assert_str_eq(values.ksm, "k");
	ck_assert_ptr_null(values.foreign);
	read_one("X=");
	ck_assert_ptr_null(values.home);
}
END_TEST

static const struct {
	const char *lc_all, *lc_ctype, *lang, *frozen;
	int by_lc_all, same;
} locales[] = {
	{ NULL, NULL, NULL, "C", 0, 1 },
	{ NULL, NULL, NULL, "C", 1, 0 },
	{ "C", NULL, NULL, "C", 1, 1 },
	{ "C", NULL, NULL, "C", 0, 0 },
	{ "", NULL, "C", "C", 0, 1 },
	{ "POSIX", NULL, NULL, "POSIX", 0, 0 },
	{ "POSIX", NULL, NULL, "C", 1, 0 },
	{ "C.UTF-8", NULL, NULL, "C.UTF-8", 0, 1 },
	{ NULL, NULL, "C.UTF-8", "C.UTF-8", 1, 1 },
	{ NULL, "de_DE.UTF-8", "C.UTF-8", "de_DE.UTF-8", 0, 1 },
	{ NULL, "", "C.UTF-8", "C.UTF-8", 0, 1 },
	{ "C.UTF-8", "de_DE.UTF-8", "", "de_DE.UTF-8", 0, 0 },
	{ NULL, NULL, "C.utf8", "C.UTF-8", 0, 0 },
};

START_TEST(locale)
{
	values = (struct environ_values){
		.lc_all = locales[_i].lc_all, .lc_ctype = locales[_i].lc_ctype,
		.lang = locales[_i].lang,
	};
	ck_assert_int_eq(environ_same_locale(&values, locales[_i].frozen,
			locales[_i].by_lc_all), locales[_i].same);
}
END_TEST

static const struct {
	const char *tz, *frozen;
	int changed, local;
} zones[] = {
	{ NULL, "", 0, 1 }, { NULL, "UTC", 1, 1 }, { "UTC", "UTC", 0, 0 },
	{ "UTC", "", 1, 0 }, { "", "", 1, 0 }, { "Europe/Berlin", "UTC", 1, 0 },
};

START_TEST(timezone)
{
	int local = -1;

	values = (struct environ_values){ .tz = zones[_i].tz };
	ck_assert_int_eq(environ_timezone_changed(&values, zones[_i].frozen, &local),
		zones[_i].changed);
	ck_assert_int_eq(local, zones[_i].local);
}
END_TEST

static const struct {
	enum mode_variable variable;
	const char *value;
	int want;
} modes[] = {
	{ MODE, NULL, MODE_AUTO },
	{ MODE, "", MODE_AUTO },
	{ MODE, "auto", MODE_AUTO },
	{ MODE, "on", MODE_ON },
	{ MODE, "off", MODE_OFF },
	{ MODE, "offf", MODE_BAD },
	{ MODE, "ON", MODE_BAD },
	{ MODE, "1", MODE_BAD },
	{ MODE_FINALIZE, NULL, MODE_FINALIZE_FAST },
	{ MODE_FINALIZE, "", MODE_FINALIZE_FAST },
	{ MODE_FINALIZE, "fast", MODE_FINALIZE_FAST },
	{ MODE_FINALIZE, "full", MODE_FINALIZE_FULL },
	{ MODE_FINALIZE, "FULL", MODE_BAD },
	{ MODE_FINALIZE, "fully", MODE_BAD },
	{ MODE_FINALIZE, "1", MODE_BAD },
	{ MODE_ENTRY, NULL, MODE_ENTRY_ON },
	{ MODE_ENTRY, "", MODE_ENTRY_ON },
	{ MODE_ENTRY, "on", MODE_ENTRY_ON },
	{ MODE_ENTRY, "off", MODE_ENTRY_OFF },
	{ MODE_ENTRY, "OFF", MODE_BAD },
	{ MODE_ENTRY, "0", MODE_BAD },
	{ MODE_KSM, NULL, MODE_KSM_OFF },
	{ MODE_KSM, "", MODE_KSM_OFF },
	{ MODE_KSM, "0", MODE_KSM_OFF },
	{ MODE_KSM, "1", MODE_KSM_ON },
	{ MODE_KSM, "10", MODE_BAD },
	{ MODE_KSM, "on", MODE_BAD },
};

START_TEST(mode)
{
	ck_assert_int_eq(mode_read(modes[_i].variable, modes[_i].value), modes[_i].want);
}
END_TEST

/* What is said first of variables with values that are none. */
static const struct {
	struct environ_values values;
	const char *what, *detail;	/* NULL: all are good */
} checks[] = {
	{ { .mode = NULL }, NULL, NULL },
	{ { .mode = "on", .finalize = "full", .entry = "off", .ksm = "1" }, NULL, NULL },
	{ { .mode = "on", .ksm = "junk" }, "PYIMAGE_KSM", "junk" },
	{ { .entry = "junk", .ksm = "1" }, "PYIMAGE_ENTRY", "junk" },
	{ { .finalize = "junk" }, "PYIMAGE_FINALIZE", "junk" },
	{ { .mode = "junk" }, "PYIMAGE", "junk" },
	{ { .entry = "one", .ksm = "two" }, "PYIMAGE_ENTRY", "one" },
	{ { .finalize = "one", .entry = "two" }, "PYIMAGE_FINALIZE", "one" },
	{ { .mode = "one", .finalize = "two" }, "PYIMAGE", "one" },
};

START_TEST(checked)
{
	struct reason reason = { .what = NULL };
	int want = checks[_i].what ? -1 : 0;

	ck_assert_int_eq(mode_check(&checks[_i].values, &reason), want);
	if (want) {
		ck_assert_str_eq(reason.what, checks[_i].what);
		ck_assert_str_eq(reason.detail, checks[_i].detail);
	}
}
END_TEST

START_TEST(numbers)
{
	ck_assert_int_eq(text_number("0"), 0);
	ck_assert_int_eq(text_number("2147483647"), 2147483647);
	ck_assert_int_eq(text_number("2147483648"), -1);
	ck_assert_int_eq(text_number("99999999999999999999"), -1);
	ck_assert_int_eq(text_number(""), -1);
	ck_assert_int_eq(text_number("-1"), -1);
	ck_assert_int_eq(text_number("1x"), -1);
}
END_TEST

START_TEST(decimal)
{
	char buffer[TEXT_DECIMAL];

	ck_assert_str_eq(text_decimal(0, buffer), "0");
	ck_assert_str_eq(text_decimal(311, buffer), "311");
	ck_assert_str_eq(text_decimal(~0ul, buffer), "18446744073709551615");
}
END_TEST

START_TEST(strings)
{
	char buffer[8];
	size_t used = text_append(buffer, sizeof(buffer), 0, "abc");

	ck_assert_uint_eq(used, 3);
	used = text_append(buffer, sizeof(buffer), used, "defg");
	ck_assert_uint_eq(used, 7);
	ck_assert_str_eq(buffer, "abcdefg");
	used = text_append(buffer, sizeof(buffer), used, "h");
	ck_assert_uint_eq(used, sizeof(buffer));
	used = text_append(buffer, sizeof(buffer), used, "i");
	ck_assert_uint_eq(used, sizeof(buffer));
	ck_assert_int_eq(text_compare("abc", 3, "abc"), 0);
	ck_assert_int_lt(text_compare("ab", 2, "abc"), 0);
	ck_assert_int_gt(text_compare("abc", 3, "ab"), 0);
	ck_assert_int_gt(text_compare("\xff", 1, "a"), 0);
	ck_assert_int_lt(text_compare("", 0, "a"), 0);
	ck_assert_ptr_null(text_after("ab", "abc"));
	ck_assert_str_eq(text_after("abc", "ab"), "c");
	ck_assert(text_equal("", "") && !text_equal("a", "") && !text_equal("", "a"));
	ck_assert_uint_eq(text_length("four"), 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("environ");
	TCase *tcase = tcase_create("environ");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, python_variables, 0, sizeof(python) / sizeof(*python));
	tcase_add_test(tcase, io_encoding);
	tcase_add_test(tcase, variables_of_modules);
	tcase_add_loop_test(tcase, foreign_variables, 0, sizeof(foreign) / sizeof(*foreign));
	tcase_add_test(tcase, picks);
	tcase_add_loop_test(tcase, locale, 0, sizeof(locales) / sizeof(*locales));
	tcase_add_loop_test(tcase, timezone, 0, sizeof(zones) / sizeof(*zones));
	tcase_add_loop_test(tcase, mode, 0, sizeof(modes) / sizeof(*modes));
	tcase_add_loop_test(tcase, checked, 0, sizeof(checks) / sizeof(*checks));
	tcase_add_test(tcase, numbers);
	tcase_add_test(tcase, decimal);
	tcase_add_test(tcase, strings);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
