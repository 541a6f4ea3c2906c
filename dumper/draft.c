/*
 * Drafts; see draft.h.
 */
#include "draft.h"

#include "dump.h"
#include "err.h"
#include "gather.h"
#include "list.h"
#include "progress.h"
#include "spec.h"
#include "temporary.h"
#include "trial.h"

#include <stddef.h>

/* What is watched: programs of this image. */
struct draft {
	const struct dump *dump;
	struct gather *gather;
	struct trial trial;
	struct list *warnings;
};

/* One that does not come to python3's own end shows nothing. */
static void watch_program(struct draft *draft, const struct list *arguments,
			  const char *name)
{
	struct err err = {0};

	if (!gather_watch(draft->gather, &draft->trial, &draft->dump->plan, arguments, 1,
			  &err))
		return;
	list_print(draft->warnings, "packed without what %s writes: %s", name, err.text);
	err_clear(&err);
}

/* A warm-up file shows what the image is for as the command does. */
static void watch_programs(struct draft *draft)
{
	const struct spec *spec = draft->dump->spec;
	struct list arguments = {0};

	draft->trial.as_python = 1;
	for (size_t i = 0; i < spec->warmups.count; i++) {
		struct list file = {0};

		list_add(&file, spec->warmups.items[i]);
		watch_program(draft, &file, file.items[0]);
		list_free(&file);
	}
	draft->trial.as_python = 0;
	for (size_t i = 1; i < spec->command.count; i++)
		list_add(&arguments, spec->command.items[i]);
	if (spec->measure)
		watch_program(draft, &arguments, "the command");
	list_free(&arguments);
}

static int watch(const struct dump *dump, struct gather *gather, struct list *warnings,
		 struct err *err)
{
	struct draft draft = {.dump = dump, .gather = gather, .warnings = warnings};
	int failed;

	trial_init(&draft.trial, dump->output.temporary, dump->interpreter.path,
		   &dump->environment);
	progress_show(dump->progress, "watching which objects are written");
	failed = gather_watch(gather, &draft.trial, &dump->plan, NULL, 0, err);
	if (!failed)
		watch_programs(&draft);
	trial_free(&draft.trial);
	return failed;
}

int draft_make(const struct dump *final, struct gather *gather, struct list *warnings,
	       struct err *err)
{
	struct dump dump = {.spec = final->spec, .progress = final->progress, DUMP_NONE};
	int failed = gather_begin(gather, err);

	/* pages that the command's start writes are copied in one go where they are few
	 * ranges (restorer/repair.c) */
	gather->astride = !final->spec->measure;
	for (size_t i = 0; i < final->environment.count; i++)
		list_add(&dump.environment, final->environment.items[i]);
	dump.gather = gather->path;
	failed = failed || dump_open(&dump, err) || dump_make(&dump, err) ||
		watch(&dump, gather, warnings, err) ||
		temporary_check(&dump.temporary, err) || gather_begin(gather, err);
	dump_free(&dump);
	return failed ? -1 : 0;
}
