/*
 * restorer/cmdline.c: python3's command line, in the forms that an image honours.
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
	{ { "--" }, "--", 0, NULL, 0 },
	{ { "--", "x.py" }, "--", 0, NULL, 0 },
	{ { "--version" }, "--version", 0, NULL, 0 },
	{ { "-V" }, "-V", 0, NULL, 0 },
	{ { "-Ic", "pass" }, "-Ic", 0, NULL, 0 },
	{ { "-X", "dev", "x.py" }, "-X", 0, NULL, 0 },
	{ { "-O", "-c", "pass" }, "-O", 0, NULL, 0 },
	{ { "-i" }, "-i", 0, NULL, 0 },
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

int main(void)
{
	Suite *suite = suite_create("cmdline");
	TCase *tcase = tcase_create("cmdline");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, forms, 0, sizeof(rows) / sizeof(*rows));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
