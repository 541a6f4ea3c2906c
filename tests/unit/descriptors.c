/*
 * dumper/descriptors.c: this process looks at its own descriptors.
 */
#include "unit.h"

#include "descriptors.h"
#include "err.h"
#include "list.h"
#include "openfile.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Far in the future: nothing counts as changed since. */
static time_t start_of_build = 1l << 40;

/* The descriptors that the host vouches for. */
static struct list unbuffered;

/* Runs `open` in a child that has nothing else open, and looks at the child. */
static int look(int (*open_one)(void), struct descriptors *descriptors, struct err *err)
{
	int ready[2];
	pid_t pid;
	char byte;
	struct openfile_source source = {
		.start = { .tv_sec = start_of_build }, .unbuffered = &unbuffered,
	};
	int result;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		dup2(ready[1], 1);
		close_range(3, ~0u, 0);
		byte = (char)open_one();
		if (write(1, &byte, 1) == 1)
			pause();
		_exit(0);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(byte, 3);
	source.pid = pid;
	result = descriptors_read(&source, descriptors, err);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	return result;
}

static char *folder, *file;

static int open_read(void)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	lseek(fd, 3, SEEK_SET);
	return fd;
}

static int open_append(void)
{
	return open(file, O_WRONLY | O_APPEND);
}

static int open_flags(void)
{
	return open(file, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
}

static int open_copies(void)
{
	int fd = open(file, O_RDONLY);

	if (open(file, O_RDONLY) != 4 || dup(fd) != 5 || fcntl(fd, F_DUPFD_CLOEXEC, 3) != 6)
		return -1;
	return fd;
}

static int open_place(void)
{
	return open(file, O_PATH);
}

static int open_locked(void)
{
	int fd = open(file, O_RDONLY);

	return flock(fd, LOCK_SH) ? -1 : fd;
}

static int open_record_locked(void)
{
	struct flock lock = { .l_type = F_RDLCK, .l_len = 1 };
	int fd = open(file, O_RDONLY);

	return fcntl(fd, F_SETLK, &lock) ? -1 : fd;
}

static int open_renamed(void)
{
	int fd = open(file, O_RDONLY);
	const char *other = unit_file(folder, "g", "");

	if (unlink(other) || link(file, other) || unlink(file))
		return -1;
	return fd;
}

static int open_replaced(void)
{
	int fd = open_renamed();

	unit_file(folder, "f", "0123456789");
	return fd;
}

static int open_of_proc(void)
{
	return open("/proc/self/status", O_RDONLY);
}

static int open_of_sys(void)
{
	return open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY);
}

static int open_output(void)
{
	int fd;

	dup2(fd = open(file, O_WRONLY | O_APPEND), 2);
	close(fd);
	return dup(2);
}

static int open_output_anew(void)
{
	int fd = open_output();

	close(fd);
	return open("/dev/stderr", O_WRONLY | O_APPEND);
}

static int open_write(void)
{
	return open(file, O_WRONLY);
}

static int open_both(void)
{
	return open(file, O_RDWR | O_APPEND);
}

static int open_deleted(void)
{
	int fd = open(file, O_RDONLY);

	unlink(file);
	return fd;
}

static int open_folder(void)
{
	return open(folder, O_RDONLY | O_DIRECTORY);
}

static int open_device(void)
{
	return open("/dev/zero", O_RDONLY);
}

static int open_null(void)
{
	return open("/dev/null", O_WRONLY);
}

static int open_random(void)
{
	return open("/dev/random", O_RDONLY);
}

static int open_random_to_write(void)
{
	return open("/dev/random", O_RDWR);
}

static int open_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int open_pipe(void)
{
	int ends[2];

	return pipe(ends) ? -1 : ends[0];
}

static int open_eventfd(void)
{
	return eventfd(0, 0);
}

static int open_epoll(void)
{
	return epoll_create1(0);
}

static int open_memfd(void)
{
	return memfd_create("x", 0);
}

static int open_fifo(void)
{
	unlink(file);
	return mkfifo(file, 0600) ? -1 : open(file, O_RDWR);
}

static void setup(void)
{
	folder = unit_folder();
	file = strdup(unit_file(folder, "f", "0123456789"));
}

static void teardown(void)
{
	free(file);
	unit_drop_folder(folder);
}

START_TEST(holds_regular_files)
{
	struct descriptors descriptors;
	struct err err = {0};

	setup();
	ck_assert_msg(!look(open_read, &descriptors, &err), "%s", err.text);
	ck_assert_uint_eq(descriptors.count, 1);
	ck_assert_int_eq(descriptors.culprit, -1);
	ck_assert_int_eq(descriptors.items[0].fd, 3);
	ck_assert_int_eq(descriptors.items[0].flags, O_RDONLY | O_CLOEXEC);
	ck_assert_str_eq(descriptors.items[0].path, file);
	ck_assert_uint_eq(descriptors.items[0].offset, 3);
	ck_assert_uint_eq(descriptors.items[0].size, 10);
	descriptors_free(&descriptors);
	ck_assert(!look(open_append, &descriptors, &err));
	ck_assert_int_eq(descriptors.items[0].flags, O_WRONLY | O_APPEND);
	descriptors_free(&descriptors);
	ck_assert(!look(open_flags, &descriptors, &err));
	ck_assert_int_eq(descriptors.items[0].flags, O_NONBLOCK | O_NOFOLLOW);
	descriptors_free(&descriptors);
	teardown();
}
END_TEST

START_TEST(knows_the_inode)
{
	struct descriptors descriptors;
	struct err err = {0};
	struct stat status;

	setup();
	ck_assert(!look(open_read, &descriptors, &err));
	ck_assert_int_eq(stat(file, &status), 0);
	ck_assert_uint_eq(descriptors.items[0].inode, status.st_ino);
	descriptors_free(&descriptors);
	teardown();
}
END_TEST

/* 3, 5 and 6 share one offset, 4 has its own. */
START_TEST(tells_copies_from_others)
{
	struct descriptors descriptors;
	struct err err = {0};

	setup();
	ck_assert_msg(!look(open_copies, &descriptors, &err), "%s", err.text);
	ck_assert_uint_eq(descriptors.count, 4);
	ck_assert_uint_eq(descriptors.items[0].original, 0);
	ck_assert_uint_eq(descriptors.items[1].original, 1);
	ck_assert_uint_eq(descriptors.items[2].original, 0);
	ck_assert_uint_eq(descriptors.items[3].original, 0);
	ck_assert_int_eq(descriptors.items[3].flags, O_CLOEXEC);
	descriptors_free(&descriptors);
	teardown();
}
END_TEST

START_TEST(changed_while_building)
{
	struct descriptors descriptors;
	struct err err = {0};

	setup();
	start_of_build = 1;
	ck_assert_int_eq(look(open_read, &descriptors, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "changed while building"));
	descriptors_free(&descriptors);
	err_clear(&err);
	ck_assert_int_eq(look(open_append, &descriptors, &err), 0);
	descriptors_free(&descriptors);
	start_of_build = 1l << 40;
	teardown();
}
END_TEST

/* The random ones only where the host vouches for it, and only to read. */
START_TEST(devices)
{
	struct descriptors descriptors;
	struct err err = {0};

	setup();
	list_add(&unbuffered, "3");
	ck_assert_int_eq(look(open_random, &descriptors, &err), 0);
	ck_assert_uint_eq(descriptors.items[0].device, 8);
	ck_assert_str_eq(descriptors.items[0].path, "/dev/random");
	descriptors_free(&descriptors);
	ck_assert_int_eq(look(open_random_to_write, &descriptors, &err), -1);
	descriptors_free(&descriptors);
	err_clear(&err);
	ck_assert_int_eq(look(open_device, &descriptors, &err), -1);
	descriptors_free(&descriptors);
	err_clear(&err);
	ck_assert_int_eq(look(open_null, &descriptors, &err), 0);
	ck_assert_uint_eq(descriptors.items[0].device, 3);
	descriptors_free(&descriptors);
	list_free(&unbuffered);
	list_add(&unbuffered, "33");
	ck_assert_int_eq(look(open_random, &descriptors, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "a device (/dev/random)"));
	descriptors_free(&descriptors);
	err_clear(&err);
	list_free(&unbuffered);
	teardown();
}
END_TEST

/* Record locks are no child's: the one who holds them is asked, too. */
START_TEST(locks_of_the_parent)
{
	struct openfile_source source = { .start = { .tv_sec = start_of_build } };
	struct descriptors descriptors;
	struct err err = {0};
	pid_t parent, child = 0;
	int pids[2];

	setup();
	ck_assert_int_eq(pipe(pids), 0);
	parent = fork();
	if (parent == 0) {
		dup2(pids[1], 1);
		close_range(3, ~0u, 0);
		if (open_record_locked() != 3)
			_exit(1);
		child = fork();
		if (child == 0)
			pause();
		if (write(1, &child, sizeof(child)) == sizeof(child))
			pause();
		_exit(0);
	}
	ck_assert_int_eq(read(pids[0], &child, sizeof(child)), sizeof(child));
	source.pid = child;
	ck_assert_int_eq(descriptors_read(&source, &descriptors, &err), 0);
	descriptors_free(&descriptors);
	source.parent = parent;
	ck_assert_int_eq(descriptors_read(&source, &descriptors, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "locked"));
	kill(child, SIGKILL);
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	close(pids[0]);
	close(pids[1]);
	descriptors_free(&descriptors);
	err_clear(&err);
	teardown();
}
END_TEST

START_TEST(refuses_all_else)
{
	static const struct {
		int (*open_one)(void);
		const char *what;
	} cases[] = {
		{open_write, "opened for writing"}, {open_both, "opened for writing"},
		{open_deleted, "a deleted file"}, {open_folder, "a folder"},
		{open_device, "a device"}, {open_socket, "a socket"}, {open_pipe, "a pipe"},
		{open_eventfd, "an eventfd"}, {open_epoll, "an epoll"},
		{open_memfd, "a memory file"}, {open_fifo, "a named pipe"},
		{open_place, "(O_PATH)"}, {open_locked, "locked"},
		{open_record_locked, "locked"}, {open_renamed, "whose name is gone"},
		{open_replaced, "another file's by now"}, {open_of_proc, "the kernel makes"},
		{open_of_sys, "the kernel makes"}, {open_output, "a standard stream"},
		{open_output_anew, "a standard stream"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct descriptors descriptors;
		struct err err = {0};

		setup();
		ck_assert_int_eq(look(cases[i].open_one, &descriptors, &err), -1);
		ck_assert_int_eq(err.status, ERR_REFUSED);
		ck_assert_int_ge(descriptors.culprit, 3);
		ck_assert_msg(strstr(err.text, cases[i].what), "%s", err.text);
		ck_assert_ptr_nonnull(strstr(err.text, "descriptor "));
		descriptors_free(&descriptors);
		err_clear(&err);
		teardown();
	}
}
END_TEST

/* Which none of today's kernels keeps for a regular file. */
START_TEST(flags_that_are_not_known)
{
	const struct openfile_source source = {
		.pid = getpid(), .start = { .tv_sec = start_of_build },
	};
	struct openfile one = { .source = &source };
	struct err err = {0};

	setup();
	one.fd = open(file, O_RDONLY);
	ck_assert(!openfile_look(&one, &err));
	ck_assert_ptr_null(openfile_refusal(&one));
	one.info.flags |= 0100000000;
	ck_assert_str_eq(openfile_refusal(&one), "a file with flags that opening does not set");
	close(one.fd);
	teardown();
}
END_TEST

START_TEST(reads_fdinfo)
{
	static const char *const broken[] = {
		"pos:\t12\n", "flags:\t1\n", "pos:\tx\nflags:\t1\n", "pos:\t1\nflags:\tx\n",
	};
	struct openfile_info info;

	ck_assert(!openfile_parse_info("pos:\t12\nflags:\t02100001\nmnt_id:\t5\n", &info));
	ck_assert_uint_eq(info.offset, 12);
	ck_assert_int_eq(info.flags, 02100001);
	ck_assert_int_eq(info.locked, 0);
	ck_assert(!openfile_parse_info("pos:\t0\nflags:\t0\nmnt_id:\t5\n"
		"lock:\t1: FLOCK  ADVISORY  READ 1 fe:00:12 0 EOF\n", &info));
	ck_assert_int_eq(info.locked, 1);
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++)
		ck_assert_int_eq(openfile_parse_info(broken[i], &info), -1);
}
END_TEST

START_TEST(a_process_that_is_gone)
{
	const struct openfile_source source = { .pid = 0x7fffffff };
	struct descriptors descriptors;
	struct err err = {0};

	ck_assert_int_eq(descriptors_read(&source, &descriptors, &err), -1);
	ck_assert_int_eq(err.status, ERR_IO);
	descriptors_free(&descriptors);
	err_clear(&err);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		holds_regular_files, knows_the_inode, tells_copies_from_others,
		changed_while_building, devices, locks_of_the_parent, refuses_all_else,
		flags_that_are_not_known, reads_fdinfo, a_process_that_is_gone, NULL,
	};

	return unit_run("descriptors", tests);
}
