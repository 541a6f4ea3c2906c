/*
 * dumper/trial.c with a shell script for an image.
 */
#include "unit.h"

#include "err.h"
#include "image.h"
#include "list.h"
#include "maps.h"
#include "plan.h"
#include "measure.h"
#include "trial.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>

static char *folder;
static struct err err;
static struct trial trial;

static void make(const char *script)
{
	static const struct list environment;
	static char path[4096];

	folder = unit_folder();
	strcpy(path, unit_file(folder, "image", script));
	chmod(path, 0755);
	trial_init(&trial, path, "/bin/true", &environment);
}

static void drop(void)
{
	trial_free(&trial);
	unit_drop_folder(folder);
	err_clear(&err);
}

START_TEST(runs_it_without_fallback)
{
	make("#!/bin/sh\n[ \"$PYIMAGE$*\" = 'on-c pass' ]\n");
	ck_assert_msg(!trial_run(&trial, &err), "%s", err.text);
	drop();
}
END_TEST

START_TEST(says_what_went_wrong)
{
	make("#!/bin/sh\necho bad luck >&2\nexit 5\n");
	ck_assert_int_eq(trial_run(&trial, &err), -1);
	ck_assert_int_eq(err.status, ERR_REFUSED);
	ck_assert_str_eq(err.text, "the image was written but does not run: it ended with "
		"status 5\nbad luck");
	drop();
	make("#!/bin/sh\nkill -SEGV $$\n");
	ck_assert_int_eq(trial_run(&trial, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "signal 11"));
	drop();
}
END_TEST

START_TEST(learning_needs_a_sign)
{
	struct memory_ranges hot;
	struct plan plan = {0};

	make("#!/bin/sh\nexit 0\n");
	ck_assert_int_eq(trial_learn(&trial, &plan, NULL, &hot, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "before it could be looked at"));
	free(hot.items);
	drop();
	/* the byte, then until the other end is closed */
	make("#!/bin/bash\nfd=${PYIMAGE_HOLD#-}\necho -n x >&$fd\nread -u $fd x\nexit 0\n");
	ck_assert_msg(!trial_learn(&trial, &plan, NULL, &hot, &err), "%s", err.text);
	ck_assert_uint_eq(hot.count, 0);
	free(hot.items);
	drop();
}
END_TEST

START_TEST(who_takes_too_long_is_killed)
{
	struct memory_ranges hot;
	struct plan plan = {0};
	char path[4096];
	FILE *file;
	int pid = 0;

	make("#!/bin/sh\necho $$ > \"${0%/*}/pid\"\nexec sleep 1000\n");
	trial.wait = 2000;
	ck_assert_int_eq(trial_learn(&trial, &plan, NULL, &hot, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "did not come to where it holds in 2 s"));
	snprintf(path, sizeof(path), "%s/pid", folder);
	file = fopen(path, "r");
	if (file) {	/* it came so far */
		ck_assert_int_eq(fscanf(file, "%d", &pid), 1);
		fclose(file);
		ck_assert_int_eq(kill(pid, 0), -1);
	}
	drop();
}
END_TEST

START_TEST(measures_both)
{
	struct list imports = {0}, recorded = {0}, options = {0};
	struct measure_imports all = {&imports, &recorded};
	struct measure_times times = {0};

	/* the interpreter is run with its options before -c */
	make("#!/bin/sh\n[ \"$1$2\" = -cpass ] || [ \"$1$2$3\" = '-O-cimport a, b.c' ]\n");
	list_add(&options, "-O");
	list_add(&imports, "a");
	list_add(&imports, "b.c");
	ck_assert_msg(!measure_start(&trial, &options, &all, &times, &err), "%s", err.text);
	ck_assert(times.image > 0 && times.python > 0);
	drop();
	/* recorded names are data in its source; those that can't be are left out */
	make("#!/bin/sh\n[ \"$1$2\" = -cpass ] || case $3 in *\"'c d '.split()\"*'import a, b.c');;"
	     " *) exit 1;; esac\n");
	list_add(&recorded, "c\tloader\torigin");
	list_add(&recorded, "it's\tloader\torigin");
	list_add(&recorded, "d\tloader\t");
	ck_assert_msg(!measure_start(&trial, &options, &all, &times, &err), "%s", err.text);
	list_free(&recorded);
	list_free(&imports);
	list_free(&options);
	drop();
}
END_TEST

START_TEST(measures_a_command)
{
	struct list plain = {0}, arguments = {0};
	struct measure_times times = {0};

	make("#!/bin/sh\n[ \"$PYIMAGE_ENTRY$PYIMAGE$*\" = 'onona b' ]\n");
	list_add(&plain, "/bin/true");
	list_add(&arguments, "a b");
	ck_assert_msg(!measure_command(&trial, &plain, &arguments, &times, &err), "%s",
		      err.text);
	ck_assert(times.command_image > 0 && times.command_python > 0);
	list_add(&arguments, "c");
	ck_assert_int_eq(measure_command(&trial, &plain, &arguments, &times, &err), -1);
	ck_assert_str_eq(err.text, "the command ended with status 0, but as an image it ended "
			 "with status 1");
	list_free(&arguments);
	list_free(&plain);
	drop();
}
END_TEST

START_TEST(keeps_the_longest_ranges)
{
	struct memory_ranges ranges = {0};

	for (uint64_t i = 0; i < 10; i++)
		memory_add_range(&ranges, i * 100, i % 3 ? 1 : 50);
	trial_limit(&ranges, 20);
	ck_assert_uint_eq(ranges.count, 10);
	trial_limit(&ranges, 5);
	ck_assert_uint_eq(ranges.count, 5);
	ck_assert_uint_eq(ranges.items[0].start, 0);
	ck_assert_uint_eq(ranges.items[1].start, 100);
	ck_assert_uint_eq(ranges.items[2].start, 300);
	ck_assert_uint_eq(ranges.items[4].start, 900);
	free(ranges.items);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		runs_it_without_fallback, says_what_went_wrong, learning_needs_a_sign,
		who_takes_too_long_is_killed,
		measures_both, measures_a_command, keeps_the_longest_ranges, NULL,
	};

	return unit_run("trial", tests);
}
