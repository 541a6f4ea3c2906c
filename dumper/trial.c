/*
 * Trial runs; see trial.h.
 */
#include "trial.h"

#include "alloc.h"
#include "cleanup.h"
#include "environment.h"
#include "err.h"
#include "image.h"
#include "maps.h"
#include "path.h"
#include "plan.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT 60000		/* ms for a run */
#define LEARN_RUNS 4
#define IMAGE_RUNS 20
#define PYTHON_RUNS 3
#define COMMAND_RUNS 5
#define COMMAND_WAIT 600000	/* ms for a run of the command */
#define COMMAND_MAX 100000	/* bytes of -c; the kernel takes 131072 */
#define ARGUMENTS 4

void trial_init(struct trial *trial, const char *image, const char *python,
		const struct list *environment)
{
	*trial = (struct trial){.image = image, .python = python};
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
	environment_set(&trial->environment, "PYIMAGE_TRIAL", "1");
}

static void set_arguments(const struct trial *trial, char *argv[ARGUMENTS])
{
	argv[0] = (char *)trial->image;
	argv[1] = (char *)"-c";
	argv[2] = (char *)"pass";
	argv[3] = NULL;
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
	char *argv[ARGUMENTS];
	struct process process = {
		.argv = argv, .envp = trial->environment.items, .keep = -1,
	};
	struct buffer said = {0};
	int status, result;

	set_arguments(trial, argv);
	result = process_run(&process, WAIT, NULL, &said, &status, err);
	if (result) {
		err_prefix(err, "the image was written but does not run");
	} else {
		size_t end = said.used;

		while (end && said.data[end - 1] == '\n')
			said.data[--end] = '\0';
		result = check_status(status, said.data, err);
	}
	buffer_free(&said);
	return result;
}

/* --- learning --- */

#define HOLD_LOWEST 500	/* far above what imports leave open */

/* Waits for the byte that says "at my end". */
static int wait_held(int socket, struct err *err)
{
	struct pollfd poll_fd = {.fd = socket, .events = POLLIN};
	int ready;
	char byte;

	do
		ready = poll(&poll_fd, 1, WAIT);
	while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return err_sys(err, "wait for the image");
	if (ready == 0)
		return err_set(err, ERR_REFUSED, "the image did not come to its end in %d s",
			       WAIT / 1000);
	if (read(socket, &byte, 1) != 1)
		return err_set(err, ERR_REFUSED, "the image ended before it could be looked at");
	return 0;
}

static int find_dirty(pid_t pid, const struct plan *plan, struct memory_ranges *dirty,
		      struct err *err)
{
	struct memory memory;
	int result;

	if (memory_open(pid, &memory, err))
		return -1;
	result = 0;
	for (size_t i = 0; !result && i < plan->count; i++) {
		const struct plan_segment *segment = &plan->segments[i];

		if ((segment->protection & MAPS_WRITE) && !segment->anonymous)
			result = memory_find_dirty(&memory, segment->start,
						   segment->length, dirty, err);
	}
	memory_close(&memory);
	return result;
}

/* Out of the way of files that the image opens by their old numbers. */
static int move_up(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, HOLD_LOWEST);

	if (high < 0)
		return fd;
	close(fd);
	return high;
}

/* One run that is looked at while it holds still at its end. */
static int learn_once(const struct trial *trial, const struct plan *plan,
		      struct memory_ranges *dirty, struct err *err)
{
	char *argv[ARGUMENTS];
	struct list environment = {0};
	struct process process = {
		.argv = argv, .input = -1, .output = -1, .error = -1,
	};
	int sockets[2], status, result;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return err_sys(err, "make a socket");
	sockets[1] = move_up(sockets[1]);
	set_arguments(trial, argv);
	for (size_t i = 0; i < trial->environment.count; i++)
		list_add(&environment, trial->environment.items[i]);
	list_print(&environment, "PYIMAGE_HOLD=%d", sockets[1]);
	process.envp = environment.items;
	process.keep = sockets[1];
	pid = process_start(&process, err);
	close(sockets[1]);
	result = pid < 0 ? -1 : wait_held(sockets[0], err);
	if (!result)
		result = find_dirty(pid, plan, dirty, err);
	close(sockets[0]);
	if (result && pid > 0) {
		struct err late = {0};

		kill(pid, SIGKILL);
		process_wait(pid, WAIT, &status, &late);
		err_clear(&late);
	} else if (!result) {
		result = process_wait(pid, WAIT, &status, err);
		if (!result)
			result = check_status(status, "", err);
	}
	list_free(&environment);
	return result;
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
		struct memory_ranges *hot, struct err *err)
{
	*hot = (struct memory_ranges){0};
	for (int run = 0; run < LEARN_RUNS; run++) {
		struct memory_ranges dirty = {0}, both;

		if (learn_once(trial, plan, &dirty, err)) {
			free(dirty.items);
			return err_prefix(err, "learn the hot pages");
		}
		if (run == 0) {
			*hot = dirty;
			continue;
		}
		both = memory_intersect(hot, &dirty);
		free(hot->items);
		free(dirty.items);
		*hot = both;
	}
	trial_limit(hot, IMAGE_MAX_HOT);
	return 0;
}

/* --- measuring --- */

static int run_timed(char *const *argv, char *const *envp, int wait, double *micro,
		     int *status, struct err *err)
{
	struct process process = {
		.argv = argv, .envp = envp,
		.input = -1, .output = -1, .error = -1, .keep = -1,
	};
	struct timespec start, end;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &start);
	pid = process_start(&process, err);
	if (pid < 0 || process_wait(pid, wait, status, err))
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &end);
	*micro = (double)(end.tv_sec - start.tv_sec) * 1e6 +
		 (double)(end.tv_nsec - start.tv_nsec) / 1e3;
	return 0;
}

static int run_well(char *const *argv, char *const *envp, double *micro, struct err *err)
{
	int status;

	if (run_timed(argv, envp, WAIT, micro, &status, err))
		return -1;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_set(err, ERR_REFUSED, "%s failed while it was timed", argv[0]);
	return 0;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

/* The names of recorded modules are data for it, not source: they may be any. */
static void add_recorded(struct buffer *command, const struct list *recorded)
{
	static const char begin[] = "import importlib\nfor name in '", end[] =
		"'.split():\n try: importlib.import_module(name)\n except BaseException: pass\n";

	if (!recorded->count)
		return;
	buffer_add(command, begin, sizeof(begin) - 1);
	for (size_t i = 0; i < recorded->count && command->used < COMMAND_MAX; i++) {
		const char *name = recorded->items[i];
		size_t length = strcspn(name, "\t");

		if (strcspn(name, "\\' \n") < length)
			continue;
		buffer_add(command, name, length);
		buffer_add(command, " ", 1);
	}
	buffer_add(command, end, sizeof(end) - 1);
}

/* "import a, b" or "pass". To be freed. */
static char *make_command(const struct trial_imports *imports)
{
	const struct list *named = imports->named;
	struct buffer command = {0};

	add_recorded(&command, imports->recorded);
	buffer_add(&command, named->count ? "import " : "pass", named->count ? 7 : 4);
	for (size_t i = 0; i < named->count; i++) {
		buffer_add(&command, ", ", i ? 2 : 0);
		buffer_add(&command, named->items[i], strlen(named->items[i]));
	}
	buffer_string(&command, "");
	return command.data;
}

/* The interpreter importing the modules. */
static void make_plain(const struct trial *trial, const struct list *options,
		       const struct trial_imports *imports, struct list *out)
{
	char *command = make_command(imports);

	list_add(out, trial->python);
	for (size_t i = 0; i < options->count; i++)
		list_add(out, options->items[i]);
	list_add(out, "-c");
	list_add(out, command);
	free(command);
}

int trial_measure(const struct trial *trial, const struct list *options,
		  const struct trial_imports *imports, struct trial_times *times,
		  struct err *err)
{
	double image[IMAGE_RUNS], python[PYTHON_RUNS];
	struct list plain = {0};
	char *argv[ARGUMENTS];
	size_t plain_runs = 0;
	int result = 0;

	make_plain(trial, options, imports, &plain);
	set_arguments(trial, argv);
	for (size_t i = 0; !result && i < IMAGE_RUNS; i++) {
		result = run_well(argv, trial->environment.items, &image[i], err);
		/* interleaved: both see the same state of the machine */
		if (!result && i % (IMAGE_RUNS / PYTHON_RUNS) == 0 &&
		    plain_runs < PYTHON_RUNS)
			result = run_well(plain.items, trial->plain.items,
					   &python[plain_runs++], err);
	}
	if (!result) {
		times->image = median(image, IMAGE_RUNS);
		times->python = median(python, PYTHON_RUNS);
	}
	list_free(&plain);
	return result;
}

/* Once before it counts, then in turns. */
static int measure_pairs(const struct trial *trial, const struct list *plain,
			 const struct list *image, const struct list *environment,
			 double *python, double *restored, struct err *err)
{
	for (size_t i = 0; i <= COMMAND_RUNS; i++) {
		size_t at = i ? i - 1 : 0;
		int status, other;

		if (run_timed(plain->items, trial->plain.items, COMMAND_WAIT, &python[at],
			      &status, err) ||
		    run_timed(image->items, environment->items, COMMAND_WAIT, &restored[at],
			      &other, err))
			return -1;
		if (status != other) {
			char *one = process_describe(status), *two = process_describe(other);

			err_set(err, ERR_REFUSED, "the command %s, but as an image it %s",
				one, two);
			free(one);
			free(two);
			return -1;
		}
	}
	return 0;
}

int trial_measure_command(const struct trial *trial, const struct list *plain,
			  const struct list *arguments, struct trial_times *times,
			  struct err *err)
{
	double python[COMMAND_RUNS], image[COMMAND_RUNS];
	struct list command = {0}, environment = {0};
	int result;

	for (size_t i = 0; i < trial->environment.count; i++)
		list_add(&environment, trial->environment.items[i]);
	environment_set(&environment, "PYIMAGE_ENTRY", "on");
	list_add(&command, trial->image);
	for (size_t i = 0; i < arguments->count; i++)
		list_add(&command, arguments->items[i]);
	result = measure_pairs(trial, plain, &command, &environment, python, image, err);
	if (!result) {
		times->command_python = median(python, COMMAND_RUNS);
		times->command_image = median(image, COMMAND_RUNS);
	}
	list_free(&environment);
	list_free(&command);
	return result;
}

void trial_free(struct trial *trial)
{
	list_free(&trial->environment);
	list_free(&trial->plain);
}
