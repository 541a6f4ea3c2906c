/*
 * restorer/guard.c and files.c, against files that the test makes.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "guard.h"
#include "image_check.h"
#include "module_names.h"
#include "say.h"
#include "unit.h"

/* A meta part with tables and nothing else. */
static struct {
	struct image_header header;
	struct image_guard guards[8];
	struct image_file files[4];
	char strings[2048];
} meta;
static uint32_t used;
static struct reason reason;
static char folder[64];
static int timezone_changed;

/* Adds a string; its offset. */
static uint32_t string(const char *text)
{
	uint32_t at = used;

	strcpy(meta.strings + used, text);
	used += (uint32_t)strlen(text) + 1;
	return (uint32_t)offsetof(__typeof__(meta), strings) + at;
}

static const char *path(const char *name)
{
	static char buffer[4][128];
	static int next;
	char *result = buffer[next++ & 3];

	snprintf(result, sizeof(buffer[0]), "%s/%s", folder, name);
	return result;
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(path(name), "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

/* A row as pydump would write it now. */
static struct image_guard *add(uint32_t kind, const char *name, uint32_t flags)
{
	struct image_guard *row = &meta.guards[meta.header.guards.count++];
	struct stat stat_now;

	*row = (struct image_guard){ .kind = kind, .flags = flags,
		.path = string(path(name)) };
	if (!stat(path(name), &stat_now)) {
		row->mtime_sec = stat_now.st_mtim.tv_sec;
		row->mtime_nsec = (uint32_t)stat_now.st_mtim.tv_nsec;
		row->size = (uint64_t)stat_now.st_size;
	}
	return row;
}

static struct image_file *add_file(int fd, int flags, const char *name, uint64_t offset)
{
	struct image_file *row = &meta.files[meta.header.files.count++];
	struct stat now;

	ck_assert_int_eq(stat(path(name), &now), 0);
	*row = (struct image_file){ .fd = fd, .flags = flags, .path = string(path(name)),
		.mtime_sec = now.st_mtim.tv_sec, .mtime_nsec = (uint32_t)now.st_mtim.tv_nsec,
		.size = (uint64_t)now.st_size, .offset = offset, .inode = now.st_ino,
		.original = meta.header.files.count - 1 };
	return row;
}

static int check(void)
{
	return guard_check(&meta, &meta.header, 1, &timezone_changed, &reason);
}

static void setup(void)
{
	memset(&meta, 0, sizeof(meta));
	used = 0;
	timezone_changed = 0;
	meta.header.guards.offset = offsetof(__typeof__(meta), guards);
	meta.header.files.offset = offsetof(__typeof__(meta), files);
	meta.header.strings.offset = offsetof(__typeof__(meta), strings);
	meta.header.strings.count = sizeof(meta.strings);
	strcpy(folder, "/tmp/guard-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	write_file("a", "abc");
	write_file("b", "b");
	write_file("status", "dpkg");
	ck_assert_int_eq(mkdir(path("dir"), 0755), 0);
}

static void teardown(void)
{
	static const char *const names[] = {
		"a", "b", "status", "new", "fifo", "dir/x", "dir/x.py", "dir/x.sqlite3",
		"dir/README",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(path(names[i]));
	rmdir(path("dir/__pycache__"));
	rmdir(path("dir/.git"));
	rmdir(path("dir/package"));
	rmdir(path("dir"));
	rmdir(folder);
}

START_TEST(all_hold)
{
	add(IMAGE_GUARD_FILE, "a", 0);
	add(IMAGE_GUARD_FOLDER, "dir", 0);
	add(IMAGE_GUARD_ABSENT, "new", 0);
	add(IMAGE_GUARD_ABSENT, "a/below", 0);
	add(IMAGE_GUARD_DPKG, "status", 0);
	add(IMAGE_GUARD_TIMEZONE, "b", 0);
	ck_assert_int_eq(check(), 0);
	ck_assert_int_eq(timezone_changed, 0);
}
END_TEST

static void stale(const char *name, const char *why)
{
	ck_assert_int_eq(check(), -1);
	ck_assert_str_eq(reason.detail, path(name));
	ck_assert_str_eq(reason.why, why);
}

START_TEST(size_changed)
{
	add(IMAGE_GUARD_FILE, "a", 0)->size++;
	stale("a", "has changed:");
}
END_TEST

START_TEST(mtime_changed)
{
	add(IMAGE_GUARD_FILE, "b", 0);
	add(IMAGE_GUARD_FILE, "a", 0)->mtime_nsec ^= 1;
	stale("a", "has changed:");
	meta.guards[1].mtime_nsec ^= 1;
	ck_assert_int_eq(check(), 0);
	meta.guards[1].mtime_sec--;
	stale("a", "has changed:");
}
END_TEST

START_TEST(gone)
{
	add(IMAGE_GUARD_FILE, "a", 0);
	unlink(path("a"));
	stale("a", "is gone:");
}
END_TEST

START_TEST(other_kind)
{
	add(IMAGE_GUARD_FILE, "dir", 0);
	stale("dir", "is of another kind:");
	meta.guards[0].kind = IMAGE_GUARD_FOLDER;
	ck_assert_int_eq(check(), 0);
}
END_TEST

START_TEST(folder_changed)
{
	struct image_guard *row = add(IMAGE_GUARD_FOLDER, "dir", 0);

	row->size += 4096;	/* a folder's size means nothing */
	ck_assert_int_eq(check(), 0);
	row->mtime_sec--;
	stale("dir", "has changed:");
}
END_TEST

/* What import could find there counts, and nothing else. */
START_TEST(modules)
{
	struct image_guard *row = add(IMAGE_GUARD_MODULES, "dir", 0);

	row->size = 0;
	ck_assert_int_eq(check(), 0);
	row->mtime_sec--;
	write_file("dir/x.sqlite3", "");
	write_file("dir/README", "");
	ck_assert_int_eq(mkdir(path("dir/__pycache__"), 0755), 0);
	ck_assert_int_eq(mkdir(path("dir/.git"), 0755), 0);
	ck_assert_int_eq(check(), 0);
	write_file("dir/x.py", "");
	stale("dir", "has other modules:");
	row->size = module_names_hash("x.py", 4);
	ck_assert_int_eq(check(), 0);
	ck_assert_int_eq(mkdir(path("dir/package"), 0755), 0);
	stale("dir", "has other modules:");
	row->size += module_names_hash("package", 7);
	ck_assert_int_eq(check(), 0);
	unlink(path("dir/x.py"));
	stale("dir", "has other modules:");
}
END_TEST

START_TEST(modules_of_no_folder)
{
	add(IMAGE_GUARD_MODULES, "a", 0);
	stale("a", "is gone:");
	add(IMAGE_GUARD_MODULES, "new", 0);
	stale("a", "is gone:");
}
END_TEST

START_TEST(appeared)
{
	add(IMAGE_GUARD_ABSENT, "new", 0);
	write_file("new", "");
	stale("new", "is there now:");
}
END_TEST

START_TEST(in_the_working_folder)
{
	char *before = getcwd(NULL, 0);

	add(IMAGE_GUARD_ABSENT, "new", 0)->path = string("new");
	ck_assert_int_eq(chdir(folder), 0);
	ck_assert_int_eq(check(), 0);
	write_file("new", "");
	ck_assert_int_eq(check(), -1);
	ck_assert_str_eq(reason.detail, "new");
	ck_assert_str_eq(reason.what, "the working folder");
	ck_assert_ptr_null(reason.advice);
	ck_assert_int_eq(chdir(before), 0);
	free(before);
}
END_TEST

START_TEST(dpkg_holds)
{
	add(IMAGE_GUARD_FILE, "a", IMAGE_GUARD_BY_DPKG)->size++;
	add(IMAGE_GUARD_DPKG, "status", 0);
	add(IMAGE_GUARD_DPKG, "new", 0);	/* was absent, and is */
	ck_assert_int_eq(check(), 0);
}
END_TEST

START_TEST(dpkg_folder)
{
	add(IMAGE_GUARD_FILE, "a", IMAGE_GUARD_BY_DPKG)->size++;
	add(IMAGE_GUARD_DPKG, "dir", 0);	/* dpkg/updates is one */
	ck_assert_int_eq(check(), 0);
	meta.guards[1].mtime_nsec ^= 1;
	stale("a", "has changed:");
}
END_TEST

START_TEST(dpkg_changed)
{
	add(IMAGE_GUARD_FILE, "a", IMAGE_GUARD_BY_DPKG);
	add(IMAGE_GUARD_DPKG, "status", 0)->mtime_sec--;
	ck_assert_int_eq(check(), 0);
	meta.guards[0].size++;
	stale("a", "has changed:");
}
END_TEST

START_TEST(dpkg_one_appeared)
{
	add(IMAGE_GUARD_DPKG, "status", 0);
	add(IMAGE_GUARD_DPKG, "new", 0);
	add(IMAGE_GUARD_FILE, "a", IMAGE_GUARD_BY_DPKG)->size++;
	write_file("new", "x");
	stale("a", "has changed:");
}
END_TEST

START_TEST(dpkg_not_there)
{
	add(IMAGE_GUARD_FILE, "a", IMAGE_GUARD_BY_DPKG)->size++;
	stale("a", "has changed:");
}
END_TEST

START_TEST(not_by_dpkg)
{
	add(IMAGE_GUARD_DPKG, "status", 0);
	add(IMAGE_GUARD_FILE, "a", 0)->size++;
	stale("a", "has changed:");
}
END_TEST

START_TEST(timezone)
{
	add(IMAGE_GUARD_TIMEZONE, "a", 0)->size++;
	ck_assert_int_eq(guard_check(&meta, &meta.header, 0, &timezone_changed, &reason), 0);
	ck_assert_int_eq(timezone_changed, 0);
	ck_assert_int_eq(check(), 0);
	ck_assert_int_eq(timezone_changed, 1);
}
END_TEST

START_TEST(damaged)
{
	add(IMAGE_GUARD_FILE, "a", 0)->kind = 99;
	ck_assert_int_eq(check(), -1);
	meta.guards[0].kind = IMAGE_GUARD_FILE;
	meta.guards[0].path = 1;
	ck_assert_int_eq(check(), -1);
	meta.guards[0].kind = IMAGE_GUARD_DPKG;
	ck_assert_int_eq(check(), 0);	/* does not hold, and that is all */
}
END_TEST

#define FD 70

START_TEST(opens)
{
	char byte;

	add_file(FD, O_RDONLY, "a", 1);
	add_file(FD + 1, O_WRONLY | O_APPEND | O_CLOEXEC, "b", 0)->size = 77;
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), 0);
	ck_assert_int_eq(fcntl(FD, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(read(FD, &byte, 1), 1);
	ck_assert_int_eq(byte, 'b');
	ck_assert_int_eq(fcntl(FD + 1, F_GETFL) & (O_ACCMODE | O_APPEND), O_WRONLY | O_APPEND);
	files_commit(&meta, &meta.header);
	ck_assert_int_eq(fcntl(FD, F_GETFD), 0);
	ck_assert_int_eq(fcntl(FD + 1, F_GETFD), FD_CLOEXEC);
	close(FD);
	close(FD + 1);
}
END_TEST

/* Python's open() goes there; os.open() does not. */
START_TEST(appends_at_the_end)
{
	add_file(FD, O_WRONLY | O_APPEND, "a", 3);
	add_file(FD + 1, O_WRONLY | O_APPEND, "a", 1);
	write_file("a", "abc and more");
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), 0);
	ck_assert_int_eq(lseek(FD, 0, SEEK_CUR), 12);
	ck_assert_int_eq(lseek(FD + 1, 0, SEEK_CUR), 1);
	close(FD);
	close(FD + 1);
}
END_TEST

/* A log may be rotated: what is there now is appended to, but not made. */
START_TEST(appends_to_what_is_there)
{
	add_file(FD, O_WRONLY | O_APPEND, "a", 3);
	ck_assert_int_eq(rename(path("a"), path("new")), 0);
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), -1);
	ck_assert_str_eq(reason.why, "can't be looked at:");
	write_file("a", "");
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), 0);
	ck_assert_int_eq(write(FD, "x", 1), 1);
	ck_assert_int_eq(lseek(FD, 0, SEEK_CUR), 1);
	close(FD);
}
END_TEST

START_TEST(other_flags)
{
	add_file(FD, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, "a", 0);
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), 0);
	ck_assert_int_eq(fcntl(FD, F_GETFL) & (O_NONBLOCK | O_NOFOLLOW), O_NONBLOCK | O_NOFOLLOW);
	close(FD);
	meta.files[0].flags = O_RDONLY | O_TRUNC;
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), -1);
	ck_assert_str_eq(reason.what, "damaged");
}
END_TEST

START_TEST(copies_share_an_offset)
{
	char byte;

	add_file(FD, O_RDONLY, "a", 1);
	add_file(FD + 1, O_RDONLY, "a", 1);
	add_file(FD + 2, O_RDONLY | O_CLOEXEC, "a", 1)->original = 0;
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), 0);
	files_commit(&meta, &meta.header);
	ck_assert_int_eq(read(FD, &byte, 1), 1);
	ck_assert_int_eq(lseek(FD + 2, 0, SEEK_CUR), 2);
	ck_assert_int_eq(lseek(FD + 1, 0, SEEK_CUR), 1);
	ck_assert_int_eq(fcntl(FD + 2, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(FD, F_GETFD), 0);
	for (int fd = FD; fd <= FD + 2; fd++)
		close(fd);
	meta.files[1].original = 2;	/* behind it */
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), -1);
	ck_assert_str_eq(reason.what, "damaged");
	close(FD);
}
END_TEST

/* Same size, same time. */
START_TEST(another_inode)
{
	struct timespec times[2];
	struct stat now;

	add_file(FD, O_RDONLY, "a", 0);
	ck_assert_int_eq(stat(path("a"), &now), 0);
	times[0] = now.st_atim;
	times[1] = now.st_mtim;
	write_file("new", "xyz");
	ck_assert_int_eq(utimensat(AT_FDCWD, path("new"), times, 0), 0);
	ck_assert_int_eq(rename(path("new"), path("a")), 0);
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), -1);
	ck_assert_str_eq(reason.why, "has changed:");
	close(FD);
}
END_TEST

START_TEST(opens_at_the_lowest)
{
	int next = dup(0);

	close(next);
	add_file(next, O_RDONLY, "a", 0);
	add_file(next + 1, O_RDONLY, "b", 0);
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), 0);
	ck_assert_int_eq(close(next), 0);
	ck_assert_int_eq(close(next + 1), 0);
}
END_TEST

START_TEST(does_not_open)
{
	struct image_file *row = add_file(FD, O_RDONLY, "a", 0);

	row->size++;
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), -1);
	ck_assert_int_eq(close(FD), 0);	/* close-on-exec, for the fallback */
	row->size--;
	row->mtime_nsec ^= 1;
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), -1);
	ck_assert_int_eq(close(FD), 0);
	row->mtime_nsec ^= 1;
	row->flags = O_RDWR;
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), -1);
	row->flags = O_WRONLY;
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), -1);
	row->flags = O_RDONLY;
	row->fd = 0;
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), -1);
	row->fd = -5;
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), -1);
	row->fd = FD;
	row->path = 0;
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), -1);
	ck_assert_int_eq(fcntl(FD, F_GETFD), -1);
}
END_TEST

START_TEST(devices)
{
	struct image_file *row = add_file(FD, O_RDONLY, "a", 5);
	char byte;

	row->device = 9;
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), -1);
	ck_assert_str_eq(reason.why, "is of another kind:");
	row->path = string("/dev/urandom");
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), 0);
	ck_assert_int_eq(read(FD, &byte, 1), 1);
	close(FD);
	row->path = string("/dev/null");
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), -1);
	row->device = 3;
	row->flags = O_WRONLY;
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), 0);
	ck_assert_int_eq(write(FD, "x", 1), 1);
	close(FD);
	row->flags = O_RDONLY;
	row->path = string("/dev/urandom");
	row->device = 0;
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), -1);
	ck_assert_str_eq(reason.why, "is of another kind:");
	row->device = 9;
	row->flags = O_WRONLY | O_APPEND;
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), -1);
	ck_assert_str_eq(reason.what, "damaged");
}
END_TEST

START_TEST(fifo_does_not_block)
{
	struct image_file *row = add_file(FD, O_RDONLY, "a", 0);

	ck_assert_int_eq(mkfifo(path("fifo"), 0600), 0);
	row->path = string(path("fifo"));
	ck_assert_int_eq(files_open(&meta, &meta.header, &reason), -1);
	ck_assert_str_eq(reason.why, "is of another kind:");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		all_hold, size_changed, mtime_changed, gone, other_kind, folder_changed,
		modules, modules_of_no_folder, appeared, in_the_working_folder, dpkg_holds, dpkg_folder, dpkg_changed,
		dpkg_one_appeared, dpkg_not_there, not_by_dpkg, timezone, damaged, opens, opens_at_the_lowest,
		does_not_open, devices, fifo_does_not_block, appends_at_the_end,
		appends_to_what_is_there, other_flags, copies_share_an_offset, another_inode, NULL,
	};

	return unit_run_between("guard", tests, setup, teardown, 60);
}
