/*
 * The steps of a build; see build.h. Data goes down this file, no step back:
 * freeze, save, plan, guards, write, try, learn, name.
 */
#include "build.h"

#include "alloc.h"
#include "command.h"
#include "control.h"
#include "descriptors.h"
#include "elfout.h"
#include "entry.h"
#include "environment.h"
#include "err.h"
#include "gather.h"
#include "identity.h"
#include "interpreter.h"
#include "machine.h"
#include "maps.h"
#include "memory.h"
#include "meta.h"
#include "openfile.h"
#include "output.h"
#include "path.h"
#include "plan.h"
#include "progress.h"
#include "record.h"
#include "spec.h"
#include "target.h"
#include "trial.h"
#include "tryout.h"
#include "temporary.h"
#include "variables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Everything that is open or allocated while a build runs. */
struct build {
	struct spec *spec;
	struct progress *progress;
	struct build_result *result;
	char *const *caller;	/* its environment */
	struct list environment;
	struct interpreter interpreter;
	const char *gather;	/* file in which hot objects are learned, or NULL */
	struct timespec start;
	struct output output;
	struct list temporary;	/* files that imports left */
	struct target target;
	struct descriptors descriptors;
	struct maps maps;
	struct memory_ranges zero;
	struct plan plan;
	struct identity identity;
	struct variables variables;
	char *content;		/* of all segments that are in the file */
	size_t content_size;
	char **contents;	/* for each segment where it begins, or NULL */
	struct meta meta;
	struct elfout elfout;
};

#define DRAFTS 1	/* images before the one that stays, with --pack */

/* --- freeze --- */

static int freeze(struct build *build, const char *trace, struct err *err)
{
	if (target_start(build->spec, &build->interpreter, &build->environment,
			 trace, trace ? NULL : build->gather, &build->target, err))
		return -1;
	return target_wait(&build->target, build->progress, err);
}

/* Which module did this? Builds once more up to that point; the answer goes behind
 * the error that is set. Takes `trace` over. */
static void find_culprit(struct build *build, char *trace, struct err *err)
{
	struct err found = {0};

	progress_show(build->progress, "finding out who did that");
	target_stop(&build->target);
	if (freeze(build, trace, &found) && found.status == ERR_REFUSED)
		err_add(err, "%s", found.text);
	err_clear(&found);
	free(trace);
}

static int check_descriptors(struct build *build, struct err *err)
{
	struct openfile_source source = {
		.pid = build->target.frozen.pid,
		.parent = build->target.host,
		.start = build->start,
		.unbuffered = &build->target.report.unbuffered,
	};

	if (!descriptors_read(&source, &build->descriptors, err))
		return 0;
	if (build->descriptors.culprit >= 0)
		find_culprit(build, alloc_print("trace=%d", build->descriptors.culprit), err);
	return -1;
}

static unsigned int protection_of(uint64_t prot)
{
	return (prot & PROT_READ ? MAPS_READ : 0u) | (prot & PROT_WRITE ? MAPS_WRITE : 0u) |
		(prot & PROT_EXEC ? MAPS_EXECUTE : 0u);
}

/* Mappings with words that are patched on each entry (ld.so's RELRO), and
 * closures that nobody will write to any more. */
static int set_protections(struct build *build, struct err *err)
{
	const struct frozen *frozen = &build->target.frozen;

	for (size_t i = 0; i < frozen->protect_count; i++) {
		uint64_t address = frozen->protects[i].address;
		struct mapping *mapping = maps_find(&build->maps, address);

		if (!mapping || !plan_keeps(mapping))
			return err_set(err, ERR_REFUSED,
				       "the host wants 0x%llx to change, which is no memory",
				       (unsigned long long)address);
		mapping->protection = protection_of(frozen->protects[i].protection);
	}
	return 0;
}

/* --- plan --- */

static int check_plan(const struct build *build, struct err *err)
{
	const struct frozen *frozen = &build->target.frozen;
	const struct plan_segment *entry = plan_find(&build->plan, frozen->entry);
	const struct plan_segment *handoff = plan_find(&build->plan, frozen->handoff);

	if (!entry || !(entry->protection & MAPS_EXECUTE) ||
	    !handoff || !(handoff->protection & MAPS_WRITE))
		return err_set(err, ERR_REFUSED,
			       "the host's entry point or handoff is not in its memory");
	for (size_t i = 0; i < frozen->patch_count; i++)
		if (!plan_find(&build->plan, frozen->patches[i].address))
			return err_set(err, ERR_REFUSED,
				       "the host patches 0x%llx, which is not in the image",
				       (unsigned long long)frozen->patches[i].address);
	return 0;
}

static int make_plan(struct build *build, const struct memory *memory, struct err *err)
{
	for (size_t i = 0; i < build->maps.count; i++) {
		const struct mapping *mapping = &build->maps.items[i];

		if (plan_keeps(mapping) && (mapping->protection & MAPS_WRITE) &&
		    !(mapping->flags & (MAPS_SHARED | MAPS_DEVICE)) &&
		    memory_find_zero(memory, mapping, &build->zero, err))
			return -1;
	}
	if (plan_build(&build->maps, &build->zero, &build->plan, err)) {
		if (build->plan.refused)
			find_culprit(build, alloc_print("trace_mapping=%llu",
				     (unsigned long long)build->plan.refused), err);
		return -1;
	}
	return check_plan(build, err);
}

/* --- save --- */

static int read_contents(struct build *build, const struct memory *memory,
			 struct err *err)
{
	const struct plan *plan = &build->plan;
	size_t at = 0;

	for (size_t i = 0; i < plan->count; i++)
		if (!plan->segments[i].anonymous)
			build->content_size += plan->segments[i].length;
	build->content = mmap(NULL, build->content_size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (build->content == MAP_FAILED) {
		build->content = NULL;
		return err_sys(err, "allocate %zu MB for the image", build->content_size >> 20);
	}
	build->contents = alloc_array(plan->count, sizeof(*build->contents));
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_segment *segment = &plan->segments[i];

		if (segment->anonymous)
			continue;
		build->contents[i] = build->content + at;
		if (memory_read(memory, segment->start, build->contents[i],
				segment->length, err))
			return -1;
		at += segment->length;
	}
	return 0;
}

/* All that needs the stopped process. */
static int save(struct build *build, struct err *err)
{
	const struct frozen *frozen = &build->target.frozen;
	struct memory memory;
	int result = -1;

	if (maps_read(frozen->pid, &build->maps, err) || set_protections(build, err))
		return -1;
	if (memory_open(frozen->pid, &memory, err))
		return -1;
	for (size_t i = 0; i < frozen->patch_count; i++)
		memory_patch(&memory, &frozen->patches[i]);
	progress_show(build->progress, "reading memory");
	if (!make_plan(build, &memory, err))
		result = read_contents(build, &memory, err);
	memory_close(&memory);
	return result;
}

/* --- guards --- */

/* An image in a folder that it guards would be stale as soon as it is there. */
static int check_folder(const struct build *build, struct err *err)
{
	char *folder = path_folder(build->output.path);
	struct stat ours, theirs;
	int result = 0;

	if (stat(folder, &ours))
		result = err_sys(err, "look at %s", folder);
	for (size_t i = 0; !result && i < build->identity.count; i++) {
		const struct identity_guard *guard = &build->identity.guards[i];

		if (guard->kind == IMAGE_GUARD_FOLDER && stat(guard->path, &theirs) == 0 &&
		    theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino)
			result = err_set(err, ERR_REFUSED,
					 "write %s: %s is on sys.path, so that the image would "
					 "make itself stale by lying there; choose another folder",
					 build->output.path, guard->path);
	}
	free(folder);
	return result;
}

static int make_identity(struct build *build, struct err *err)
{
	struct identity_source source = {
		.report = &build->target.report,
		.maps = &build->maps,
		.python = build->interpreter.path,
		.host = build->interpreter.host,
		.freshness = build->spec->freshness,
		.start = build->start,
		.dpkg = IDENTITY_DPKG,
		.environment = build->environment.items,
	};

	progress_show(build->progress, "making guards");
	if (identity_make(&source, &build->identity, err) ||
	    variables_make(&build->target.report, build->spec, build->environment.items,
			   &build->variables, err))
		return -1;
	return check_folder(build, err);
}

/* --- write --- */

/* As the host reports them, but for what pydump decided. */
static void report_variables(const struct variables *variables, struct list *out)
{
	if (variables->whole)
		list_print(out, "variable=%c-s *", variables->whole_guard ? 'g' : '-');
	if (variables->whole)
		list_print(out, "reader=%s", variables->whole);
	for (size_t i = 0; i < variables->count; i++) {
		const struct variable *variable = &variables->items[i];

		list_print(out, "variable=%c%c%c %s", variable->guard ? 'g' : '-',
			   variable->language ? '-' : 'e', variable->was_set ? 's' : '-',
			   variable->name);
		list_print(out, "reader=%s", variable->reader ? variable->reader : "");
	}
}

/* CPython has such objects from 3.12 on (PEP 683); host/versions/counts.c has the
 * reason against those of 3.14. */
static int has_immortal(const struct spec *spec, const struct report *report)
{
	return !spec->no_immortal && report->hexversion >= 0x030c0000 &&
	       report->hexversion < 0x030e0000;
}

/* What `pydump info` shows besides the format's own fields. */
static void make_report(const struct build *build, struct list *out)
{
	const struct report *report = &build->target.report;
	const struct spec *spec = build->spec;

	list_add(out, "pydump=" VERSION);
	list_print(out, "version=%s", report->version);
	list_print(out, "executable=%s", report->executable ? report->executable : "");
	list_print(out, "prefix=%s", report->prefix ? report->prefix : "");
	list_print(out, "freshness=%s", spec_freshness_name(spec->freshness));
	list_print(out, "io=%s", spec_io_name(spec->io));
	list_print(out, "immortal=%s", has_immortal(spec, report) ? "yes" : "no");
	for (size_t i = 0; i < spec->options.count; i++)
		list_print(out, "option=%s", spec->options.items[i]);
	if (spec->entry)
		list_print(out, "entry=%s", spec->entry);
	for (size_t i = 0; i < spec->command.count; i++)
		list_print(out, "command=%s", spec->command.items[i]);
	for (size_t i = 0; i < spec->entry_words.count; i++)
		list_print(out, "entry_word=%s", spec->entry_words.items[i]);
	for (size_t i = 0; i < spec->imports.count; i++)
		list_print(out, "import=%s", spec->imports.items[i]);
	for (size_t i = 0; i < spec->warmups.count; i++)
		list_print(out, "warmup=%s", spec->warmups.items[i]);
	for (size_t i = 0; i < report->count; i++)
		list_print(out, "module=%s", report->modules[i].name);
	report_variables(&build->variables, out);
}

static int make_meta(struct build *build, struct err *err)
{
	const struct report *report = &build->target.report;
	struct list lines = {0};
	struct image_cpu cpu;
	struct meta_source source = {
		.python = build->interpreter.path,
		.options = &build->spec->options,
		.entry_words = &build->spec->entry_words,
		.entry = build->target.frozen.entry,
		.handoff = build->target.frozen.handoff,
		.mapped = build->plan.mapped,
		.python_hex = report->hexversion,
		.locale = report->locale,
		.user_site = report->user_site_suffix,
		.timezone = report->timezone,
		.identity = &build->identity,
		.variables = &build->variables,
		.descriptors = &build->descriptors,
		.reserves = &build->plan.reserves,
		.cpu = &cpu,
		.report = &lines,
	};
	int result;

	machine_read(&cpu);
	if (report->locale_by_lc_all)
		source.flags |= IMAGE_LOCALE_BY_LC_ALL;
	if (report->user_site) {
		source.flags |= IMAGE_USER_SITE_USED;
		source.user_site = report->user_site;
	}
	make_report(build, &lines);
	result = meta_build(&source, &build->meta, err);
	list_free(&lines);
	return result;
}

static int write_image(struct build *build, struct err *err)
{
	int memory_file = -1;
	int result = -1;

	if (make_meta(build, err))
		return -1;
	build->elfout = (struct elfout){
		.meta = &build->meta,
		.plan = &build->plan,
		.entry = build->target.frozen.entry,
		.handoff = build->target.frozen.handoff,
	};
	elfout_lay_out(&build->elfout);
	progress_show(build->progress, "writing %llu MB",
		      (unsigned long long)build->elfout.file_size >> 20);
	if (output_check_room(&build->output, build->elfout.file_size, err))
		return -1;
	/* libelf writes in small pieces, which would make small folios */
	memory_file = memfd_create("image", MFD_CLOEXEC);
	if (memory_file < 0)
		return err_sys(err, "make a memory file");
	if (!elfout_write(&build->elfout, build->contents, memory_file, err))
		result = output_copy(&build->output, memory_file,
				     build->elfout.file_size, err);
	close(memory_file);
	return result;
}

/* --- try --- */

static int try_out(struct build *build, struct err *err)
{
	const struct tryout tryout = {
		.spec = build->spec,
		.python = build->interpreter.path,
		.environment = &build->environment,
		.plan = &build->plan,
		.meta = &build->meta,
		.output = &build->output,
		.progress = build->progress,
	};
	struct build_result *result = build->result;
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

/* --- result --- */

static void fill_result(struct build *build)
{
	struct build_result *result = build->result;
	struct timespec now;

	variables_warn(&build->variables, build->caller, &result->warnings);
	result->variables = build->variables.guards;
	result->image = alloc_copy(build->output.path);
	result->python = alloc_copy(build->interpreter.path);
	result->version = alloc_copy(build->target.report.version);
	result->modules = build->target.report.count;
	result->file_size = build->elfout.file_size;
	result->mapped = build->plan.mapped;
	result->segments = build->plan.count;
	for (size_t i = 0; i < build->plan.count; i++)
		result->anonymous += build->plan.segments[i].anonymous != 0;
	result->reserves = build->plan.reserves.count;
	result->files = build->descriptors.count;
	for (size_t i = 0; i < build->target.warnings.count; i++)
		list_add(&result->warnings, build->target.warnings.items[i]);
	for (size_t i = 0; i < build->identity.count; i++)
		result->guards[build->identity.guards[i].kind]++;
	clock_gettime(CLOCK_REALTIME, &now);
	result->seconds = (double)(now.tv_sec - build->start.tv_sec) +
			  (double)(now.tv_nsec - build->start.tv_nsec) / 1e9;
}

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
static int record(struct build *build, struct err *err)
{
	struct spec *spec = build->spec;
	struct record record;
	int result;

	if (!spec->command.count)
		return 0;
	result = record_run(spec, &build->interpreter, &build->environment,
			    build->progress, &record, err);
	for (size_t i = 0; i < record.modules.count; i++)
		list_add(&spec->recorded, record.modules.items[i]);
	if (!result && WEXITSTATUS(record.status))
		list_print(&build->result->warnings,
			   "the command ended with status %d: the image holds what it "
			   "imported until then", WEXITSTATUS(record.status));
	record_free(&record);
	return result;
}

_Static_assert(BUILD_GUARD_KINDS == IMAGE_GUARD_MODULES + 1, "one for each kind");

/* Else the fallback would be the image itself, or python3 were given it to read. */
static int check_place(const struct build *build, struct err *err)
{
	const char *const used[] = {build->interpreter.path, build->spec->entry};
	struct stat ours, theirs;

	if (build->spec->venv || stat(build->output.path, &ours))
		return 0;
	for (size_t i = 0; i < sizeof(used) / sizeof(*used); i++)
		if (used[i] && *used[i] == '/' && stat(used[i], &theirs) == 0 &&
		    theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino)
			return err_set(err, ERR_REFUSED, "write %s: it is %s, which the "
				       "image needs; choose another name",
				       build->output.path, used[i]);
	return 0;
}

/* From the workload to a file that holds the image. */
static int dump(struct build *build, struct err *err)
{
	clock_gettime(CLOCK_REALTIME, &build->start);
	if (freeze(build, NULL, err) || check_descriptors(build, err) ||
	    save(build, err))
		return -1;
	temporary_find(&build->target.report.temporary, &build->temporary);
	target_end(&build->target);
	return make_identity(build, err) || write_image(build, err) ? -1 : 0;
}

static void release(struct build *build)
{
	target_stop(&build->target);
	output_free(&build->output);
	meta_free(&build->meta);
	identity_free(&build->identity);
	variables_free(&build->variables);
	plan_free(&build->plan);
	maps_free(&build->maps);
	descriptors_free(&build->descriptors);
	interpreter_free(&build->interpreter);
	list_free(&build->environment);
	list_free(&build->temporary);
	free(build->zero.items);
	free(build->contents);
	if (build->content)
		munmap(build->content, build->content_size);
}

/* --- drafts --- */

/* One that does not come to python3's own end shows nothing. */
static void watch_program(struct build *build, struct gather *gather, struct trial *trial,
			  const struct list *arguments, const char *name)
{
	struct err err = {0};

	if (!gather_watch(gather, trial, &build->plan, arguments, 1, &err))
		return;
	list_print(&build->result->warnings, "packed without what %s writes: %s", name,
		   err.text);
	err_clear(&err);
}

/* A warm-up file shows what the image is for as the command does. */
static void watch_programs(struct build *build, struct gather *gather, struct trial *trial)
{
	const struct spec *spec = build->spec;
	struct list arguments = {0};

	trial->as_python = 1;
	for (size_t i = 0; i < spec->warmups.count; i++) {
		struct list file = {0};

		list_add(&file, spec->warmups.items[i]);
		watch_program(build, gather, trial, &file, file.items[0]);
		list_free(&file);
	}
	trial->as_python = 0;
	for (size_t i = 1; i < spec->command.count; i++)
		list_add(&arguments, spec->command.items[i]);
	if (spec->measure)
		watch_program(build, gather, trial, &arguments, "the command");
	list_free(&arguments);
}

static int watch_draft(struct build *build, struct gather *gather, struct err *err)
{
	struct trial trial;
	int failed;

	trial_init(&trial, build->output.temporary, build->interpreter.path,
		   &build->environment);
	progress_show(build->progress, "watching which objects are written");
	failed = gather_watch(gather, &trial, &build->plan, NULL, 0, err);
	if (!failed)
		watch_programs(build, gather, &trial);
	trial_free(&trial);
	return failed;
}

/* An image that is only there to be watched. */
static int draft(const struct build *final, struct gather *gather, struct err *err)
{
	struct build_result result = {0};
	struct build build = {
		.spec = final->spec, .progress = final->progress, .result = &result,
		.caller = final->caller,
		.output = {.fd = -1}, .target = {.socket = -1},
	};
	int failed;

	if (gather_begin(gather, err))
		return -1;
	build.gather = gather->path;
	environment_clean(final->caller, &final->spec->keep_env, &build.environment);
	failed = output_create(final->spec->output, &build.output, err) ||
		interpreter_find(final->spec->python, build.environment.items,
				 &build.interpreter, err);
	if (!failed && final->spec->venv)
		build.interpreter.name = alloc_copy(build.output.path);
	failed = failed || dump(&build, err) || watch_draft(&build, gather, err) ||
		temporary_check(&build.temporary, err);
	for (size_t i = 0; i < result.warnings.count; i++)
		list_add(&final->result->warnings, result.warnings.items[i]);
	release(&build);
	build_free(&result);
	return failed ? -1 : 0;
}

/* An image without what they teach is as right: a failure is a warning. There is one
 * unfinished file at a time. */
static int make_drafts(struct build *build, struct gather *gather, struct err *err)
{
	struct err why = {0};

	output_free(&build->output);
	for (int i = 0; i < DRAFTS && !why.status; i++)
		draft(build, gather, &why);
	if (!why.status)
		gather_begin(gather, &why);
	if (!why.status) {
		build->gather = gather->path;
		gather_size(gather, &build->result->packed, &build->result->packed_size);
	} else {
		list_print(&build->result->warnings, "not packed: %s", why.text);
	}
	err_clear(&why);
	return output_create(build->spec->output, &build->output, err);
}

static int run(struct build *build, struct gather *gather, struct err *err)
{
	struct spec *spec = build->spec;

	if (command_find(spec, build->environment.items, err) ||
	    check_warmups(spec, err) || entry_check(spec, err) ||
	    output_create(spec->output, &build->output, err) ||
	    interpreter_find(spec->python, build->environment.items,
			     &build->interpreter, err) ||
	    check_place(build, err) || record(build, err))
		return -1;
	if (spec->venv)
		build->interpreter.name = alloc_copy(build->output.path);
	if (spec->pack && make_drafts(build, gather, err))
		return -1;
	if (dump(build, err) ||
	    try_out(build, err) || temporary_check(&build->temporary, err) ||
	    identity_check(&build->identity, err))
		return -1;
	if (output_finish(&build->output, err))
		return -1;
	fill_result(build);
	return 0;
}

int build_make(struct spec *spec, char *const *environment,
	       struct progress *progress, struct build_result *result,
	       struct err *err)
{
	struct build build = {
		.spec = spec, .progress = progress, .result = result,
		.caller = environment,
		.output = {.fd = -1}, .target = {.socket = -1},
	};
	struct gather gather = {.fd = -1};
	int failed;

	*result = (struct build_result){0};
	environment_clean(environment, &spec->keep_env, &build.environment);
	failed = run(&build, &gather, err);
	release(&build);
	gather_free(&gather);
	progress_clear(progress);
	return failed;
}

void build_free(struct build_result *result)
{
	free(result->image);
	free(result->python);
	free(result->version);
	list_free(&result->warnings);
	*result = (struct build_result){0};
}
