/*
 * dumper/spec.c: the options of `pydump build`.
 */
#include "unit.h"

#include "err.h"
#include "spec.h"

#include <string.h>

/* Parses words that are separated by blanks. */
static int parse(const char *words, struct spec *spec, struct err *err)
{
	static char copy[1024];
	char *argv[32], *rest = NULL;
	int argc = 0;

	snprintf(copy, sizeof(copy), "build %s", words);
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	argv[argc] = NULL;
	return spec_parse(argc, argv, spec, err);
}

START_TEST(takes_every_option)
{
	struct err err = {0};
	struct spec spec;

	ck_assert_int_eq(parse("-i os.path --import json -w /w.py -o x --python 3.11 "
		"--keep-env A --keep-env=B=2 --freshness stat --io strict --json -v "
		"--python-option -OB --python-option -Xdev --keep-env PYTHONHASHSEED=0", &spec, &err), 0);
	ck_assert_uint_eq(spec.imports.count, 2);
	ck_assert_str_eq(spec.imports.items[0], "os.path");
	ck_assert_str_eq(spec.imports.items[1], "json");
	ck_assert_str_eq(spec.warmups.items[0], "/w.py");
	ck_assert_str_eq(spec.output, "x");
	ck_assert_str_eq(spec.python, "3.11");
	ck_assert_str_eq(spec.keep_env.items[1], "B=2");
	ck_assert_int_eq(spec.freshness, SPEC_STAT);
	ck_assert_int_eq(spec.io, SPEC_IO_STRICT);
	ck_assert_str_eq(spec_io_name(spec.io), "strict");
	ck_assert_uint_eq(spec.options.count, 2);
	ck_assert_str_eq(spec.options.items[0], "-OB");
	ck_assert_str_eq(spec.options.items[1], "-Xdev");
	ck_assert(spec.json && spec.verbose && !spec.quiet);
	spec_free(&spec);
}
END_TEST

START_TEST(has_defaults)
{
	struct err err = {0};
	struct spec spec;

	ck_assert_int_eq(parse("-o x", &spec, &err), 0);
	ck_assert_int_eq(spec.freshness, SPEC_DPKG);
	ck_assert_int_eq(spec.io, SPEC_IO_LOCAL);
	ck_assert_ptr_null(spec.python);
	ck_assert_uint_eq(spec.imports.count, 0);
	spec_free(&spec);
	ck_assert_int_eq(parse("--help", &spec, &err), 0);
	ck_assert(spec.help);
	spec_free(&spec);
}
END_TEST

START_TEST(makes_the_warm_up_absolute)
{
	struct err err = {0};
	struct spec spec;

	ck_assert_int_eq(parse("-o x -w w.py", &spec, &err), 0);
	ck_assert_int_eq(spec.warmups.items[0][0], '/');
	spec_free(&spec);
}
END_TEST

/* ENTRY, and its words. */
static const char *const entries[][4] = {
	{"./a.py", "/cwd/a.py"},
	{"a.py", "/cwd/a.py"},
	{"/usr/bin/hg", "/usr/bin/hg"},
	{"x/y:z", "/cwd/x/y:z"},
	{"json", "-m", "json"},
	{"json.tool", "-m", "json.tool"},
	{"a.b:c.d", "-c", "import sys; '' in sys.path and sys.path.remove(''); "
		"sys.argv[0] = 'my\\\\\\'s'; from a.b import c; sys.exit(c.d())"},
};

START_TEST(makes_words_of_the_entry)
{
	char *folder = getcwd(NULL, 0);

	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
		char *argv[] = {
			(char *)"build", (char *)"-e", (char *)(size_t)entries[i][0],
			(char *)"-o/x/my\\'s.pyimage", NULL,
		};
		const char *first = entries[i][1];
		struct err err = {0};
		struct spec spec;

		ck_assert_msg(!spec_parse(4, argv, &spec, &err), "%s", err.text);
		if (strncmp(first, "/cwd", 4) == 0) {
			ck_assert(strncmp(spec.entry_words.items[0], folder, strlen(folder)) == 0);
			ck_assert_str_eq(spec.entry_words.items[0] + strlen(folder), first + 4);
		} else {
			ck_assert_str_eq(spec.entry_words.items[0], first);
		}
		ck_assert_uint_eq(spec.entry_words.count, entries[i][2] ? 2 : 1);
		ck_assert_pstr_eq(spec.entry_words.items[1], entries[i][2]);
		ck_assert_int_eq(spec.function != NULL, *first == '-' && first[1] == 'c');
		spec_free(&spec);
	}
	free(folder);
}
END_TEST

START_TEST(takes_a_command_with_its_options)
{
	struct err err = {0};
	struct spec spec;

	ck_assert_msg(!parse("-o x --for --measure -- hg version -q -o y", &spec, &err), "%s",
		      err.text);
	ck_assert_uint_eq(spec.command.count, 5);
	ck_assert_str_eq(spec.command.items[0], "hg");
	ck_assert_str_eq(spec.command.items[4], "y");
	ck_assert_str_eq(spec.output, "x");
	ck_assert(spec.measure);
	spec_free(&spec);
}
END_TEST

START_TEST(splits_options_as_a_shell_would)
{
	char *argv[] = {
		(char *)"build", (char *)"-ox", (char *)"--python-option=-X dev",
		(char *)"--python-option=-Wignore:a b", (char *)"--python-option=-W ignore:c d",
		(char *)"--python-option=--check-hash-based-pycs always", NULL,
	};
	const char *const want[] = {
		"-X", "dev", "-Wignore:a b", "-W", "ignore:c d",
		"--check-hash-based-pycs", "always",
	};
	struct err err = {0};
	struct spec spec;

	ck_assert_msg(!spec_parse(6, argv, &spec, &err), "%s", err.text);
	ck_assert_uint_eq(spec.options.count, 7);
	for (size_t i = 0; i < 7; i++)
		ck_assert_str_eq(spec.options.items[i], want[i]);
	spec_free(&spec);
}
END_TEST

START_TEST(refuses)
{
	static const char *const cases[][2] = {
		{"", "-o IMAGE is missing"},
		{"-o x y", "y: unexpected"},
		{"-o", "-o: an argument is missing"},
		{"-o x -z foo", "-z: unknown option"},
		{"-o x -e a:b:c", "--entry a:b:c: neither"},
		{"-o x -e :b", "--entry :b: neither"},
		{"-o x -e a:", "--entry a:: neither"},
		{"-o x -e a-b", "--entry a-b: neither"},
		{"-o x --for", "--for: the command is missing"},
		{"-o x -e json --for -- ls", "exclude each other"},
		{"-o x --measure", "--measure is for"},
		{"-o x -- ls", "ls: unexpected"},
		{"-o x --hash-seed 0", "--hash-seed: unknown"},
		{"-o x --python-option", "an argument is missing"},
		{"-o x --python-option=", "no option of python3"},
		{"-o x --python-option x.py", "no option of python3"},
		{"-o x --python-option -c", "no option of python3"},
		{"-o x --python-option -cpass", "no option of python3"},
		{"-o x --python-option --", "no option of python3"},
		{"-o x --python-option -", "no option of python3"},
		{"-o x --python-option -V", "no image can hold"},
		{"-o x --python-option -v", "no image can hold"},
		{"-o x --python-option -X", "lacks its argument"},
		{"-o x --python-option -Ximporttime", "no image can hold"},
		{"-o x --python-option -y", "python3 does not know"},
		{"-o x --keep-env PYTHONUNBUFFERED=1", "when the image is run"},
		{"-o x --keep-env PYTHONIOENCODING", "when the image is run"},
		{"-o x --keep-env PYTHONVERBOSE", "when the image is run"},
		{"-o x --cpu native", "--cpu: unknown"},
		{"-o x --freshness maybe", "--freshness maybe"},
		{"-o x --io junk", "--io junk"},
		{"-o x --io Strict", "--io Strict"},
		{"-o x -i a..b", "a module's name"}, {"-o x -i .a", "a module's name"},
		{"-o x -i a.", "a module's name"}, {"-o x -i 1a", "a module's name"},
		{"-o x -i a;b", "a module's name"},
		{"-o x --keep-env =1", "--keep-env =1"},
		{"-o x --keep-env LD_PRELOAD=/x", "LD_PRELOAD"},
		{"-o x --guard-env A=1", "--guard-env A=1"},
		{"-o x --guard-env=", "no variable's name"},
		{"-o x --guard-env *", "name each"},
		{"-o x --guard-env PYIMAGE_VERBOSE", "its rule already"},
		{"-o x --guard-env PYTHONPATH", "its rule already"},
		{"-o x --no-guard-env PYTHONHASHSEED", "its rule already"},
		{"-o x --guard-env A --no-guard-env A", "exclude each other: A"},
		{"-o x --no-guard-env A --guard-env A", "exclude each other: A"},
		{"-o x --keep-env PYIMAGE", "PYIMAGE"},
		{"-o x --keep-env PYIMAGE_WRITES=/x", "PYIMAGE_WRITES: pydump needs"},
		{"--venv v", "either --install or --uninstall"},
		{"--venv v --install --uninstall", "either --install or --uninstall"},
		{"--venv v --install -o x", "says itself what --output"},
		{"--venv v --install --python 3.11", "says itself what --python"},
		{"--venv v --install -e a", "--entry is for images"},
		{"--venv v --install --for -- ls", "--for is for images"},
		{"--venv v --uninstall -i a", "builds nothing"},
		{"--venv= --install", "the name is empty"},
		{"--install -o x", "for --venv DIR"},
		{"--uninstall", "for --venv DIR"},
		{"-o x -q -v", "exclude"},
	};

	char *two[] = {(char *)"build", (char *)"-ox", (char *)"--python-option=-X dev -O", NULL};
	char *same[] = {(char *)"build", (char *)"-ox", (char *)"--python-option=-O -O", NULL};

	for (int i = 0; i < 2; i++) {
		struct err err = {0};
		struct spec spec;

		ck_assert_int_eq(spec_parse(3, i ? two : same, &spec, &err), -1);
		ck_assert_ptr_nonnull(strstr(err.text, "repeat --python-option"));
		spec_free(&spec);
		err_clear(&err);
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err err = {0};
		struct spec spec;

		ck_assert_msg(parse(cases[i][0], &spec, &err) == -1, "%s", cases[i][0]);
		ck_assert_int_eq(err.status, ERR_USAGE);
		ck_assert_msg(strstr(err.text, cases[i][1]), "%s: %s",
			      cases[i][0], err.text);
		spec_free(&spec);
		err_clear(&err);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		takes_every_option, has_defaults, makes_the_warm_up_absolute,
		splits_options_as_a_shell_would, makes_words_of_the_entry,
		takes_a_command_with_its_options, refuses, NULL,
	};

	return unit_run("spec", tests);
}
