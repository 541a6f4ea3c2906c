/*
 * The host: a shared object that pydump preloads into the user's interpreter.
 * It takes over in __libc_start_main, which every executable imports from
 * libc, starts CPython as its own main would have, and leads it to the freeze.
 * In any other process it does nothing.
 */
#include "answers.h"
#include "arena.h"
#include "arguments.h"
#include "asked.h"
#include "asked_files.h"
#include "attributes.h"
#include "callbacks.h"
#include "collector.h"
#include "cpython.h"
#include "control.h"
#include "counts.h"
#include "entry.h"
#include "environment.h"
#include "fini.h"
#include "finish.h"
#include "freeze.h"
#include "gather.h"
#include "gc_view.h"
#include "heap_view.h"
#include "hooks.h"
#include "imports.h"
#include "libc_state.h"
#include "low_descriptors.h"
#include "main_file.h"
#include "opened.h"
#include "options.h"
#include "path0.h"
#include "path_looks.h"
#include "patterns.h"
#include "pyimage.h"
#include "policy.h"
#include "quiesce.h"
#include "reads.h"
#include "reads_os.h"
#include "readline.h"
#include "record.h"
#include "recorded.h"
#include "rehearse.h"
#include "report.h"
#include "resume.h"
#include "start.h"
#include "streams.h"
#include "talk.h"
#include "threads.h"
#include "trace.h"
#include "watch.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* pydump raised the limit to move the mmap area. glibc took its default stack
 * size of new threads from it at the start: 2 MiB, where it is unlimited. */
static void restore_stack_limit(const struct talk_spec *spec)
{
	struct rlimit limit = { spec->stack_soft, spec->stack_hard };
	pthread_attr_t attributes;

	if (!spec->stack_soft)
		return;
	if (setrlimit(RLIMIT_STACK, &limit))
		talk_refuse("set the stack limit back to %llu: %m", spec->stack_soft);
	if (limit.rlim_cur == RLIM_INFINITY || pthread_attr_init(&attributes))
		return;
	if (pthread_attr_setstacksize(&attributes, limit.rlim_cur) == 0)
		pthread_setattr_default_np(&attributes);
	pthread_attr_destroy(&attributes);
}

static void load(const struct talk_spec *spec)
{
	entry_begin(spec->argv0);
	recorded_import(spec->recorded);
	for (char **name = spec->imports; *name; name++) {
		talk_progress("importing %s", *name);
		imports_module(*name);
	}
	patterns_compile(spec->patterns);
	for (char **file = spec->warmups; *file; file++) {
		talk_progress("warming up with %s", *file);
		imports_warm_up(*file);
	}
	main_file_prepare();
	entry_prepare();
}

static void prepare(const char *program, const struct talk_spec *spec)
{
	talk_progress("preparing");
	hooks_before();
	fini_prepare();
	streams_prepare();
	environment_prepare();
	options_prepare();
	resume_prepare(program, spec);
	finish_prepare();
	quiesce_collect();	/* a rehearsal finalises what is not frozen */
	rehearse(30);
}

static int host_main(int argc, char **argv, char **envp)
{
	struct collector_pause pause;
	struct talk_spec spec;
	int immortal;

	talk_read_spec(&spec);
	if (spec.record) {
		reads_end();
		fini_leave();
		return record_run(argc, argv, spec.unset);
	}
	threads_watch();
	libc_state_keep(argv, envp);
	environment_keep(spec.unset);
	report_environment();
	restore_stack_limit(&spec);
	attributes_hear_signals();
	talk_progress("starting %s", argv[0]);
	if (spec.gather) {
		gather_open(spec.gather);
		arena_gather();
	}
	low_descriptors_hold();
	options_keep(spec.options);
	entry_keep(spec.entry, spec.function);
	start_python(argv[0], options_for_start(spec.options), spec.plain);
	if (spec.gather)
		arena_gather_check();
	pause = collector_pause();
	pyimage_show();
	environment_keep_coercion();
	streams_keep();
	if (spec.trace >= 0)
		trace_descriptor(spec.trace);
	attributes_keep();
	readline_watch();
	path0_reserve(entry_file());
	if (spec.trace_mapping)
		trace_mapping(spec.trace_mapping);
	else
		policy_begin(spec.io);
	hooks_watch();
	streams_watch();
	asked_watch();
	asked_files_watch();
	arguments_watch();
	answers_watch();
	opened_watch();
	watch_hash_again();
	collector_go_on(pause);
	load(&spec);
	callbacks_before();
	streams_flush();	/* what imports printed is for the build to show */
	low_descriptors_release();
	pause = collector_pause();
	arguments_end();
	path_looks_end();
	watch_end();
	answers_end();
	reads_os_end();
	reads_end();
	policy_end();
	collector_go_on(pause);
	collector_keep();
	path0_unreserve();
	cpython_silence();
	heap_view_keep();
	gc_view_keep();
	attributes_check();
	streams_note_changes();
	if (spec.trace >= 0 || spec.trace_mapping)
		trace_end();
	immortal = !spec.no_immortal && counts_can_be_immortal();
	report_send(spec.warmups, immortal);
	prepare(argv[0], &spec);
	talk_progress("freezing");
	freeze(immortal);
}

typedef int (*start_main)(int (*)(int, char **, char **), int, char **,
	void (*)(void), void (*)(void), void (*)(void), void *);

__attribute__((visibility("default")))
int __libc_start_main(int (*program)(int, char **, char **), int argc, char **argv,
	void (*init)(void), void (*fini)(void), void (*rtld_fini)(void), void *end);

int __libc_start_main(int (*program)(int, char **, char **), int argc, char **argv,
	void (*init)(void), void (*fini)(void), void (*rtld_fini)(void), void *end)
{
	start_main next = (start_main)dlsym(RTLD_NEXT, "__libc_start_main");

	if (talk_open() < 0) {
		reads_end();
		return next(program, argc, argv, init, fini, rtld_fini, end);
	}
	fini_keep(rtld_fini);
	return next(host_main, argc, argv, init, fini, fini_run, end);
}
