/*
 * dumper/target.c against a made-up host: this program itself, which plays one
 * when it is started with a control socket. And interpreter.c.
 */
#include "unit.h"

#include "control.h"
#include "environment.h"
#include "err.h"
#include "interpreter.h"
#include "list.h"
#include "progress.h"
#include "spec.h"
#include "target.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* --- the host --- */

static int control;

static void say(uint32_t type, const void *data, size_t size)
{
	struct control_head head = {type, (uint32_t)size};

	if (write(control, &head, sizeof(head)) != sizeof(head) ||
	    write(control, data, size) != (ssize_t)size)
		_exit(99);
}

static void *idle(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void freeze(int threads)
{
	struct control_frozen frozen = {.handoff = 1, .entry = 2};
	char byte;

	frozen.pid = fork();
	if (!frozen.pid) {
		pthread_t thread;

		close(control);
		for (int i = 0; i < threads; i++)
			pthread_create(&thread, NULL, idle, NULL);
		raise(SIGSTOP);
		_exit(0);
	}
	say(CONTROL_FROZEN, &frozen, sizeof(frozen));
	while (read(control, &byte, 1) > 0)
		;
	_exit(0);
}

/* Says what it was told and where it runs, as a refusal. */
static void echo(void)
{
	static char spec[4096], text[8192];
	struct control_head head;
	struct stat status;
	size_t used = 0;

	if (read(control, &head, sizeof(head)) != sizeof(head) ||
	    read(control, spec, head.length) != (ssize_t)head.length)
		_exit(98);
	for (char *at = spec; at < spec + head.length; at += strlen(at) + 1)
		used += (size_t)sprintf(text + used, "%s\n", at);
	for (int fd = 0; fd < 1024; fd++)
		if (fstat(fd, &status) == 0)
			used += (size_t)sprintf(text + used, "fd %d\n", fd);
	used += (size_t)sprintf(text + used, "bind %s\n", getenv("LD_BIND_NOW"));
	say(CONTROL_REFUSED, text, used);
}

static int play(const char *role)
{
	static const char report[] = "version=3.11.2\0hexversion=1";
	struct control_frozen stranger = {.pid = getppid()};

	control = atoi(getenv(CONTROL_ENV));
	if (strcmp(role, "echo") == 0)
		echo();
	say(CONTROL_PROGRESS, "importing x", 11);
	if (strcmp(role, "refuse") == 0)
		say(CONTROL_REFUSED, "no\nreally", 9);
	else if (strcmp(role, "killed") == 0)
		kill(getpid(), SIGKILL);
	else if (strcmp(role, "junk") == 0)
		say(77, "", 0);
	else if (strcmp(role, "early") == 0)
		freeze(0);
	say(CONTROL_REPORT, report, sizeof(report));
	if (strcmp(role, "frozen") == 0)
		freeze(0);
	else if (strcmp(role, "threads") == 0)
		freeze(2);
	else if (strcmp(role, "stranger") == 0)
		say(CONTROL_FROZEN, &stranger, sizeof(stranger));
	else if (strcmp(role, "short") == 0)
		say(CONTROL_FROZEN, &stranger, 5);
	_exit(3);
}

/* --- the tests --- */

static struct target target;
static struct err err;

static int act(const char *role, const struct spec *spec)
{
	static const struct spec none;
	struct interpreter interpreter = {.path = (char *)"/proc/self/exe", .host = (char *)""};
	struct list environment = {0};
	struct progress progress;
	int result;

	list_print(&environment, "ROLE=%s", role);
	/* ASan's leak check can't run in a process like this */
	list_add(&environment, "ASAN_OPTIONS=detect_leaks=0");
	progress_init(&progress, stderr, PROGRESS_SILENT);
	result = target_start(spec ? spec : &none, &interpreter, &environment,
			      spec ? "trace=7" : NULL, NULL, &target, &err);
	if (!result)
		result = target_wait(&target, &progress, &err);
	list_free(&environment);
	return result;
}

static void refuse(const char *role, const char *why)
{
	ck_assert_int_eq(act(role, NULL), -1);
	ck_assert_int_eq(err.status, ERR_REFUSED);
	ck_assert_msg(strstr(err.text, why), "%s: %s", role, err.text);
	err_clear(&err);
	target_stop(&target);
	/* no child is left */
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}

START_TEST(holds_a_frozen_process)
{
	char path[64];
	pid_t pid;

	ck_assert_msg(!act("frozen", NULL), "%s", err.text);
	pid = target.frozen.pid;
	ck_assert_int_gt(pid, 1);
	ck_assert_uint_eq(target.frozen.entry, 2);
	ck_assert_str_eq(target.report.version, "3.11.2");
	ck_assert_str_eq(target.doing, "importing x");
	target_end(&target);
	ck_assert_str_eq(target.report.version, "3.11.2");
	target_stop(&target);
	/* the host has taken its end, or init will: it is dead in any case */
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	for (int i = 0; i < 1000 && readlink(path, path + 32, 8) > 0; i++)
		usleep(1000);
	ck_assert_int_eq(readlink(path, path + 32, 8), -1);
}
END_TEST

START_TEST(refuses)
{
	refuse("refuse", "no\nreally");
	refuse("killed", "was killed by signal 9 (Killed) while importing x");
	refuse("exit", "ended with status 3 while importing x");
	refuse("junk", "message 77");
	refuse("early", "no report");
	refuse("threads", "2 more threads than the first run");
	refuse("stranger", "not its child");
	refuse("short", "makes no sense");
}
END_TEST

START_TEST(tells_the_host_what_to_do)
{
	static const char begin[] = "import=os\nimport=json\nwarmup=/w.py\nstack=";
	struct spec spec = {0};
	int extra = open("/dev/null", O_RDONLY);

	list_add(&spec.imports, "os");
	list_add(&spec.imports, "json");
	list_add(&spec.warmups, "/w.py");
	ck_assert_int_eq(act("echo", &spec), -1);
	ck_assert_msg(strncmp(err.text, begin, strlen(begin)) == 0, "%s", err.text);
	ck_assert_ptr_nonnull(strstr(err.text, "\nio=local\ntrace=7\nunset=LD_PRELOAD\n"
		"unset=LD_BIND_NOW\nunset=PYDUMP_CONTROL\nfd 0\nfd 1\nfd 2\nfd 200\nbind 1"));
	err_clear(&err);
	target_stop(&target);
	list_free(&spec.imports);
	list_free(&spec.warmups);
	close(extra);
}
END_TEST

START_TEST(says_why_it_cannot_start)
{
	struct interpreter interpreter = {.path = (char *)"/nonexistent", .host = (char *)""};
	struct list environment = {0};
	struct spec spec = {0};

	ck_assert_int_eq(target_start(&spec, &interpreter, &environment, NULL, NULL,
				      &target, &err), -1);
	ck_assert_str_eq(err.text, "start /nonexistent: No such file or directory");
	err_clear(&err);
	target_stop(&target);
}
END_TEST

START_TEST(needs_a_large_stack_limit)
{
	struct rlimit limit = {8 << 20, RLIM_INFINITY};
	rlim_t soft;

	ck_assert(!target_stack_limit(&limit, &soft, &err));
	ck_assert_uint_eq(soft, RLIM_INFINITY);
	limit.rlim_max = (rlim_t)200000000000 * 1024;
	ck_assert(!target_stack_limit(&limit, &soft, &err));
	ck_assert_uint_eq(soft, limit.rlim_max);
	limit.rlim_max--;
	ck_assert_int_eq(target_stack_limit(&limit, &soft, &err), -1);
	ck_assert_int_eq(err.status, ERR_REFUSED);
	err_clear(&err);
}
END_TEST

static void expect_path(const char *wanted, const char *path)
{
	char *found = interpreter_resolve(wanted, &err);

	if (!path) {
		ck_assert_ptr_null(found);
		ck_assert_int_eq(err.status, ERR_USAGE);
		err_clear(&err);
		return;
	}
	ck_assert_str_eq(found, path);
	free(found);
}

START_TEST(a_version_or_a_path)
{
	expect_path(NULL, "/usr/bin/python3");
	expect_path("3.11", "/usr/bin/python3.11");
	expect_path("3", "/usr/bin/python3");
	expect_path("3.13t", "/usr/bin/python3.13t");
	expect_path("/x/./bin/python", "/x/bin/python");
	expect_path("python3", NULL);
	expect_path("3.", NULL);
	expect_path("3.11.2", NULL);
	expect_path("3.x", NULL);
	expect_path(".11", NULL);
}
END_TEST

START_TEST(a_script_is_no_interpreter)
{
	char *folder = unit_folder();
	struct interpreter interpreter;
	const char *path = unit_file(folder, "python", "#!/bin/sh\n");

	chmod(path, 0755);
	ck_assert_int_eq(interpreter_find(path, environ, &interpreter, &err), -1);
	ck_assert_int_eq(err.status, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(err.text, "script"));
	interpreter_free(&interpreter);
	err_clear(&err);
	ck_assert_int_eq(interpreter_find("/bin/cat", environ, &interpreter, &err), -1);
	ck_assert_int_eq(err.status, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(err.text, "version"));
	interpreter_free(&interpreter);
	err_clear(&err);
	ck_assert_int_eq(interpreter_find("/nonexistent", environ, &interpreter, &err), -1);
	ck_assert_int_eq(err.status, ERR_IO);
	interpreter_free(&interpreter);
	err_clear(&err);
	unit_drop_folder(folder);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		holds_a_frozen_process, refuses, tells_the_host_what_to_do,
		says_why_it_cannot_start, needs_a_large_stack_limit, a_version_or_a_path,
		a_script_is_no_interpreter, NULL,
	};

	if (getenv(CONTROL_ENV))
		return play(getenv("ROLE"));
	return unit_run("target", tests);
}
