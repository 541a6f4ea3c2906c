/*
 * Trying an image out; see tryout.h.
 */
#include "tryout.h"

#include "err.h"
#include "image.h"
#include "memory.h"
#include "meta.h"
#include "output.h"
#include "progress.h"
#include "record.h"
#include "spec.h"
#include "trial.h"

#include <stddef.h>
#include <stdlib.h>

/* A command that may be repeated shows which pages it writes; one that does not
 * come to python3's own end, or not in time, does not. */
static int find_hot(const struct tryout *tryout, const struct trial *trial,
		    const struct list *arguments, struct memory_ranges *hot,
		    struct err *err)
{
	if (arguments && !trial_learn(trial, tryout->plan, arguments, hot, err))
		return 0;
	err_clear(err);
	return trial_learn(trial, tryout->plan, NULL, hot, err);
}

static int learn(const struct tryout *tryout, const struct trial *trial,
		 const struct list *arguments, struct tryout_result *result,
		 struct err *err)
{
	struct memory_ranges hot = {0};
	uint32_t count;
	int failed = find_hot(tryout, trial, arguments, &hot, err);

	count = (uint32_t)hot.count;
	result->hot_ranges = hot.count;
	for (size_t i = 0; i < hot.count; i++)
		result->hot_pages += hot.items[i].length / IMAGE_PAGE;
	if (!failed && count)
		failed = output_patch(tryout->output, hot.items, count * sizeof(*hot.items),
				      tryout->meta->hot, err);
	if (!failed && count)
		failed = output_patch(tryout->output, &count, sizeof(count),
				      tryout->meta->header +
				      offsetof(struct image_header, hot.count), err);
	free(hot.items);
	return failed;
}

/* The image is good, whatever keeps python3 from importing the same here. */
static void time_start(const struct tryout *tryout, const struct trial *trial,
		       struct tryout_result *result, struct err *err)
{
	const struct spec *spec = tryout->spec;
	struct measure_imports imports = {&spec->imports, &spec->recorded};

	progress_show(tryout->progress, "measuring");
	if (measure_start(trial, &spec->options, &imports, &result->times, err)) {
		err_clear(err);
		result->times = (struct measure_times){0};
	}
}

static void time_command(const struct tryout *tryout, const struct trial *trial,
			 const struct list *arguments, struct tryout_result *result,
			 struct err *err)
{
	struct list plain = {0};

	progress_show(tryout->progress, "measuring the command");
	record_command(tryout->spec, tryout->python, &plain);
	if (measure_command(trial, &plain, arguments, &result->times, err)) {
		list_print(&result->warnings, "not measured: %s", err->text);
		err_clear(err);
	}
	list_free(&plain);
}

static int run(const struct tryout *tryout, const struct trial *trial,
	       const struct list *arguments, struct tryout_result *result, struct err *err)
{
	const struct spec *spec = tryout->spec;

	progress_show(tryout->progress, "trying it");
	if (trial_run(trial, err))
		return -1;
	progress_show(tryout->progress, "learning the hot pages");
	if (learn(tryout, trial, spec->measure ? arguments : NULL, result, err))
		return -1;
	if (!spec->quiet)
		time_start(tryout, trial, result, err);
	if (spec->measure)
		time_command(tryout, trial, arguments, result, err);
	return 0;
}

int tryout_run(const struct tryout *tryout, struct tryout_result *result, struct err *err)
{
	const struct list *command = &tryout->spec->command;
	struct list arguments = {0};
	struct trial trial;
	int failed;

	*result = (struct tryout_result){0};
	for (size_t i = 1; i < command->count; i++)
		list_add(&arguments, command->items[i]);
	trial_init(&trial, tryout->output->temporary, tryout->python, tryout->environment);
	failed = run(tryout, &trial, &arguments, result, err);
	trial_free(&trial);
	list_free(&arguments);
	return failed;
}

void tryout_free(struct tryout_result *result)
{
	list_free(&result->warnings);
	*result = (struct tryout_result){0};
}
