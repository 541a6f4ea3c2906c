/*
 * include/venv.h and restorer/place.c: an image in place of an environment's python.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fallback.h"
#include "image.h"
#include "place.h"
#include "say.h"
#include "venv.h"

static const struct {
	const char *path, *end;
	size_t root;
} roots[] = {
	{ "/v/.pyimage/python", VENV_PLAIN, 2 }, { "/v/w/.pyimage/python", VENV_PLAIN, 4 },
	{ "/.pyimage/python", VENV_PLAIN, 0 }, { "", VENV_PLAIN, 0 },
	{ "/v/.pyimage/python3", VENV_PLAIN, 0 }, { "/v/pyimage/python", VENV_PLAIN, 0 },
	{ "/usr/bin/python3", VENV_PLAIN, 0 }, { "/v/bin/python", VENV_NAME, 2 },
	{ "/v/bin/.python.x", VENV_NAME, 0 }, { "python", VENV_NAME, 0 },
};

START_TEST(the_root)
{
	ck_assert_uint_eq(venv_root(roots[_i].path, roots[_i].end), roots[_i].root);
}
END_TEST

START_TEST(paths_are_bounded)
{
	for (size_t size = 0; size < 20; size++) {
		char *buffer = malloc(size ? size : 1);
		char *made = venv_path("/venv/rest", 5, VENV_NAME, buffer, size);

		if (size < sizeof("/venv/bin/python"))
			ck_assert_ptr_null(made);
		else
			ck_assert_str_eq(made, "/venv/bin/python");
		free(buffer);
	}
}
END_TEST

/* A prefix that names this interpreter; what the fallback gets as its argv[0]. */
static const char *name_for(const char *python, struct place *place)
{
	static union {
		struct image_prefix prefix;
		char bytes[sizeof(struct image_prefix) + IMAGE_PYTHON_MAX];
	} image;
	struct program program = { .prefix = &image.prefix, .python = image.prefix.python };
	struct reason reason;

	strcpy(image.bytes + offsetof(struct image_prefix, python), python);
	ck_assert_int_eq(place_find(&program, 0, place, &reason), 0);
	ck_assert_ptr_eq(program.python, image.prefix.python);
	return program.name;
}

START_TEST(the_name)
{
	static struct place place;
	char longest[IMAGE_PYTHON_MAX];

	ck_assert_ptr_null(name_for("/usr/bin/python3", &place));
	ck_assert_str_eq(name_for("/srv/v/.pyimage/python", &place), "/srv/v/bin/python");
	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	strcpy(longest + sizeof(longest) - sizeof(VENV_PLAIN), VENV_PLAIN);
	ck_assert_uint_eq(strlen(name_for(longest, &place)),
			sizeof(longest) - sizeof(VENV_PLAIN) + strlen(VENV_NAME));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("place");
	TCase *tcase = tcase_create("place");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, the_root, 0, sizeof(roots) / sizeof(*roots));
	tcase_add_test(tcase, paths_are_bounded);
	tcase_add_test(tcase, the_name);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
