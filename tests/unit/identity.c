/*
 * dumper/identity.c and dpkg.c: which guards come out of a made-up tree, with
 * dpkg's records made up as well.
 */
#include "unit.h"

#include "dpkg.h"
#include "err.h"
#include "identity.h"
#include "maps.h"
#include "report.h"

#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

static char *root;
static struct maps maps;
static struct report report;
static struct identity identity;
static struct identity_source source;
static struct err err;

/* A path below the tree; eight of them are valid at a time. */
static char *in_root(const char *name)
{
	static char paths[8][4096];
	static unsigned next;

	next = (next + 1) % 8;
	snprintf(paths[next], sizeof(paths[next]), "%s%s", root, name);
	return paths[next];
}

static void make_folder(const char *name)
{
	ck_assert_int_eq(mkdir(in_root(name), 0755), 0);
}

static void add_module(const char *name, const char *origin)
{
	report.modules = realloc(report.modules, (report.count + 1) * sizeof(*report.modules));
	report.modules[report.count++] = (struct report_module){
		strdup(name), origin ? strdup(in_root(origin)) : NULL,
	};
	if (origin && !strstr(origin, ".zip/"))
		unit_file(root, origin, "x = 1\n");
}

static void add_mapping(const char *name, enum maps_kind kind)
{
	maps.items = realloc(maps.items, (maps.count + 1) * sizeof(*maps.items));
	maps.items[maps.count] = (struct mapping){
		.start = maps.count * 4096, .end = (maps.count + 1) * 4096,
		.protection = MAPS_READ, .kind = kind, .name = strdup(name),
	};
	maps.count++;
}

static void add_read(const char *name, char flags)
{
	/* magic number, flags: PEP 552 */
	int fd = open(in_root(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

	ck_assert_int_eq(write(fd, (char[16]){1, 2, 3, 4, flags}, 16), 16);
	close(fd);
	list_add(&report.read, in_root(name));
}

/* dpkg's own records: one package that owns /lib/own.so and /lib/py/. */
static void make_dpkg(void)
{
	static char files[16384];

	make_folder("/dpkg");
	make_folder("/dpkg/info");
	make_folder("/dpkg/updates");
	unit_file(root, "/dpkg/status",
		"Package: own\nStatus: install ok installed\nArchitecture: all\n"
		"Version: 1\nMaintainer: x\nDescription: x\n\n");
	unit_file(root, "/dpkg/info/format", "1\n");
	snprintf(files, sizeof(files), "%s\n%s\n%s\n%s\n%s\n%s\n", in_root("/lib"),
		 in_root("/lib/own.so"), in_root("/lib/py"), in_root("/lib/py/a.py"),
		 in_root("/lib/py/conf"), in_root("/bin/python3"));
	unit_file(root, "/dpkg/info/own.list", files);
}

static void setup(void)
{
	static const char *const folders[] = {
		"/bin", "/lib", "/lib/py", "/venv", "/venv/site-packages",
		"/venv/site-packages/pkg", "/home", "/home/mine", "/lib/py/__pycache__",
		"/home/mine/__pycache__",
	};

	root = unit_folder();
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		make_folder(folders[i]);
	make_dpkg();
	unit_file(root, "/bin/python3", "ELF");
	unit_file(root, "/lib/own.so", "");
	unit_file(root, "/lib/other.so", "");
	unit_file(root, "/lib/host.so", "");
	unit_file(root, "/home/x.zip", "PK");
	unit_file(root, "/home/data", "");
	add_mapping(in_root("/lib/own.so"), MAPS_FILE);
	add_mapping(in_root("/lib/own.so"), MAPS_FILE);
	add_mapping(in_root("/lib/other.so"), MAPS_FILE);
	add_mapping(in_root("/lib/host.so"), MAPS_FILE);
	add_mapping("/dev/zero", MAPS_FILE);
	add_mapping("", MAPS_ANONYMOUS);
	add_module("sys", NULL);
	add_module("a", "/lib/py/a.py");
	add_module("pkg", "/venv/site-packages/pkg/__init__.py");
	add_module("pkg.sub", "/venv/site-packages/pkg/sub.py");
	add_module("six", "/venv/site-packages/six.py");
	add_module("mine", "/home/mine/mine.py");
	add_module("zipped", "/home/x.zip/zipped.py");
	list_add(&report.path, "");
	list_add(&report.path, in_root("/lib/py"));
	list_add(&report.path, in_root("/lib/py.zip"));
	list_add(&report.path, in_root("/venv/site-packages"));
	list_add(&report.path, in_root("/home/x.zip"));
	list_add(&report.read, in_root("/home/data"));
	list_add(&report.read, in_root("/home/settings"));
	list_add(&report.read, "settings");
	/* bytecode: of a module, of one that is none, unchecked, and what is none */
	add_read("/lib/py/__pycache__/a.cpython-311.pyc", 0);
	add_read("/home/mine/__pycache__/mine.cpython-311.opt-1.pyc", 0);
	add_read("/home/mine/__pycache__/failed.cpython-311.pyc", 0);
	add_read("/lib/py/__pycache__/a.cpython-311.opt-2.pyc", 3);
	add_read("/lib/py/__pycache__/a.cpython-311.opt-1.pyc", 1);
	add_read("/home/mine/mine.pyc", 0);
	list_add(&report.read, in_root("/venv/site-packages/six.py"));
	add_read("/home/mine/__pycache__/mine.dat", 0);
	source = (struct identity_source){
		.report = &report, .maps = &maps, .python = strdup(in_root("/bin/python3")),
		.host = strdup(in_root("/lib/host.so")), .dpkg = strdup(in_root("/dpkg")),
		.environment = environ,
	};
	/* all of the tree is older than the build */
	clock_gettime(CLOCK_REALTIME, &source.start);
}

static void teardown(void)
{
	identity_free(&identity);
	maps_free(&maps);
	report_free(&report);
	err_clear(&err);
	free((char *)source.python);
	free((char *)source.host);
	free((char *)source.dpkg);
	unit_drop_folder(root);
}

static void make(enum spec_freshness freshness)
{
	source.freshness = freshness;
	ck_assert_msg(!identity_make(&source, &identity, &err), "%s", err.text);
}

/* Takes the guard out of the list; -1 as flags: it must not be there. */
static void expect(uint32_t kind, int flags, const char *path)
{
	for (size_t i = 0; i < identity.count; i++) {
		struct identity_guard *guard = &identity.guards[i];

		if (guard->kind != kind || strcmp(guard->path, path) != 0)
			continue;
		ck_assert_msg((int)guard->flags == flags, "%s", path);
		free(guard->path);
		memmove(guard, guard + 1, (--identity.count - i) * sizeof(*guard));
		return;
	}
	ck_assert_msg(flags < 0, "no guard of kind %u for %s", kind, path);
}

static void expect_no_more(void)
{
	ck_assert_msg(!identity.count, "also %u %s", identity.guards[0].kind,
		      identity.guards[0].path);
}

static void expect_common(void)
{
	expect(IMAGE_GUARD_TIMEZONE, 0, "/etc/localtime");
	expect(IMAGE_GUARD_ABSENT, 0, "settings");
	expect(IMAGE_GUARD_FILE, 0, in_root("/lib/other.so"));
}

static void expect_environment(void)
{
	expect(IMAGE_GUARD_ABSENT, 0, in_root("/bin/pyvenv.cfg"));
	expect(IMAGE_GUARD_ABSENT, 0, in_root("/pyvenv.cfg"));
	expect(IMAGE_GUARD_ABSENT, 0, in_root("/lib/py.zip"));
	expect(IMAGE_GUARD_FOLDER, 0, in_root("/venv/site-packages"));
	expect(IMAGE_GUARD_FILE, 0, in_root("/home/mine/mine.py"));
	expect(IMAGE_GUARD_FILE, 0, in_root("/home/x.zip"));
	expect(IMAGE_GUARD_FILE, 0, in_root("/home/data"));
	expect(IMAGE_GUARD_ABSENT, 0, in_root("/home/settings"));
	expect(IMAGE_GUARD_FILE, 0, in_root("/home/mine/__pycache__/failed.cpython-311.pyc"));
	expect(IMAGE_GUARD_FILE, 0, in_root("/lib/py/__pycache__/a.cpython-311.opt-1.pyc"));
	expect(IMAGE_GUARD_FILE, 0, in_root("/home/mine/mine.pyc"));
	expect(IMAGE_GUARD_FILE, 0, in_root("/home/mine/__pycache__/mine.dat"));
}

START_TEST(dpkg_vouches_for_what_it_owns)
{
	if (access("/usr/bin/dpkg-query", X_OK))
		unit_skip("no dpkg-query");
	make(SPEC_DPKG);
	ck_assert_uint_eq(identity.guards[0].kind, IMAGE_GUARD_DPKG);
	ck_assert_uint_gt(identity.guards[0].size, 0);
	ck_assert_int_gt(identity.guards[0].mtime.tv_sec, 0);
	expect(IMAGE_GUARD_DPKG, 0, in_root("/dpkg/status"));
	expect(IMAGE_GUARD_DPKG, 0, in_root("/dpkg/updates"));
	expect_common();
	expect_environment();
	expect(IMAGE_GUARD_FILE, 1, in_root("/bin/python3"));
	expect(IMAGE_GUARD_FILE, 1, in_root("/lib/own.so"));
	expect(IMAGE_GUARD_FOLDER, 1, in_root("/lib/py"));
	expect(IMAGE_GUARD_FOLDER, 0, in_root("/venv/site-packages/pkg"));
	expect_no_more();
}
END_TEST

/* A package owns it, but it is changed without dpkg. Only ever looked at. */
START_TEST(what_lies_in_etc_is_nobodys)
{
	if (access("/usr/bin/dpkg-query", X_OK) || access("/etc/debian_version", R_OK))
		unit_skip("no dpkg-query, or not Debian");
	ck_assert_int_eq(symlink("/etc/debian_version", in_root("/lib/py/conf")), 0);
	list_add(&report.read, in_root("/lib/py/conf"));
	make(SPEC_DPKG);
	expect(IMAGE_GUARD_FILE, 0, in_root("/lib/py/conf"));
	expect(IMAGE_GUARD_FOLDER, 1, in_root("/lib/py"));
}
END_TEST

START_TEST(without_dpkg_nothing_is_owned)
{
	free((char *)source.dpkg);
	source.dpkg = strdup(in_root("/nothing"));
	make(SPEC_DPKG);
	expect_common();
	expect_environment();
	expect(IMAGE_GUARD_FILE, 0, in_root("/bin/python3"));
	expect(IMAGE_GUARD_FILE, 0, in_root("/lib/own.so"));
	expect(IMAGE_GUARD_FILE, 0, in_root("/lib/py/a.py"));
	expect(IMAGE_GUARD_FOLDER, 0, in_root("/lib/py"));
	expect(IMAGE_GUARD_FOLDER, 0, in_root("/venv/site-packages/pkg"));
	expect_no_more();
}
END_TEST

START_TEST(stat_takes_every_file)
{
	make(SPEC_STAT);
	expect_common();
	expect_environment();
	expect(IMAGE_GUARD_FILE, 0, in_root("/bin/python3"));
	expect(IMAGE_GUARD_FILE, 0, in_root("/lib/own.so"));
	expect(IMAGE_GUARD_FILE, 0, in_root("/lib/py/a.py"));
	expect(IMAGE_GUARD_FILE, 0, in_root("/venv/site-packages/pkg/__init__.py"));
	expect(IMAGE_GUARD_FILE, 0, in_root("/venv/site-packages/pkg/sub.py"));
	expect(IMAGE_GUARD_FILE, 0, in_root("/venv/site-packages/six.py"));
	expect(IMAGE_GUARD_FOLDER, 0, in_root("/lib/py"));
	expect_no_more();
}
END_TEST

START_TEST(libs_takes_libraries)
{
	make(SPEC_LIBS);
	expect_common();
	expect(IMAGE_GUARD_FILE, 0, in_root("/bin/python3"));
	expect(IMAGE_GUARD_FILE, 0, in_root("/lib/own.so"));
	expect_no_more();
}
END_TEST

START_TEST(none_takes_the_time_zone)
{
	make(SPEC_NONE);
	expect(IMAGE_GUARD_TIMEZONE, 0, "/etc/localtime");
	expect(IMAGE_GUARD_ABSENT, 0, "settings");
	expect_no_more();
}
END_TEST

START_TEST(a_virtual_environment_is_guarded_by_its_file)
{
	unit_file(root, "/pyvenv.cfg", "home = /usr/bin\n");
	clock_gettime(CLOCK_REALTIME, &source.start);
	make(SPEC_STAT);
	expect(IMAGE_GUARD_FILE, 0, in_root("/pyvenv.cfg"));
	expect(IMAGE_GUARD_ABSENT, 0, in_root("/bin/pyvenv.cfg"));
}
END_TEST

START_TEST(names_come_from_site_folders)
{
	make(SPEC_NONE);
	ck_assert_uint_eq(identity.names.count, 2);
	ck_assert_str_eq(identity.names.items[0], "pkg");
	ck_assert_str_eq(identity.names.items[1], "six");
}
END_TEST

/* Sets the modification time to `seconds` from now. */
static void touch(const char *name, int seconds)
{
	struct timespec times[2];

	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec += seconds;
	times[1] = times[0];
	ck_assert_int_eq(utimensat(AT_FDCWD, in_root(name), times, 0), 0);
}

/* The kernel's stamps tick more slowly than the clock: until one is later. */
static void change_later(const char *name, int seconds)
{
	struct stat status;

	do {
		touch(name, seconds);
		ck_assert_int_eq(stat(in_root(name), &status), 0);
	} while (status.st_ctim.tv_sec < source.start.tv_sec ||
		 (status.st_ctim.tv_sec == source.start.tv_sec &&
		  status.st_ctim.tv_nsec <= source.start.tv_nsec));
}

/* Also by what keeps its own old mtime, as mv and cp -p do. */
START_TEST(a_change_while_building_is_refused)
{
	static const char *const names[] = {
		"/lib/other.so", "/home/mine/mine.py", "/venv/site-packages/pkg/sub.py",
		"/home/data", "/bin/python3",
	};

	for (size_t i = 0; i < 2 * sizeof(names) / sizeof(*names); i++) {
		const char *name = names[i / 2];

		clock_gettime(CLOCK_REALTIME, &source.start);
		source.freshness = SPEC_DPKG;
		ck_assert_msg(!identity_make(&source, &identity, &err), "%s", err.text);
		identity_free(&identity);
		change_later(name, i % 2 ? -5000 : 0);
		ck_assert_int_eq(identity_make(&source, &identity, &err), -1);
		ck_assert_int_eq(err.status, ERR_REFUSED);
		ck_assert_ptr_nonnull(strstr(err.text, name));
		err_clear(&err);
		identity_free(&identity);
	}
}
END_TEST

START_TEST(a_later_change_is_found)
{
	make(SPEC_STAT);
	ck_assert(!identity_check(&identity, &err));
	touch("/home/mine/mine.py", -1000);
	ck_assert_int_eq(identity_check(&identity, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "/home/mine/mine.py"));
	err_clear(&err);
	identity_free(&identity);
	clock_gettime(CLOCK_REALTIME, &source.start);
	make(SPEC_STAT);
	unit_file(root, "/bin/pyvenv.cfg", "");
	ck_assert_int_eq(identity_check(&identity, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "/bin/pyvenv.cfg"));
}
END_TEST

START_TEST(reads_what_dpkg_prints)
{
	struct list found = {0};

	dpkg_parse_search("a: /x\na:amd64, b: /y: z\n\ndiversion by c from: /w\nrubbish\n"
			  "dpkg-query: no path found\na: /last", &found);
	ck_assert_uint_eq(found.count, 3);
	ck_assert_str_eq(found.items[0], "/x");
	ck_assert_str_eq(found.items[1], "/y: z");
	ck_assert_str_eq(found.items[2], "/last");
	list_free(&found);
}
END_TEST

START_TEST(usr_is_merged)
{
	struct list paths = {0}, owned = {0};
	int found;

	if (access("/usr/bin/dpkg-query", X_OK) ||
	    access("/usr/lib/x86_64-linux-gnu/libc.so.6", R_OK))
		unit_skip("no dpkg-query or no libc where Debian has it");
	list_add(&paths, "/lib/x86_64-linux-gnu/libc.so.6");
	list_add(&paths, "/nonexistent/*");
	list_add(&paths, "/usr/lib/x86_64-linux-gnu/libc.so.6");
	ck_assert(!dpkg_find_owned("/var/lib/dpkg", &paths, environ, &owned, &err));
	found = list_has(&owned, "/usr/lib/x86_64-linux-gnu/libc.so.6");
	ck_assert_uint_eq(owned.count, found ? 2 : 0);
	list_free(&paths);
	list_free(&owned);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		dpkg_vouches_for_what_it_owns, what_lies_in_etc_is_nobodys,
		without_dpkg_nothing_is_owned,
		stat_takes_every_file, libs_takes_libraries, none_takes_the_time_zone,
		a_virtual_environment_is_guarded_by_its_file, names_come_from_site_folders,
		a_change_while_building_is_refused, a_later_change_is_found,
		reads_what_dpkg_prints, usr_is_merged, NULL,
	};

	return unit_run_between("identity", tests, setup, teardown, 60);
}
