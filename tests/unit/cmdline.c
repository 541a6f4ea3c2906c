/*
 * restorer/cmdline.c and include/python_options.h: python3's command line.
 */
#include <check.h>
#include <stddef.h>

#include "cmdline.h"
#include "handoff.h"

static const struct {
	const char *argv[5];
	const char *refused;	/* the argument that it names */
	uint32_t mode;
	const char *what;
	int32_t rest;
} rows[] = {
	{ { NULL }, NULL, STARTUP_STDIN, NULL, 0 },
	{ { "-c", "pass" }, NULL, STARTUP_COMMAND, "pass", 2 },
	{ { "-c", "pass", "-x", "y" }, NULL, STARTUP_COMMAND, "pass", 2 },
	{ { "-cpass", "a" }, NULL, STARTUP_COMMAND, "pass", 1 },
	{ { "-c", "" }, NULL, STARTUP_COMMAND, "", 2 },
	{ { "-m", "json.tool", "f" }, NULL, STARTUP_MODULE, "json.tool", 2 },
	{ { "-mjson" }, NULL, STARTUP_MODULE, "json", 1 },
	{ { "x.py", "-c", "a" }, NULL, STARTUP_FILE, "x.py", 1 },
	{ { "-", "a" }, NULL, STARTUP_FILE, "-", 1 },
	{ { "", "a" }, NULL, STARTUP_FILE, "", 1 },
	{ { "-c" }, "-c", 0, NULL, 0 },
	{ { "-m" }, "-m", 0, NULL, 0 },
	{ { "--" }, NULL, STARTUP_STDIN, NULL, 1 },
	{ { "--", "x.py", "a" }, NULL, STARTUP_FILE, "x.py", 2 },
	{ { "--", "-c", "a" }, NULL, STARTUP_FILE, "-c", 2 },
	{ { "--", "-", "a" }, NULL, STARTUP_FILE, "-", 2 },
	{ { "-B", "--", "x.py" }, NULL, STARTUP_FILE, "x.py", 3 },
	{ { "--version" }, "--version", 0, NULL, 0 },
	{ { "-V" }, "-V", 0, NULL, 0 },
	{ { "-h" }, "-h", 0, NULL, 0 },
	{ { "-B", "-?" }, "-?", 0, NULL, 0 },
	{ { "--nothing" }, "--nothing", 0, NULL, 0 },
	{ { "---" }, "---", 0, NULL, 0 },
	{ { "-B-" }, "-B-", 0, NULL, 0 },
	{ { "-y" }, "-y", 0, NULL, 0 },
	{ { "-J" }, "-J", 0, NULL, 0 },
	{ { "-Ic", "pass" }, NULL, STARTUP_COMMAND, "pass", 2 },
	{ { "-BIcpass", "a" }, NULL, STARTUP_COMMAND, "pass", 1 },
	{ { "-Bm", "json", "-O" }, NULL, STARTUP_MODULE, "json", 2 },
	{ { "-Bc" }, "-Bc", 0, NULL, 0 },
	{ { "-B", "-c" }, "-c", 0, NULL, 0 },
	{ { "-c", "-m" }, NULL, STARTUP_COMMAND, "-m", 2 },
	{ { "-BO", "x.py" }, "-BO", 0, NULL, 0 },
	{ { "-X", "dev", "x.py" }, "-X", 0, NULL, 0 },
	{ { "-Xdev", "x.py" }, "-Xdev", 0, NULL, 0 },
	{ { "-X" }, "-X", 0, NULL, 0 },
	{ { "-X", "faulthandler", "x.py" }, NULL, STARTUP_FILE, "x.py", 3 },
	{ { "-BXfaulthandler", "x.py" }, NULL, STARTUP_FILE, "x.py", 2 },
	{ { "-Xfaulthandler=1", "x.py" }, "-Xfaulthandler=1", 0, NULL, 0 },
	{ { "-Xfault", "x.py" }, "-Xfault", 0, NULL, 0 },
	{ { "-W", "error", "x.py" }, "-W", 0, NULL, 0 },
	{ { "-O", "-c", "pass" }, "-O", 0, NULL, 0 },
	{ { "-i" }, NULL, STARTUP_STDIN, NULL, 1 },
	{ { "-i", "-" }, NULL, STARTUP_FILE, "-", 2 },
	{ { "--check-hash-based-pycs", "always" }, "--check-hash-based-pycs", 0, NULL, 0 },
	{ { "--check-hash-based-pycs" }, "--check-hash-based-pycs", 0, NULL, 0 },
};

START_TEST(forms)
{
	char **argv = (char **)(void *)rows[_i].argv;
	struct startup startup = { .mode = 99 };
	const char *refused;
	int argc = 0;

	while (argv[argc])
		argc++;
	refused = cmdline_read(argc, argv, &startup);
	ck_assert_pstr_eq(refused, rows[_i].refused);
	if (refused)
		return;
	ck_assert_uint_eq(startup.mode, rows[_i].mode);
	ck_assert_pstr_eq(startup.what, rows[_i].what);
	ck_assert_int_eq(startup.rest, rows[_i].rest);
	ck_assert_int_eq(startup.argc, argc);
	ck_assert_ptr_eq(startup.argv, argv);
}
END_TEST

static const struct {
	const char *word;
	struct python_options options;
} asked[] = {
	{ "-B", { .flags = PYTHON_NO_BYTECODE } },
	{ "-E", { .flags = PYTHON_NO_ENVIRONMENT } },
	{ "-P", { .flags = PYTHON_SAFE_PATH } },
	{ "-s", { .flags = PYTHON_NO_USER_SITE } },
	{ "-u", { .flags = PYTHON_UNBUFFERED } },
	{ "-x", { .flags = PYTHON_SKIP_LINE } },
	{ "-I", { .flags = PYTHON_ISOLATED | PYTHON_NO_ENVIRONMENT | PYTHON_NO_USER_SITE
		| PYTHON_SAFE_PATH } },
	{ "-qqi", { .flags = PYTHON_QUIET | PYTHON_INSPECT | PYTHON_INTERACTIVE,
		.quiet = 2, .inspect = 1, .interactive = 1 } },
	{ "-Xfaulthandler", { .flags = PYTHON_FAULTHANDLER | PYTHON_X_FAULTHANDLER } },
	{ "-tR", { .flags = PYTHON_RANDOM_HASH } },
};

START_TEST(options)
{
	char *argv[] = { (char *)(size_t)asked[_i].word, NULL };
	struct startup startup = { 0 };

	ck_assert_ptr_null(cmdline_read(1, argv, &startup));
	ck_assert_uint_eq(startup.options.flags, asked[_i].options.flags);
	ck_assert_int_eq(startup.options.inspect, asked[_i].options.inspect);
	ck_assert_int_eq(startup.options.interactive, asked[_i].options.interactive);
	ck_assert_int_eq(startup.options.quiet, asked[_i].options.quiet);
}
END_TEST

START_TEST(an_entry_gets_all)
{
	char *argv[] = { (char *)"-c", (char *)"--version", NULL };
	struct startup startup = { .mode = 99 };

	cmdline_entry(2, argv, STARTUP_MODULE, "json.tool", &startup);
	ck_assert_uint_eq(startup.mode, STARTUP_MODULE);
	ck_assert_str_eq(startup.what, "json.tool");
	ck_assert_int_eq(startup.rest, 0);
	ck_assert_int_eq(startup.argc, 2);
	ck_assert_ptr_eq(startup.argv, argv);
	ck_assert(startup.by_entry);
	cmdline_read(0, argv + 2, &startup);
	ck_assert(!startup.by_entry);
}
END_TEST

static const struct {
	const char *words[6];
	int at;
} entries[] = {
	{ { NULL }, 0 },
	{ { "-O", "-Xdev" }, 2 },
	{ { "/usr/bin/hg" }, 0 },
	{ { "-O", "-X", "dev", "/usr/bin/hg" }, 3 },
	{ { "-m", "json.tool" }, 0 },
	{ { "-W", "-m", "-m", "json.tool" }, 2 },
	{ { "-I", "-c", "pass" }, 1 },
	{ { "-Ic", "pass" }, 0 },
	{ { "-cpass" }, 0 },
	{ { "-B", "-mjson.tool" }, 1 },
	/* never out of bounds, whatever stands there */
	{ { "-m" }, 1 },
	{ { "-B", "-V", "/x" }, 3 },
	{ { "-X" }, 1 },
};

START_TEST(finds_the_entry)
{
	char **words = (char **)(void *)entries[_i].words;
	int count = 0;

	while (words[count])
		count++;
	ck_assert_int_eq(python_find_entry(count, words), entries[_i].at);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cmdline");
	TCase *tcase = tcase_create("cmdline");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, forms, 0, sizeof(rows) / sizeof(*rows));
	tcase_add_loop_test(tcase, options, 0, sizeof(asked) / sizeof(*asked));
	tcase_add_test(tcase, an_entry_gets_all);
	tcase_add_loop_test(tcase, finds_the_entry, 0, sizeof(entries) / sizeof(*entries));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
