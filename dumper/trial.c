/*
 * Trial runs; see trial.h.
 */
#include "trial.h"

#include "alloc.h"
#include "changed.h"
#include "cleanup.h"
#include "environment.h"
#include "err.h"
#include "image.h"
#include "path.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEARN_RUNS 4

#define TRIAL "PYIMAGE_TRIAL"	/* callbacks.c in the host: no hook is called */

void trial_init(struct trial *trial, const char *image, const char *python,
		const struct list *environment)
{
	*trial = (struct trial){.image = image, .python = python, .wait = TRIAL_WAIT};
	for (size_t i = 0; i < environment->count; i++) {
		const char *item = environment->items[i];

		list_add(&trial->plain, item);
		if (strncmp(item, "PYTHON", 6) != 0)
			list_add(&trial->environment, item);
	}
	/* never the fallback: it would prove nothing */
	environment_set(&trial->environment, "PYIMAGE", "on");
	/* what the image is for is not run by its build */
	environment_set(&trial->environment, "PYIMAGE_ENTRY", "off");
	environment_set(&trial->environment, TRIAL, "1");
}

void trial_command(const struct trial *trial, const struct list *arguments,
		   struct list *command, struct list *environment)
{
	int real = arguments && !trial->as_python;

	/* the real program's hooks are called */
	for (size_t i = 0; i < trial->environment.count; i++)
		if (!real || strncmp(trial->environment.items[i], TRIAL "=", sizeof(TRIAL)))
			list_add(environment, trial->environment.items[i]);
	list_add(command, trial->image);
	if (!arguments) {
		list_add(command, "-c");
		list_add(command, "pass");
		return;
	}
	if (real)
		environment_set(environment, "PYIMAGE_ENTRY", "on");
	for (size_t i = 0; i < arguments->count; i++)
		list_add(command, arguments->items[i]);
}

static int check_status(int status, const char *said, struct err *err)
{
	char *how;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	how = process_describe(status);
	err_set(err, ERR_REFUSED, "the image was written but does not run: it %s%s%s",
		how, *said ? "\n" : "", said);
	free(how);
	return -1;
}

int trial_run(const struct trial *trial, struct err *err)
{
	struct list command = {0}, environment = {0};
	struct process process = {.keep = -1};
	struct buffer said = {0};
	int status, result;

	trial_command(trial, NULL, &command, &environment);
	process.argv = command.items;
	process.envp = environment.items;
	result = process_run(&process, trial->wait, NULL, &said, &status, err);
	if (result) {
		err_prefix(err, "the image was written but does not run");
	} else {
		size_t end = said.used;

		while (end && said.data[end - 1] == '\n')
			said.data[--end] = '\0';
		result = check_status(status, said.data, err);
	}
	list_free(&command);
	list_free(&environment);
	buffer_free(&said);
	return result;
}

/* --- learning --- */

#define HOLD_LOWEST 500	/* far above what imports leave open */

/* Waits for the byte that says "look". */
static int wait_held(int socket, int wait, struct err *err)
{
	struct pollfd poll_fd = {.fd = socket, .events = POLLIN};
	int ready;
	char byte;

	do
		ready = poll(&poll_fd, 1, wait);
	while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return err_sys(err, "wait for the image");
	if (ready == 0)
		return err_set(err, ERR_REFUSED, "the image did not come to where it holds in %d s",
			       wait / 1000);
	if (read(socket, &byte, 1) != 1)
		return err_set(err, ERR_REFUSED, "the image ended before it could be looked at");
	return 0;
}

/* Out of the way of what the image opens by its old numbers. */
static int move_up(int fd)
{
	struct rlimit limit;
	int high, lowest = HOLD_LOWEST;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 2 < HOLD_LOWEST)
		lowest = (int)limit.rlim_cur / 2;
	high = fcntl(fd, F_DUPFD_CLOEXEC, lowest);

	if (high < 0)
		return fd;
	close(fd);
	return high;
}

/* Its end is not waited for: it does nothing any more. */
static int end_held(pid_t pid, int wait, int any_status, struct err *err)
{
	int status;

	if (process_wait(pid, wait, &status, err))
		return -1;
	return any_status && WIFEXITED(status) ? 0 : check_status(status, "", err);
}

int trial_hold(const struct trial *trial, const struct list *arguments,
	       const char *variable, trial_look *look, void *data, struct err *err)
{
	struct list environment = {0}, command = {0};
	struct process process = {.input = -1, .output = -1, .error = -1};
	int sockets[2], status, result;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return err_sys(err, "make a socket");
	sockets[1] = move_up(sockets[1]);
	trial_command(trial, arguments, &command, &environment);
	/* many wait for hours behind their start, and never write what the end does */
	list_print(&environment, "PYIMAGE_HOLD=%s%d", arguments || variable ? "" : "-",
		sockets[1]);
	if (variable)
		list_add(&environment, variable);
	process.argv = command.items;
	process.envp = environment.items;
	process.keep = sockets[1];
	pid = process_start(&process, err);
	close(sockets[1]);
	result = pid < 0 ? -1 : wait_held(sockets[0], trial->wait, err);
	if (!result)
		result = look(pid, data, err);
	close(sockets[0]);
	if (result && pid > 0) {
		struct err late = {0};

		kill(pid, SIGKILL);
		process_wait(pid, trial->wait, &status, &late);
		err_clear(&late);
	} else if (!result) {
		result = end_held(pid, trial->wait, arguments != NULL, err);
	}
	list_free(&environment);
	list_free(&command);
	return result;
}

struct dirty {
	const struct plan *plan;
	struct memory_ranges ranges;
};

static int look_for_dirty(pid_t pid, void *data, struct err *err)
{
	struct dirty *dirty = data;

	return changed_pages(pid, dirty->plan, &dirty->ranges, err);
}

static int by_length(const void *a, const void *b)
{
	const struct image_range *left = a, *right = b;

	if (left->length != right->length)
		return left->length > right->length ? -1 : 1;
	return left->start < right->start ? -1 : 1;
}

static int by_start(const void *a, const void *b)
{
	const struct image_range *left = a, *right = b;

	return left->start < right->start ? -1 : left->start > right->start;
}

void trial_limit(struct memory_ranges *ranges, size_t limit)
{
	if (ranges->count <= limit)
		return;
	qsort(ranges->items, ranges->count, sizeof(*ranges->items), by_length);
	ranges->count = limit;
	qsort(ranges->items, ranges->count, sizeof(*ranges->items), by_start);
}

int trial_learn(const struct trial *trial, const struct plan *plan,
		const struct list *arguments, struct memory_ranges *hot, struct err *err)
{
	*hot = (struct memory_ranges){0};
	for (int run = 0; run < LEARN_RUNS; run++) {
		struct dirty dirty = {.plan = plan};
		struct memory_ranges both;

		if (trial_hold(trial, arguments, NULL, look_for_dirty, &dirty, err)) {
			free(dirty.ranges.items);
			free(run ? hot->items : NULL);
			*hot = (struct memory_ranges){0};
			return err_prefix(err, "learn the hot pages");
		}
		if (run == 0) {
			*hot = dirty.ranges;
			continue;
		}
		both = memory_intersect(hot, &dirty.ranges);
		free(hot->items);
		free(dirty.ranges.items);
		*hot = both;
	}
	trial_limit(hot, IMAGE_MAX_HOT);
	return 0;
}

void trial_free(struct trial *trial)
{
	list_free(&trial->environment);
	list_free(&trial->plain);
}
