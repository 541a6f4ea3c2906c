/*
 * restorer/site.c: the running user's site folder.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image_check.h"
#include "say.h"
#include "site.h"

#define SUFFIX "/.local/lib/python3.11/site-packages"

static const char *const names[] = { "_x", "json", "numpy", "numpy_more", "zlib" };

static struct {
	struct image_header header;
	uint32_t names[8];
	char strings[512];
} meta;
static uint32_t used;
static struct reason reason;
static char home[64], path[SITE_PATH];
static const char *folder;

static uint32_t string(const char *text)
{
	uint32_t at = used;

	strcpy(meta.strings + used, text);
	used += (uint32_t)strlen(text) + 1;
	return (uint32_t)offsetof(__typeof__(meta), strings) + at;
}

static void make(const char *below)
{
	char command[256];

	snprintf(command, sizeof(command), "mkdir -p %s" SUFFIX "/%s", home, below);
	ck_assert_int_eq(system(command), 0);
}

static void setup(void)
{
	memset(&meta, 0, sizeof(meta));
	used = 0;
	meta.header.strings.offset = offsetof(__typeof__(meta), strings);
	meta.header.strings.count = sizeof(meta.strings);
	meta.header.names.offset = offsetof(__typeof__(meta), names);
	meta.header.names.count = sizeof(names) / sizeof(*names);
	for (uint32_t i = 0; i < meta.header.names.count; i++)
		meta.names[i] = string(names[i]);
	meta.header.python_hex = 0x030b02f0;
	meta.header.user_site = string(SUFFIX);
	strcpy(home, "/tmp/site-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(home));
}

static void teardown(void)
{
	char command[256];

	snprintf(command, sizeof(command), "chmod -R u+rwx %s; rm -rf %s", home, home);
	ck_assert_int_eq(system(command), 0);
}

static int find(const char *at)
{
	const struct site_user user = { .uid = getuid(), .home = at };

	return site_find(&meta, &meta.header, &user, path, &folder, &reason);
}

START_TEST(not_there)
{
	ck_assert_int_eq(find(home), 0);
	ck_assert_ptr_null(folder);
}
END_TEST

START_TEST(unwanted)
{
	const struct site_user user = { .uid = getuid(), .home = home, .unwanted = 1 };

	make("");
	ck_assert_int_eq(site_find(&meta, &meta.header, &user, path, &folder, &reason), 0);
	ck_assert_ptr_null(folder);
	meta.header.flags |= IMAGE_USER_SITE_USED;
	ck_assert_int_eq(site_find(&meta, &meta.header, &user, path, &folder, &reason), -1);
	meta.header.flags = 0;
}
END_TEST

START_TEST(there)
{
	char slashes[80];

	make("");
	ck_assert_int_eq(find(home), 0);
	ck_assert_pstr_eq(folder, path);
	ck_assert_ptr_nonnull(strstr(path, SUFFIX));
	snprintf(slashes, sizeof(slashes), "%s//", home);
	ck_assert_int_eq(find(slashes), 0);
	ck_assert_pstr_eq(folder, path);
	ck_assert_ptr_null(strstr(path, "//"));
}
END_TEST

START_TEST(harmless_entries)
{
	make("other");
	make("numpy-1.26.dist-info");
	make("numpyx");
	make("usercustomize.py");
	make("__pycache__");
	ck_assert_int_eq(find(home), 0);
	ck_assert_ptr_nonnull(folder);
}
END_TEST

static const char *const shadows[] = {
	"json", "json.py", "_x.cpython-311-x86_64-linux-gnu.so", "numpy", "numpy_more.pyc",
	"zlib.so", "a.pth", "sitecustomize.py", "sitecustomize",
};

START_TEST(shadow)
{
	make("other");
	make(shadows[_i]);
	ck_assert_int_eq(find(home), -1);
	ck_assert_ptr_null(folder);
	ck_assert_str_eq(reason.detail, path);
}
END_TEST

START_TEST(pth_with_no_names)
{
	meta.header.names.count = 0;
	make("a.pth");
	make("json");
	ck_assert_int_eq(find(home), 0);
	ck_assert_ptr_nonnull(folder);
}
END_TEST

START_TEST(many_entries)
{
	char command[256];

	make("");
	snprintf(command, sizeof(command),
		"cd %s" SUFFIX " && seq -f 'module_with_a_long_name_%%g' 500 | xargs touch", home);
	ck_assert_int_eq(system(command), 0);
	ck_assert_int_eq(find(home), 0);
	make("zlib");
	ck_assert_int_eq(find(home), -1);
}
END_TEST

START_TEST(odd_homes)
{
	char *deep = malloc(SITE_PATH + 10);

	ck_assert_int_eq(find("relative"), -1);
	ck_assert_int_eq(find(""), 0);
	ck_assert_str_eq(path, SUFFIX);
	ck_assert_int_eq(find("/"), 0);
	ck_assert_str_eq(path, SUFFIX);
	memset(deep, '/', SITE_PATH + 9);
	deep[SITE_PATH + 9] = 0;
	ck_assert_int_eq(find(deep), -1);
	deep[SITE_PATH - 5] = 0;
	deep[SITE_PATH - 6] = 'x';
	ck_assert_int_eq(find(deep), -1);
	free(deep);
	meta.header.user_site = string("");
	ck_assert_int_eq(find("relative"), 0);
	ck_assert_ptr_null(folder);
}
END_TEST

START_TEST(used_by_the_image)
{
	char frozen[128];

	snprintf(frozen, sizeof(frozen), "%s" SUFFIX, home);
	meta.header.flags = IMAGE_USER_SITE_USED;
	meta.header.user_site = string(frozen);
	make("json");		/* its own: other guards look after that */
	ck_assert_int_eq(find(home), 0);
	ck_assert_ptr_null(folder);
	ck_assert_int_eq(find("/nonexistent"), -1);
	meta.header.python_hex = 0x030c00f0;
	ck_assert_int_eq(find(home), -1);
}
END_TEST

START_TEST(unreadable)
{
	char site[160];

	if (!getuid())
		return;		/* root reads everything */
	make("");
	snprintf(site, sizeof(site), "%s" SUFFIX, home);
	ck_assert_int_eq(chmod(site, 0), 0);
	ck_assert_int_eq(find(home), -1);
	ck_assert_int_eq(chmod(home, 0), 0);
	ck_assert_int_eq(find(home), 0);
	ck_assert_ptr_null(folder);
}
END_TEST

static const struct {
	const char *passwd;
	uint32_t uid;
	const char *home;
} users[] = {
	{ "root:x:0:0:root:/root:/bin/sh\nme:x:1000:1000:,,,:/home/me:/bin/sh\n", 1000, "/home/me" },
	{ "root:x:0:0:root:/root:/bin/sh\nme:x:1000:1000:,,,:/home/me:/bin/sh\n", 0, "/root" },
	{ "root:x:0:0:root:/root:/bin/sh\n", 100, NULL },
	{ "", 0, NULL },
	{ "\n\n", 0, NULL },
	{ "a:b:5:5::", 5, NULL },
	{ "a:b:5:5:::", 5, "" },
	{ "a:b:5x:5::/h:", 5, NULL },
	{ "a:b::5::/h:", 0, NULL },
	{ "a:b:4294967301:5::/h:", 5, NULL },
	{ "a:b:99999999999999999999999999999999999999:5::/h:", 5, NULL },
	{ "a:b:5\n:5::/h:\nb:x:5:5::/h:", 5, "/h" },
	{ "+\n+nis:x\nb:x:5:5:c:/h:/bin/sh", 5, "/h" },
	{ "b:x:5:5:c:/a-home-that-is-longer-than-thirty-two-bytes:/bin/sh", 5, NULL },
};

START_TEST(passwd)
{
	size_t length = strlen(users[_i].passwd);
	char *text = malloc(length ? length : 1), found[32];
	int result;

	memcpy(text, users[_i].passwd, length);
	result = site_home(text, length, users[_i].uid, found, sizeof(found));
	ck_assert_int_eq(result, users[_i].home ? 0 : -1);
	if (users[_i].home)
		ck_assert_str_eq(found, users[_i].home);
	free(text);
}
END_TEST

START_TEST(no_home)
{
	/* Of the machine's own /etc/passwd only root is certain. */
	const struct site_user root = { .uid = 0 }, nobody = { .uid = 3999999999u };

	if (access("/etc/passwd", R_OK))
		return;
	site_find(&meta, &meta.header, &root, path, &folder, &reason);
	ck_assert_ptr_nonnull(strstr(path, SUFFIX));
	ck_assert_int_eq(site_find(&meta, &meta.header, &nobody, path, &folder, &reason), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("site");
	TCase *tcase = tcase_create("site");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, not_there);
	tcase_add_test(tcase, there);
	tcase_add_test(tcase, unwanted);
	tcase_add_test(tcase, harmless_entries);
	tcase_add_loop_test(tcase, shadow, 0, sizeof(shadows) / sizeof(*shadows));
	tcase_add_test(tcase, pth_with_no_names);
	tcase_add_test(tcase, many_entries);
	tcase_add_test(tcase, odd_homes);
	tcase_add_test(tcase, used_by_the_image);
	tcase_add_test(tcase, unreadable);
	tcase_add_loop_test(tcase, passwd, 0, sizeof(users) / sizeof(*users));
	tcase_add_test(tcase, no_home);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
