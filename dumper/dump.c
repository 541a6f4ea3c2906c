/*
 * The steps of a dump; see dump.h. Data goes down this file, no step back: freeze,
 * save, plan, guards, write.
 */
#include "dump.h"

#include "alloc.h"
#include "control.h"
#include "describe.h"
#include "elfdebug.h"
#include "err.h"
#include "image.h"
#include "machine.h"
#include "openfile.h"
#include "path.h"
#include "progress.h"
#include "spec.h"
#include "temporary.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int dump_open(struct dump *dump, struct err *err)
{
	if (output_create(dump->spec->output, &dump->output, err) ||
	    interpreter_find(dump->spec->python, dump->environment.items,
			     &dump->interpreter, err))
		return -1;
	return 0;
}

/* --- freeze --- */

static int freeze(struct dump *dump, const char *trace, struct err *err)
{
	if (target_start(dump->spec, &dump->interpreter, &dump->environment,
			 trace, trace ? NULL : dump->gather, &dump->target, err))
		return -1;
	return target_wait(&dump->target, dump->progress, err);
}

/* Which module did this? Builds once more up to that point; the answer goes behind
 * the error that is set. Takes `trace` over. */
static void find_culprit(struct dump *dump, char *trace, struct err *err)
{
	struct err found = {0};

	progress_show(dump->progress, "finding out who did that");
	target_stop(&dump->target);
	if (freeze(dump, trace, &found) && found.status == ERR_REFUSED)
		err_add(err, "%s", found.text);
	err_clear(&found);
	free(trace);
}

static int check_descriptors(struct dump *dump, struct err *err)
{
	struct openfile_source source = {
		.pid = dump->target.frozen.pid,
		.parent = dump->target.host,
		.start = dump->start,
		.unbuffered = &dump->target.report.unbuffered,
	};

	if (!descriptors_read(&source, &dump->descriptors, err))
		return 0;
	if (dump->descriptors.culprit >= 0)
		find_culprit(dump, alloc_print("trace=%d", dump->descriptors.culprit), err);
	return -1;
}

static unsigned int protection_of(uint64_t prot)
{
	return (prot & PROT_READ ? MAPS_READ : 0u) | (prot & PROT_WRITE ? MAPS_WRITE : 0u) |
		(prot & PROT_EXEC ? MAPS_EXECUTE : 0u);
}

/* Mappings with words that are patched on each entry (ld.so's RELRO), and
 * closures that nobody will write to any more. */
static int set_protections(struct dump *dump, struct err *err)
{
	const struct frozen *frozen = &dump->target.frozen;

	for (size_t i = 0; i < frozen->protect_count; i++) {
		uint64_t address = frozen->protects[i].address;
		struct mapping *mapping = maps_find(&dump->maps, address);

		if (!mapping || !plan_keeps(mapping))
			return err_set(err, ERR_REFUSED,
				       "the host wants 0x%llx to change, which is no memory",
				       (unsigned long long)address);
		mapping->protection = protection_of(frozen->protects[i].protection);
	}
	return 0;
}

/* --- plan --- */

static int check_plan(const struct dump *dump, struct err *err)
{
	const struct frozen *frozen = &dump->target.frozen;
	const struct plan_segment *entry = plan_find(&dump->plan, frozen->entry);
	const struct plan_segment *handoff = plan_find(&dump->plan, frozen->handoff);

	if (!entry || !(entry->protection & MAPS_EXECUTE) ||
	    !handoff || !(handoff->protection & MAPS_WRITE))
		return err_set(err, ERR_REFUSED,
			       "the host's entry point or handoff is not in its memory");
	for (size_t i = 0; i < frozen->patch_count; i++)
		if (!plan_find(&dump->plan, frozen->patches[i].address))
			return err_set(err, ERR_REFUSED,
				       "the host patches 0x%llx, which is not in the image",
				       (unsigned long long)frozen->patches[i].address);
	return 0;
}

static int make_plan(struct dump *dump, const struct memory *memory, struct err *err)
{
	for (size_t i = 0; i < dump->maps.count; i++) {
		const struct mapping *mapping = &dump->maps.items[i];

		if (plan_keeps(mapping) && (mapping->protection & MAPS_WRITE) &&
		    !(mapping->flags & (MAPS_SHARED | MAPS_DEVICE)) &&
		    memory_find_zero(memory, mapping, &dump->zero, err))
			return -1;
	}
	if (plan_build(&dump->maps, &dump->zero, &dump->plan, err)) {
		if (dump->plan.refused)
			find_culprit(dump, alloc_print("trace_mapping=%llu",
				     (unsigned long long)dump->plan.refused), err);
		return -1;
	}
	return check_plan(dump, err);
}

/* --- save --- */

static int read_contents(struct dump *dump, const struct memory *memory,
			 struct err *err)
{
	const struct plan *plan = &dump->plan;
	size_t at = 0;

	for (size_t i = 0; i < plan->count; i++)
		if (!plan->segments[i].anonymous)
			dump->content_size += plan->segments[i].length;
	dump->content = mmap(NULL, dump->content_size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (dump->content == MAP_FAILED) {
		dump->content = NULL;
		return err_sys(err, "allocate %zu MB for the image", dump->content_size >> 20);
	}
	dump->contents = alloc_array(plan->count, sizeof(*dump->contents));
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_segment *segment = &plan->segments[i];

		if (segment->anonymous)
			continue;
		dump->contents[i] = dump->content + at;
		if (memory_read(memory, segment->start, dump->contents[i],
				segment->length, err))
			return -1;
		at += segment->length;
	}
	return 0;
}

/* All that needs the stopped process. */
static int save(struct dump *dump, struct err *err)
{
	const struct frozen *frozen = &dump->target.frozen;
	struct memory memory;
	int result = -1;

	if (maps_read(frozen->pid, &dump->maps, err) || set_protections(dump, err))
		return -1;
	if (memory_open(frozen->pid, &memory, err))
		return -1;
	for (size_t i = 0; i < frozen->patch_count; i++)
		memory_patch(&memory, &frozen->patches[i]);
	progress_show(dump->progress, "reading memory");
	if (!make_plan(dump, &memory, err))
		result = read_contents(dump, &memory, err);
	memory_close(&memory);
	return result;
}

/* --- guards --- */

/* An image in a folder that it guards would be stale as soon as it is there. */
static int check_folder(const struct dump *dump, struct err *err)
{
	char *folder = path_folder(dump->output.path);
	struct stat ours, theirs;
	int result = 0;

	if (stat(folder, &ours))
		result = err_sys(err, "look at %s", folder);
	for (size_t i = 0; !result && i < dump->identity.count; i++) {
		const struct identity_guard *guard = &dump->identity.guards[i];

		if (guard->kind == IMAGE_GUARD_FOLDER && stat(guard->path, &theirs) == 0 &&
		    theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino)
			result = err_set(err, ERR_REFUSED,
					 "write %s: %s is on sys.path, so that the image would "
					 "make itself stale by lying there; choose another folder",
					 dump->output.path, guard->path);
	}
	free(folder);
	return result;
}

static int make_identity(struct dump *dump, struct err *err)
{
	struct identity_source source = {
		.report = &dump->target.report,
		.maps = &dump->maps,
		.python = dump->interpreter.path,
		.host = dump->interpreter.host,
		.freshness = dump->spec->freshness,
		.start = dump->start,
		.dpkg = IDENTITY_DPKG,
		.environment = dump->environment.items,
	};

	progress_show(dump->progress, "making guards");
	if (identity_make(&source, &dump->identity, err) ||
	    variables_make(&dump->target.report, dump->spec, dump->environment.items,
			   &dump->variables, err))
		return -1;
	return check_folder(dump, err);
}

/* --- write --- */

static int make_meta(struct dump *dump, struct err *err)
{
	const struct report *report = &dump->target.report;
	struct list lines = {0};
	struct image_cpu cpu;
	struct meta_source source = {
		.python = dump->interpreter.path,
		.options = &dump->spec->options,
		.entry_words = &dump->spec->entry_words,
		.entry = dump->target.frozen.entry,
		.handoff = dump->target.frozen.handoff,
		.mapped = dump->plan.mapped,
		.python_hex = report->hexversion,
		.locale = report->locale,
		.user_site = report->user_site_suffix,
		.timezone = report->timezone,
		.identity = &dump->identity,
		.variables = &dump->variables,
		.descriptors = &dump->descriptors,
		.reserves = &dump->plan.reserves,
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
	describe(dump->spec, report, &dump->variables, &lines);
	result = meta_build(&source, &dump->meta, err);
	list_free(&lines);
	return result;
}

static int write_image(struct dump *dump, struct err *err)
{
	struct elfdebug debug;
	int memory_file = -1;
	int result = -1;

	if (make_meta(dump, err))
		return -1;
	elfdebug_find(&dump->maps, &debug);
	dump->elfout = (struct elfout){
		.meta = &dump->meta,
		.plan = &dump->plan,
		.entry = dump->target.frozen.entry,
		.handoff = dump->target.frozen.handoff,
		.debug = &debug,
	};
	elfout_lay_out(&dump->elfout);
	progress_show(dump->progress, "writing %llu MB",
		      (unsigned long long)dump->elfout.file_size >> 20);
	if (output_check_room(&dump->output, dump->elfout.file_size, err))
		return -1;
	/* libelf writes in small pieces, which would make small folios */
	memory_file = memfd_create("image", MFD_CLOEXEC);
	if (memory_file < 0)
		return err_sys(err, "make a memory file");
	if (!elfout_write(&dump->elfout, dump->contents, memory_file, err))
		result = output_copy(&dump->output, memory_file,
				     dump->elfout.file_size, err);
	close(memory_file);
	return result;
}

int dump_make(struct dump *dump, struct err *err)
{
	if (dump->spec->venv)
		dump->interpreter.name = alloc_copy(dump->output.path);
	clock_gettime(CLOCK_REALTIME, &dump->start);
	if (freeze(dump, NULL, err) || check_descriptors(dump, err) ||
	    save(dump, err))
		return -1;
	temporary_find(&dump->target.report.temporary, &dump->temporary);
	target_end(&dump->target);
	return make_identity(dump, err) || write_image(dump, err) ? -1 : 0;
}

void dump_free(struct dump *dump)
{
	target_stop(&dump->target);
	output_free(&dump->output);
	meta_free(&dump->meta);
	identity_free(&dump->identity);
	variables_free(&dump->variables);
	plan_free(&dump->plan);
	maps_free(&dump->maps);
	descriptors_free(&dump->descriptors);
	interpreter_free(&dump->interpreter);
	list_free(&dump->environment);
	list_free(&dump->temporary);
	free(dump->zero.items);
	free(dump->contents);
	if (dump->content)
		munmap(dump->content, dump->content_size);
}
