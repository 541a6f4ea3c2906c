/*
 * Measuring; see measure.h.
 */
#include "measure.h"

#include "alloc.h"
#include "buffer.h"
#include "err.h"
#include "process.h"
#include "trial.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define IMAGE_RUNS 20
#define PYTHON_RUNS 3
#define COMMAND_RUNS 5
#define COMMAND_WAIT 600000	/* ms for a run of the command */
#define COMMAND_MAX 100000	/* bytes of -c; the kernel takes 131072 */

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

	if (run_timed(argv, envp, TRIAL_WAIT, micro, &status, err))
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
static char *make_command(const struct measure_imports *imports)
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
		       const struct measure_imports *imports, struct list *out)
{
	char *command = make_command(imports);

	list_add(out, trial->python);
	for (size_t i = 0; i < options->count; i++)
		list_add(out, options->items[i]);
	list_add(out, "-c");
	list_add(out, command);
	free(command);
}

int measure_start(const struct trial *trial, const struct list *options,
		  const struct measure_imports *imports, struct measure_times *times,
		  struct err *err)
{
	double image[IMAGE_RUNS], python[PYTHON_RUNS];
	struct list plain = {0}, restored = {0}, environment = {0};
	size_t plain_runs = 0;
	int result = 0;

	make_plain(trial, options, imports, &plain);
	trial_command(trial, NULL, &restored, &environment);
	for (size_t i = 0; !result && i < IMAGE_RUNS; i++) {
		result = run_well(restored.items, environment.items, &image[i], err);
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
	list_free(&restored);
	list_free(&environment);
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

int measure_command(const struct trial *trial, const struct list *plain,
		    const struct list *arguments, struct measure_times *times,
		    struct err *err)
{
	double python[COMMAND_RUNS], image[COMMAND_RUNS];
	struct list command = {0}, environment = {0};
	int result;

	trial_command(trial, arguments, &command, &environment);
	result = measure_pairs(trial, plain, &command, &environment, python, image, err);
	if (!result) {
		times->command_python = median(python, COMMAND_RUNS);
		times->command_image = median(image, COMMAND_RUNS);
	}
	list_free(&environment);
	list_free(&command);
	return result;
}
