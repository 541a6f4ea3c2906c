/*
 * dumper/variables.c: from what was read and what is asked for to guards.
 */
#include "unit.h"

#include "err.h"
#include "image.h"
#include "report.h"
#include "spec.h"
#include "variables.h"

#include <string.h>

static const char *const environment[] = {
	"PATH=/bin", "HOME=/root", "LANG=C.UTF-8", "LD_LIBRARY_PATH=/opt", "PYTHONUTF8=1", NULL,
};
static struct report_variable reads[] = {
	{.name = (char *)"APP_MODE", .reader = (char *)"app (app.py, line 3)",
	 .counts = 1, .exact = 1},
	{.name = (char *)"HOME", .counts = 0, .exact = 0, .was_set = 1},
	{.name = (char *)"LANGUAGE", .counts = 1, .exact = 0},
	{.name = (char *)"LC_CTYPE", .counts = 1, .exact = 1, .was_set = 1},
};

static const struct variable *find(const struct variables *variables, const char *name)
{
	for (size_t i = 0; i < variables->count; i++)
		if (strcmp(variables->items[i].name, name) == 0)
			return &variables->items[i];
	return NULL;
}

static void make(struct report *report, const struct spec *spec, struct variables *variables)
{
	struct err err = {0};

	ck_assert_msg(!variables_make(report, spec, (char *const *)environment, variables,
				      &err), "%s", err.text);
	for (size_t i = 1; i < variables->count; i++)
		ck_assert_int_lt(strcmp(variables->items[i - 1].name, variables->items[i].name), 0);
}

START_TEST(reads_become_guards)
{
	struct report report = {.variables = reads, .variable_count = 4};
	struct spec spec = {0};
	struct variables variables;

	make(&report, &spec, &variables);
	ck_assert_ptr_null(find(&variables, "APP_MODE")->value);
	ck_assert(find(&variables, "APP_MODE")->guard);
	ck_assert_str_eq(find(&variables, "APP_MODE")->reader, "app (app.py, line 3)");
	ck_assert(!find(&variables, "HOME")->guard);
	ck_assert(find(&variables, "LANGUAGE")->language);
	/* coerced, it came from these */
	ck_assert(find(&variables, "LC_ALL")->guard);
	ck_assert_str_eq(find(&variables, "LANG")->value, "C.UTF-8");
	ck_assert_ptr_null(find(&variables, "LC_CTYPE")->value);
	ck_assert_uint_eq(variables.guards, 5);
	variables_free(&variables);
}
END_TEST

START_TEST(what_is_asked_for_wins)
{
	struct report report = {.variables = reads, .variable_count = 4};
	struct spec spec = {0};
	struct variables variables;

	list_add(&spec.guard_env, "HOME");
	list_add(&spec.guard_env, "NEVER_READ");
	list_add(&spec.no_guard_env, "APP_MODE");
	list_add(&spec.no_guard_env, "NOT_THERE");
	list_add(&spec.keep_env, "LD_LIBRARY_PATH=/opt");
	list_add(&spec.keep_env, "PATH");
	make(&report, &spec, &variables);
	ck_assert_str_eq(find(&variables, "HOME")->value, "/root");
	ck_assert(find(&variables, "HOME")->guard);
	ck_assert(find(&variables, "NEVER_READ")->guard);
	ck_assert(!find(&variables, "APP_MODE")->guard);
	ck_assert_ptr_null(find(&variables, "NOT_THERE"));
	ck_assert(find(&variables, "LD_LIBRARY_PATH")->guard);
	ck_assert_ptr_null(find(&variables, "PATH"));
	variables_free(&variables);
	spec_free(&spec);
}
END_TEST

START_TEST(the_whole_environment)
{
	struct report_variable all = {.name = (char *)"*", .counts = 1, .exact = 1};
	struct report report = {.variables = &all, .variable_count = 1};
	struct list warnings = {0};
	struct spec spec = {0};
	struct variables variables;

	make(&report, &spec, &variables);
	ck_assert(variables.whole_guard);
	ck_assert_uint_eq(variables.guards, 4);
	/* the trial, and every start, runs without it */
	ck_assert_ptr_null(find(&variables, "PYTHONUTF8"));
	variables_warn(&variables, (char *const *)environment, &warnings);
	ck_assert_uint_eq(warnings.count, 1);
	list_free(&warnings);
	variables_free(&variables);

	list_add(&spec.no_guard_env, "*");
	make(&report, &spec, &variables);
	ck_assert(!variables.whole_guard);
	ck_assert_ptr_nonnull(variables.whole);
	ck_assert_uint_eq(variables.guards, 0);
	variables_free(&variables);
	spec_free(&spec);
}
END_TEST

START_TEST(warns_of_what_was_not_let_in)
{
	static const char *const caller[] = {"APP_MODE=1", "HOME=/x", NULL};
	struct report report = {.variables = reads, .variable_count = 4};
	struct list warnings = {0};
	struct spec spec = {0};
	struct variables variables;

	make(&report, &spec, &variables);
	variables_warn(&variables, (char *const *)caller, &warnings);
	ck_assert_uint_eq(warnings.count, 1);
	ck_assert_ptr_nonnull(strstr(warnings.items[0], "APP_MODE"));
	ck_assert_ptr_nonnull(strstr(warnings.items[0], "app.py"));
	list_free(&warnings);
	variables_free(&variables);
}
END_TEST

START_TEST(there_is_a_limit)
{
	struct report report = {0};
	struct spec spec = {0};
	struct variables variables;
	struct err err = {0};

	for (unsigned i = 0; i < IMAGE_MAX_VARIABLES + 1; i++)
		list_print(&spec.guard_env, "V%u", i);
	ck_assert_int_eq(variables_make(&report, &spec, (char *const *)environment, &variables,
					&err), -1);
	ck_assert_int_eq(err.status, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(err.text, "--no-guard-env"));
	err_clear(&err);
	variables_free(&variables);
	spec_free(&spec);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		reads_become_guards, what_is_asked_for_wins, the_whole_environment,
		warns_of_what_was_not_let_in, there_is_a_limit, NULL,
	};

	return unit_run("variables", tests);
}
