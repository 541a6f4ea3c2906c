/*
 * dumper/descriptors.c: this process looks at its own descriptors.
 */
#include "unit.h"

#include "descriptors.h"
#include "err.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Runs `open` in a child that has nothing else open, and looks at the child. */
static int look(int (*open_one)(void), struct descriptors *descriptors, struct err *err)
{
	int ready[2];
	pid_t pid;
	char byte;
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
	result = descriptors_read(pid, descriptors, err);
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
	return open("/dev/null", O_RDONLY);
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

START_TEST(reads_fdinfo)
{
	uint64_t offset;
	int flags;

	ck_assert(!descriptors_parse_info("pos:\t12\nflags:\t02100001\nmnt_id:\t5\n",
					  &offset, &flags));
	ck_assert_uint_eq(offset, 12);
	ck_assert_int_eq(flags, 02100001);
	ck_assert_int_eq(descriptors_parse_info("pos:\t12\n", &offset, &flags), -1);
	ck_assert_int_eq(descriptors_parse_info("flags:\t1\n", &offset, &flags), -1);
	ck_assert_int_eq(descriptors_parse_info("pos:\tx\nflags:\t1\n", &offset, &flags), -1);
	ck_assert_int_eq(descriptors_parse_info("pos:\t1\nflags:\tx\n", &offset, &flags), -1);
}
END_TEST

START_TEST(a_process_that_is_gone)
{
	struct descriptors descriptors;
	struct err err = {0};

	ck_assert_int_eq(descriptors_read(0x7fffffff, &descriptors, &err), -1);
	ck_assert_int_eq(err.status, ERR_IO);
	descriptors_free(&descriptors);
	err_clear(&err);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		holds_regular_files, refuses_all_else, reads_fdinfo, a_process_that_is_gone, NULL,
	};

	return unit_run("descriptors", tests);
}
