/*
 * The steps of a build; see build.h. Data goes down this file, no step back: look at
 * what is asked for, record, draft, dump, try, learn, name.
 */
#include "build.h"

#include "alloc.h"
#include "command.h"
#include "draft.h"
#include "dump.h"
#include "entry.h"
#include "environment.h"
#include "err.h"
#include "gather.h"
#include "image.h"
#include "progress.h"
#include "record.h"
#include "spec.h"
#include "temporary.h"
#include "tryout.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int check_warmups(const struct spec *spec, struct err *err)
{
	for (size_t i = 0; i < spec->warmups.count; i++) {
		const char *path = spec->warmups.items[i];
		struct stat status;

		if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
			errno = EISDIR;
		else if (access(path, R_OK) == 0)
			continue;
		return err_sys(err, "read the warm-up file %s", path);
	}
	return 0;
}

/* The command of --for, once for real: what it imports is what is frozen. */
static int record(struct spec *spec, struct dump *dump, struct list *warnings,
		  struct err *err)
{
	struct record record;
	int result;

	if (!spec->command.count)
		return 0;
	result = record_run(spec, &dump->interpreter, &dump->environment,
			    dump->progress, &record, err);
	for (size_t i = 0; i < record.modules.count; i++)
		list_add(&spec->recorded, record.modules.items[i]);
	for (size_t i = 0; i < record.patterns.count; i++)
		list_add(&spec->patterns, record.patterns.items[i]);
	if (!result && WEXITSTATUS(record.status))
		list_print(warnings,
			   "the command ended with status %d: the image holds what it "
			   "imported until then", WEXITSTATUS(record.status));
	record_free(&record);
	return result;
}

_Static_assert(BUILD_GUARD_KINDS == IMAGE_GUARD_MODULES + 1, "one for each kind");

/* Else the fallback would be the image itself, or python3 were given it to read. */
static int check_place(const struct dump *dump, struct err *err)
{
	const char *const used[] = {dump->interpreter.path, dump->spec->entry};
	struct stat ours, theirs;

	if (dump->spec->venv || stat(dump->output.path, &ours))
		return 0;
	for (size_t i = 0; i < sizeof(used) / sizeof(*used); i++)
		if (used[i] && *used[i] == '/' && stat(used[i], &theirs) == 0 &&
		    theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino)
			return err_set(err, ERR_REFUSED, "write %s: it is %s, which the "
				       "image needs; choose another name",
				       dump->output.path, used[i]);
	return 0;
}

/* An image without what a draft teaches is as right: a failure is a warning. There is
 * one unfinished file at a time. */
static int pack(struct dump *dump, struct gather *gather, struct build_result *result,
		struct err *err)
{
	struct err why = {0};

	output_free(&dump->output);
	if (draft_make(dump, gather, &result->warnings, &why)) {
		list_print(&result->warnings, "not packed: %s", why.text);
	} else {
		gather_size(gather, &result->packed, &result->packed_size);
		if (result->packed)
			dump->gather = gather->path;
		else
			list_print(&result->warnings, "not packed: no object was found that "
				   "can be (they have to come from pymalloc, on x86-64)");
	}
	err_clear(&why);
	return output_create(dump->spec->output, &dump->output, err);
}

static int try_out(struct dump *dump, struct build_result *result, struct err *err)
{
	const struct tryout tryout = {
		.spec = dump->spec,
		.python = dump->interpreter.path,
		.environment = &dump->environment,
		.plan = &dump->plan,
		.meta = &dump->meta,
		.output = &dump->output,
		.progress = dump->progress,
	};
	struct tryout_result found;
	int failed = tryout_run(&tryout, &found, err);

	result->hot_ranges = found.hot_ranges;
	result->hot_pages = found.hot_pages;
	result->times = found.times;
	for (size_t i = 0; i < found.warnings.count; i++)
		list_add(&result->warnings, found.warnings.items[i]);
	tryout_free(&found);
	return failed;
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) +
	       (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static void fill_result(const struct dump *dump, char *const *caller,
			struct build_result *result)
{
	variables_warn(&dump->variables, caller, &result->warnings);
	result->variables = dump->variables.guards;
	result->image = alloc_copy(dump->output.path);
	result->python = alloc_copy(dump->interpreter.path);
	result->version = alloc_copy(dump->target.report.version);
	result->modules = dump->target.report.count;
	result->file_size = dump->elfout.file_size;
	result->mapped = dump->plan.mapped;
	result->segments = dump->plan.count;
	for (size_t i = 0; i < dump->plan.count; i++)
		result->anonymous += dump->plan.segments[i].anonymous != 0;
	result->reserves = dump->plan.reserves.count;
	result->files = dump->descriptors.count;
	for (size_t i = 0; i < dump->target.report.needs.count; i++)
		list_add(&result->needs, dump->target.report.needs.items[i]);
	for (size_t i = 0; i < dump->target.warnings.count; i++)
		list_add(&result->warnings, dump->target.warnings.items[i]);
	for (size_t i = 0; i < dump->identity.count; i++)
		result->guards[dump->identity.guards[i].kind]++;
}

static int run(struct spec *spec, struct dump *dump, struct gather *gather,
	       struct build_result *result, struct err *err)
{
	if (command_find(spec, dump->environment.items, err) ||
	    check_warmups(spec, err) || entry_check(spec, err) || dump_open(dump, err) ||
	    check_place(dump, err) || record(spec, dump, &result->warnings, err))
		return -1;
	if (spec->pack && pack(dump, gather, result, err))
		return -1;
	if (dump_make(dump, err) || try_out(dump, result, err) ||
	    temporary_check(&dump->temporary, err) ||
	    identity_check(&dump->identity, err) || output_finish(&dump->output, err))
		return -1;
	return 0;
}

int build_make(struct spec *spec, char *const *environment,
	       struct progress *progress, struct build_result *result,
	       struct err *err)
{
	struct dump dump = {.spec = spec, .progress = progress, DUMP_NONE};
	struct gather gather = {.fd = -1};
	struct timespec start;
	int failed;

	clock_gettime(CLOCK_MONOTONIC, &start);
	*result = (struct build_result){0};
	environment_clean(environment, &spec->keep_env, &dump.environment);
	failed = run(spec, &dump, &gather, result, err);
	if (!failed)
		fill_result(&dump, environment, result);
	result->seconds = seconds_since(&start);
	dump_free(&dump);
	gather_free(&gather);
	progress_clear(progress);
	return failed;
}

void build_free(struct build_result *result)
{
	free(result->image);
	free(result->python);
	free(result->version);
	list_free(&result->needs);
	list_free(&result->warnings);
	*result = (struct build_result){0};
}
