/*
 * dumper/process.c and progress.c.
 */
#include "unit.h"

#include "err.h"
#include "process.h"
#include "progress.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static struct err err;

static int run(const char *command, int wait, struct buffer *out, struct buffer *error,
	       int *status)
{
	char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)command, NULL};
	char *envp[] = {(char *)"A=1", NULL};
	struct process process = {.argv = argv, .envp = envp, .keep = -1};

	return process_run(&process, wait, out, error, status, &err);
}

START_TEST(collects_output)
{
	struct buffer out = {0}, error = {0};
	int status;

	ck_assert(!run("echo $A; read x; echo 2 >&2; exit 3", 10000, &out, &error, &status));
	ck_assert_str_eq(out.data, "1\n");
	ck_assert_str_eq(error.data, "2\n");
	ck_assert_int_eq(WEXITSTATUS(status), 3);
	buffer_free(&out);
	buffer_free(&error);
}
END_TEST

START_TEST(ends_what_hangs)
{
	struct timespec start, end;
	int status;

	clock_gettime(CLOCK_MONOTONIC, &start);
	ck_assert_int_eq(run("exec sleep 30", 1000, NULL, NULL, &status), -1);
	clock_gettime(CLOCK_MONOTONIC, &end);
	ck_assert_int_lt(end.tv_sec - start.tv_sec, 10);
	ck_assert_int_eq(err.status, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(err.text, "within 1 s"));
	err_clear(&err);
}
END_TEST

START_TEST(says_how_it_ended)
{
	int status;
	char *text;

	ck_assert(!run("kill -9 $$", 10000, NULL, NULL, &status));
	text = process_describe(status);
	ck_assert_str_eq(text, "was killed by signal 9 (Killed)");
	free(text);
	ck_assert(!run("exit 7", 10000, NULL, NULL, &status));
	text = process_describe(status);
	ck_assert_str_eq(text, "ended with status 7");
	free(text);
}
END_TEST

START_TEST(gives_file_size_signals_back)
{
	int status;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert(!run("kill -XFSZ $$; exit 0", 10000, NULL, NULL, &status));
	ck_assert(WIFSIGNALED(status));
}
END_TEST

START_TEST(keeps_one_descriptor)
{
	char *argv[] = {(char *)"/bin/sh", (char *)"-c", NULL, NULL};
	struct process process = {.argv = argv, .envp = environ};
	int ends[2], status;
	char command[64], text[4] = "";

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	snprintf(command, sizeof(command), "echo ab >&%d", ends[1]);
	argv[2] = command;
	process.keep = ends[1];
	ck_assert(!process_run(&process, 10000, NULL, NULL, &status, &err));
	ck_assert_int_eq(read(ends[0], text, 3), 3);
	ck_assert_str_eq(text, "ab\n");
}
END_TEST

START_TEST(a_program_that_is_not_there)
{
	char *argv[] = {(char *)"/nonexistent", NULL};
	struct process process = {.argv = argv, .envp = environ, .keep = -1};
	int status;

	ck_assert_int_eq(process_run(&process, 1000, NULL, NULL, &status, &err), -1);
	ck_assert_int_eq(err.status, ERR_IO);
	ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent: No such file"));
	err_clear(&err);
}
END_TEST

static char shown[4096];

static void show(enum progress_mode mode)
{
	struct progress progress;
	FILE *stream = fmemopen(shown, sizeof(shown), "w");

	progress_init(&progress, stream, mode);
	progress.width = 10;
	progress_show(&progress, "%s", "a\033[2Jb\nc");
	progress_show(&progress, "0123456789");
	progress_clear(&progress);
	progress_clear(&progress);
	fclose(stream);
}

START_TEST(progress_is_one_line)
{
	show(PROGRESS_LINE);
	ck_assert_str_eq(shown, "\r\033[Ka?[2Jb\r\033[K012345678\r\033[K");
	show(PROGRESS_LOG);
	ck_assert_str_eq(shown, "pydump: a?[2Jb\npydump: 0123456789\n");
	memset(shown, 0, sizeof(shown));
	show(PROGRESS_SILENT);
	ck_assert_str_eq(shown, "");
}
END_TEST

START_TEST(progress_needs_a_terminal)
{
	int fd = open("/dev/null", O_RDWR);

	ck_assert_int_eq(progress_choose(fd, 0, 0), PROGRESS_SILENT);
	ck_assert_int_eq(progress_choose(fd, 0, 1), PROGRESS_LOG);
	ck_assert_int_eq(progress_choose(fd, 1, 0), PROGRESS_SILENT);
	close(fd);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		collects_output, ends_what_hangs, says_how_it_ended,
		gives_file_size_signals_back, keeps_one_descriptor,
		a_program_that_is_not_there, progress_is_one_line,
		progress_needs_a_terminal, NULL,
	};

	return unit_run("process", tests);
}
