/*
 * dumper/toml.c: TOML's top level as values.
 */
#include "unit.h"

#include "err.h"
#include "toml.h"

#include <string.h>

static char *folder, *path;

static void make(const char *text)
{
	FILE *file;

	folder = unit_folder();
	ck_assert(asprintf(&path, "%s/it.toml", folder) > 0);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

static void drop(struct toml *toml, struct err *err)
{
	toml_free(toml);
	err_clear(err);
	unit_drop_folder(folder);
	free(path);
}

static const struct {
	const char *key;
	enum toml_type type;
	const char *text;
} want[] = {
	{"a", TOML_STRING, "b\n"}, {"c", TOML_BOOLEAN, "true"}, {"d-e", TOML_BOOLEAN, "false"},
	{"f", TOML_ITEM, "g"}, {"f", TOML_ITEM, ""}, {"h", TOML_EMPTY, "an array"},
	{"i", TOML_OTHER, "a number"}, {"j", TOML_OTHER, "an array with a number"},
	{"k", TOML_OTHER, "a table"}, {"l", TOML_OTHER, "a string with a NUL in it"},
	{"m?n", TOML_STRING, "\xc3\xa9"},
};

START_TEST(reads_values_in_order)
{
	struct toml toml;
	struct err err = {0};

	make("a = \"b\\n\"\nc = true\nd-e = false\nf = ['g', '']\nh = []\ni = 1\nj = ['x', 2]\n"
	     "k = {y = 1}\nl = \"\\u0000\"\n\"m\\u0000n\" = \"\\u00e9\"\n");
	ck_assert_msg(!toml_read(path, "it", &toml, &err), "%s", err.text);
	ck_assert_uint_eq(toml.count, sizeof(want) / sizeof(*want));
	for (size_t i = 0; i < toml.count; i++) {
		ck_assert_str_eq(toml.values[i].key, want[i].key);
		ck_assert_int_eq(toml.values[i].type, want[i].type);
		ck_assert_str_eq(toml.values[i].text, want[i].text);
	}
	drop(&toml, &err);
}
END_TEST

START_TEST(names_file_and_line)
{
	struct toml toml;
	struct err err = {0};

	make("a = 1\nb =\n");
	ck_assert_int_eq(toml_read(path, "it", &toml, &err), -1);
	ck_assert_int_eq(err.status, ERR_USAGE);
	ck_assert_str_eq(err.text, "it: Invalid value (at line 2, column 4)");
	drop(&toml, &err);
	make("");
	ck_assert_int_eq(toml_read("/nowhere/it.toml", "it", &toml, &err), -1);
	ck_assert_int_eq(err.status, ERR_IO);
	drop(&toml, &err);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {reads_values_in_order, names_file_and_line, NULL};

	return unit_run("toml", tests);
}
