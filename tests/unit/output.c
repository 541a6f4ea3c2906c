/*
 * dumper/output.c and cleanup.c: the file appears whole or not at all.
 */
#include "unit.h"

#include "cleanup.h"
#include "err.h"
#include "image.h"
#include "output.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SIZE 100000

static struct err err;
static char *folder;

static char *in_folder(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static size_t count_files(void)
{
	DIR *stream = opendir(folder);
	size_t count = 0;

	while (readdir(stream))
		count++;
	closedir(stream);
	return count - 2;
}

static int make_content(void)
{
	int fd = memfd_create("x", 0);
	char *content;

	ck_assert_int_eq(ftruncate(fd, SIZE), 0);
	content = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memset(content, 'x', SIZE);
	memcpy(content + IMAGE_PREFIX_OFFSET, IMAGE_MAGIC_PARTIAL, 8);
	munmap(content, SIZE);
	return fd;
}

START_TEST(appears_whole)
{
	struct output output;
	struct stat status;
	char magic[8];
	int fd;

	folder = unit_folder();
	umask(002);
	ck_assert_msg(!output_create(in_folder("a"), &output, &err), "%s", err.text);
	ck_assert_int_eq(access(in_folder("a"), F_OK), -1);
	ck_assert_msg(!output_copy(&output, make_content(), SIZE, &err), "%s", err.text);
	ck_assert(!output_patch(&output, "yy", 2, 50000, &err));
	ck_assert_int_eq(access(in_folder("a"), F_OK), -1);
	ck_assert(!output_finish(&output, &err));
	output_free(&output);
	ck_assert_uint_eq(count_files(), 1);
	ck_assert_int_eq(stat(in_folder("a"), &status), 0);
	ck_assert_int_eq(status.st_size, SIZE);
	/* never writable for others: pyimage refuses such a file */
	ck_assert_int_eq(status.st_mode & 07777, 0755);
	fd = open(in_folder("a"), O_RDONLY);
	ck_assert_int_eq(pread(fd, magic, 8, IMAGE_PREFIX_OFFSET), 8);
	ck_assert(memcmp(magic, IMAGE_MAGIC, 8) == 0);
	ck_assert_int_eq(pread(fd, magic, 3, 49999), 3);
	ck_assert(memcmp(magic, "xyy", 3) == 0);
	close(fd);
	unit_drop_folder(folder);
}
END_TEST

START_TEST(leaves_nothing)
{
	struct output output;

	folder = unit_folder();
	ck_assert(!output_create(in_folder("a"), &output, &err));
	ck_assert_uint_eq(count_files(), 1);
	output_free(&output);
	ck_assert_uint_eq(count_files(), 0);
	unit_drop_folder(folder);
}
END_TEST

START_TEST(refuses_what_it_cannot_write)
{
	struct output output;

	folder = unit_folder();
	ck_assert_int_eq(output_create(folder, &output, &err), -1);
	ck_assert_int_eq(err.status, ERR_IO);
	output_free(&output);
	err_clear(&err);
	ck_assert_int_eq(output_create("/dev/null", &output, &err), -1);
	ck_assert_int_eq(err.status, ERR_IO);
	output_free(&output);
	err_clear(&err);
	ck_assert_int_eq(output_create(in_folder("no/a"), &output, &err), -1);
	ck_assert_int_eq(err.status, ERR_IO);
	output_free(&output);
	err_clear(&err);
	unit_drop_folder(folder);
}
END_TEST

START_TEST(a_file_size_limit_is_an_error)
{
	struct rlimit limit = {SIZE / 2, SIZE};
	struct output output;
	int content = make_content();

	folder = unit_folder();
	ck_assert(!output_create(in_folder("a"), &output, &err));
	setrlimit(RLIMIT_FSIZE, &limit);
	ck_assert_int_eq(output_check_room(&output, SIZE, &err), -1);
	ck_assert_int_eq(err.status, ERR_IO);
	err_clear(&err);
	ck_assert(!output_check_room(&output, SIZE / 2, &err));
	ck_assert_int_eq(output_copy(&output, content, SIZE, &err), -1);
	ck_assert_int_eq(err.status, ERR_IO);
	ck_assert_ptr_nonnull(strstr(err.text, "File too large"));
	err_clear(&err);
	output_free(&output);
	ck_assert_uint_eq(count_files(), 0);
	unit_drop_folder(folder);
}
END_TEST

START_TEST(a_signal_cleans_up)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

	folder = unit_folder();
	for (size_t i = 0; i < 3; i++) {
		int status;
		pid_t bystander = fork(), pid;

		if (bystander == 0)
			for (;;)
				pause();
		pid = fork();
		if (pid == 0) {
			struct output output;

			cleanup_install();
			cleanup_add_process(bystander);
			if (output_create(in_folder("a"), &output, &err) == 0)
				raise(signals[i]);
			_exit(0);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSIGNALED(status));
		ck_assert_int_eq(WTERMSIG(status), signals[i]);
		ck_assert_uint_eq(count_files(), 0);
		ck_assert_int_eq(waitpid(bystander, &status, 0), bystander);
		ck_assert_int_eq(WTERMSIG(status), SIGKILL);
	}
	unit_drop_folder(folder);
}
END_TEST

START_TEST(an_ignored_signal_stays_ignored)
{
	struct sigaction action;

	signal(SIGHUP, SIG_IGN);
	cleanup_install();
	sigaction(SIGHUP, NULL, &action);
	ck_assert_ptr_eq(action.sa_handler, SIG_IGN);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		appears_whole, leaves_nothing, refuses_what_it_cannot_write,
		a_file_size_limit_is_an_error, a_signal_cleans_up,
		an_ignored_signal_stays_ignored, NULL,
	};

	return unit_run("output", tests);
}
