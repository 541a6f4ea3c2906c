/*
 * After enter.c made the process whole for libc, this makes it whole for
 * Python. It runs in every process of every image: each Python object that it
 * writes to is a page copied, so all that can be looked up was looked up before
 * the freeze, and what stays the same is not touched.
 */
#include "resume.h"
#include "answers.h"
#include "arguments.h"
#include "callbacks.h"
#include "asked.h"
#include "command.h"
#include "cpython.h"
#include "environment.h"
#include "finish.h"
#include "forked.h"
#include "enter.h"
#include "handoff.h"
#include "hold.h"
#include "hooks.h"
#include "image_check.h"
#include "imports.h"
#include "options.h"
#include "path_looks.h"
#include "readline.h"
#include "run.h"
#include "shadow.h"
#include "streams.h"
#include "talk.h"
#include "user_site.h"
#include "writes.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67	/* linux/prctl.h, 6.4 */
#endif

static struct prepared {
	const char *program;
	const char *plain;		/* the file to run as that */
	char **options;			/* of its command line */
	char **entry;			/* behind those: what the image runs */
	PyObject *command;		/* tuple: program and options */
	PyObject *entry_command;	/* tuple: and the entry */
	PyObject *argv, *orig_argv, *path;	/* the lists in sys */
	PyObject *main_thread;		/* threading._main_thread, or NULL */
	PyObject *native_id;		/* its attribute's name */
	PyObject *signal;		/* _signal.signal */
	PyObject *time;			/* module, or NULL */
	unsigned *threads;		/* glibc's __nptl_nthreads, or NULL */
	size_t stack_size;		/* default of new threads */
	int utf8_asked;			/* -X utf8, PYTHONUTF8: mode is not the locale's */
} prepared;

static void empty(PyObject *list)
{
	PyList_SetSlice(list, 0, PyList_GET_SIZE(list), NULL);
}

/* The lists stay the same objects: modules may hold them. */
static PyObject *list_of_sys(const char *name)
{
	PyObject *list = PySys_GetObject(name);

	if (!list || !PyList_CheckExact(list))
		talk_refuse("prepare sys.%s: it is no list any more", name);
	Py_INCREF(list);
	return list;
}

static PyObject *attribute(const char *module, const char *name)
{
	PyObject *found = PyDict_GetItemString(PyImport_GetModuleDict(), module);
	PyObject *value = found ? PyObject_GetAttrString(found, name) : NULL;

	PyErr_Clear();
	return value;
}

static int append_text(PyObject *list, const char *bytes)
{
	wchar_t *wide = Py_DecodeLocale(bytes, NULL);
	PyObject *text = wide ? PyUnicode_FromWideChar(wide, -1) : NULL;
	int failed = !text || PyList_Append(list, text);

	PyMem_RawFree(wide);
	Py_XDECREF(text);
	return failed ? -1 : 0;
}

static PyObject *make_command(const char *program, char **options, char **entry)
{
	PyObject *list = PyList_New(0), *tuple = NULL;
	int failed = !list;

	for (const char *word = program; word && !failed; word = *options++)
		failed = append_text(list, word);
	for (; *entry && !failed; entry++)
		failed = append_text(list, *entry);
	if (!failed)
		tuple = PyList_AsTuple(list);
	Py_XDECREF(list);
	return tuple;
}

void resume_prepare(const char *program, const struct talk_spec *spec)
{
	char **options = spec->options, **entry = spec->entry;
	static char *none[] = { NULL };
	PyObject *signals = PyImport_ImportModule("_signal");
	pthread_attr_t attributes;

	prepared.program = program;
	prepared.plain = spec->plain ? spec->plain : program;
	prepared.options = options;
	prepared.entry = entry;
	prepared.command = make_command(program, options, none);
	prepared.entry_command = make_command(program, options, entry);
	prepared.argv = list_of_sys("argv");
	prepared.orig_argv = list_of_sys("orig_argv");
	prepared.path = list_of_sys("path");
	prepared.main_thread = attribute("threading", "_main_thread");
	prepared.native_id = PyUnicode_InternFromString("_native_id");
	prepared.signal = signals ? PyObject_GetAttrString(signals, "signal") : NULL;
	prepared.time = PyDict_GetItemString(PyImport_GetModuleDict(), "time");
	Py_XINCREF(prepared.time);
	prepared.threads = dlvsym(RTLD_DEFAULT, "__nptl_nthreads", "GLIBC_PRIVATE");
	user_site_prepare();
	prepared.utf8_asked = getenv("PYTHONUTF8") ||
		PyDict_GetItemString(PySys_GetXOptions(), "utf8");
	if (!prepared.signal || !prepared.native_id || !prepared.command ||
	    !prepared.entry_command)
		talk_refuse("prepare for the restore: %s", imports_traceback());
	if (pthread_getattr_default_np(&attributes) == 0) {
		pthread_attr_getstacksize(&attributes, &prepared.stack_size);
		pthread_attr_destroy(&attributes);
	}
	run_prepare(program);
	resume_forget();
}

void resume_forget(void)
{
	empty(prepared.argv);
	empty(prepared.orig_argv);
	environment_forget();
}

/* glibc, __pthread_initialize_minimal: the default size of a new thread's stack
 * is RLIMIT_STACK at the start, 2 MiB where that is unlimited. */
static void renew_stack_size(void)
{
	struct rlimit limit;
	pthread_attr_t attributes;
	size_t page = 4096, size;

	if (getrlimit(RLIMIT_STACK, &limit))
		return;
	size = limit.rlim_cur == RLIM_INFINITY ? 2u << 20 : limit.rlim_cur;
	if (size < (size_t)PTHREAD_STACK_MIN)
		size = PTHREAD_STACK_MIN;
	size = (size + page - 1) & ~(page - 1);
	if (size == prepared.stack_size)
		return;
	if (pthread_attr_init(&attributes))
		return;
	if (pthread_attr_setstacksize(&attributes, size) == 0)
		pthread_setattr_default_np(&attributes);
	pthread_attr_destroy(&attributes);
}

/* tzset(3) reads nothing while TZ is the same text, though /etc/localtime may
 * be another file: so another TZ in between. time.tzset() then also renews
 * time.tzname and its like. */
static int renew_timezone(void)
{
	char *zone = getenv("TZ");
	PyObject *done;

	if (zone && !(zone = strdup(zone)))
		return -1;
	setenv("TZ", "UTC0", 1);
	tzset();
	if (zone)
		setenv("TZ", zone, 1);
	else
		unsetenv("TZ");
	free(zone);
	tzset();
	if (!prepared.time)
		return 0;
	done = PyObject_CallMethod(prepared.time, "tzset", NULL);
	Py_XDECREF(done);
	return done ? 0 : -1;
}

static int renew_thread_id(int tid)
{
	PyObject *id;
	int failed;

	cpython_set_native_id(PyThreadState_Get(), (unsigned long)tid);
	if (!prepared.main_thread)
		return 0;
	id = PyLong_FromLong(tid);
	failed = !id || PyObject_SetAttr(prepared.main_thread, prepared.native_id, id);
	Py_XDECREF(id);
	return failed ? -1 : 0;
}

/* signalmodule.c asks at its start which signals the parent had ignored. It
 * ignores SIGPIPE and SIGXFSZ by itself. What the workload catches it would
 * catch anyway, except that Python's own SIGINT gives way. */
static int renew_signals(uint64_t ignored)
{
	uint64_t own = 1ull << (SIGPIPE - 1) | 1ull << (SIGXFSZ - 1);

	ignored &= ~(own | handoff.caught);
	for (int n = 1; ignored; n++, ignored >>= 1) {
		PyObject *old;

		if (!(ignored & 1) || handoff.actions[n].handler == 1 ||
		    (n >= 32 && n < SIGRTMIN))	/* glibc's own */
			continue;
		old = PyObject_CallFunction(prepared.signal, "il", n, (long)SIG_IGN);
		if (!old)
			return -1;
		Py_DECREF(old);
	}
	return 0;
}

static int renew_arguments(const struct startup *s)
{
	int failed;

	failed = PyList_SetSlice(prepared.orig_argv, 0, 0,
			s->by_entry ? prepared.entry_command : prepared.command) ||
		append_text(prepared.argv, arguments_name(s));
	for (int i = 0; i < s->argc && !failed; i++)
		failed = append_text(prepared.orig_argv, s->argv[i]) ||
			(i >= s->rest && append_text(prepared.argv, s->argv[i]));
	return failed ? -1 : arguments_resume(prepared.argv);
}

/* PEP 538 and 540; what the image was frozen with is one of the two. */
static int renew_locale(uint32_t locale)
{
	static char assignment[] = "LC_CTYPE=C.UTF-8";
	int coerced = locale == STARTUP_LOCALE_COERCED;
	int mode = cpython_utf8_mode_where(coerced);

	if (locale == STARTUP_LOCALE_SAME)
		return 0;
	if (coerced && environment_set("LC_CTYPE", assignment))
		return -1;
	if (prepared.utf8_asked || cpython_utf8_mode() == mode)
		return 0;
	return cpython_set_utf8_mode(mode);
}

static void must(int failed, const char *what)
{
	if (!failed)
		return;
	PySys_FormatStderr("pyimage: restore %s:\n", what);
	PyErr_Print();
	_exit(70);
}

void resume_python(const struct startup *startup, int rehearse)
{
	must(renew_thread_id(startup->tid), "the main thread's id");
	must(environment_resume(rehearse), "os.environ");
	must(renew_signals(startup->ignored), "the signals that are ignored");
	must(renew_arguments(startup), "sys.argv");
	must(hooks_after(), "the state of modules");
	if (rehearse)
		return;
	if (forked_resume()) {
		fprintf(stderr, "pyimage: restore memory that a fork shares or empties: %m\n");
		_exit(70);
	}
	must(renew_locale(startup->locale), "the locale");
	readline_resume();
	renew_stack_size();
	if (startup->timezone_changed)
		must(renew_timezone(), "the time zone");
	must(user_site_resume(startup->user_site), "the user's site folder");
	must(answers_resume(), "what modules asked for while they were imported");
	must(hooks_resume(), "what modules made for their process");
}

/* files_commit() opened the image's files; python3 opens its own. */
static void close_files_on_exec(void)
{
	const void *meta = (const void *)IMAGE_META_BASE;
	const struct image_header *header = image_header(meta, IMAGE_PAGE);
	const struct image_file *file = header ? image_rows(meta, &header->files) : NULL;

	for (uint32_t i = 0; header && i < header->files.count; i++)
		fcntl(file[i].fd, F_SETFD, FD_CLOEXEC);
}

/* A late refusal: nothing has been done yet but to libc's state, signals and
 * descriptors, which exec makes anew, and to one setting that it keeps (ksm.c; since
 * Linux 6.7). */
static void plain_python(struct startup *s, const char *why, const char *what)
{
	char **entry = s->by_entry ? prepared.entry : NULL, **argv;
	size_t count = 0, words = 0;

	while (prepared.options[count])
		count++;
	while (entry && entry[words])
		words++;
	argv = calloc((size_t)s->argc + count + words + 2, sizeof *argv);
	if (s->strict || s->verbose)
		fprintf(stderr, "pyimage: %s%s; %s\n", why, what, s->strict ?
			"PYIMAGE=auto runs plain Python instead" :
			"running plain Python instead");
	if (s->strict)
		_exit(70);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	if (argv) {
		argv[0] = (char *)prepared.program;
		memcpy(argv + 1, prepared.options, count * sizeof *argv);
		memcpy(argv + 1 + count, prepared.entry, words * sizeof *argv);
		memcpy(argv + 1 + count + words, s->argv, (size_t)s->argc * sizeof *argv);
		close_files_on_exec();
		if (s->merged)
			prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0);
		execve(prepared.plain, argv, s->envp);
	}
	_exit(70);
}

/* What only libc can tell. */
static void check(struct startup *startup)
{
	const char *variable = environment_differs(), *why, *locale;

	if (variable)
		plain_python(startup, "environment: imports changed a variable that was "
			"otherwise while building: ", variable);
	why = asked_differs();
	if (!why)
		why = arguments_differ(startup);
	if (!why)
		why = path_looks_differ(startup);
	if (why)
		plain_python(startup, "process: it differs from that of the build in its ", why);
	variable = shadow_find(startup);
	if (variable)
		plain_python(startup, "the working folder holds a module of the entry's "
			"name: ", variable);
	why = command_differs(startup);
	if (why)
		plain_python(startup, "the working folder holds a module that python3 "
			"imports for -c, and the image has another: ", why);
	locale = hooks_check(startup->locale == STARTUP_LOCALE_COERCED);
	if (locale)
		plain_python(startup, "environment: imports set the locale by it, and can't "
			"set ", locale);
	why = hooks_differ();
	if (why)
		plain_python(startup, why, "");
	if ((startup->options.flags & PYTHON_INSPECT_ZERO) && !startup->options.inspect)
		startup->options.inspect = cpython_zero_inspects();
	if (startup->options.flags)
		must(options_resume(&startup->options), "the options");
	why = streams_resume(&startup->options);
	if (why)	/* python3 says so itself */
		plain_python(startup, why, "");
}

/* nptl: pthread_exit on the main thread unwinds to the buffer that
 * __libc_start_call_main registered on a stack that is gone; this is its like.
 * The last thread to end calls exit(0), which the count tells. */
static void main_thread_exit(void)
{
	if (!prepared.threads || __atomic_sub_fetch(prepared.threads, 1, __ATOMIC_ACQ_REL) == 0)
		exit(0);
	for (;;)
		syscall(SYS_exit, 0);
}

extern void __pthread_register_cancel(__pthread_unwind_buf_t *buffer);

/* As python3 does where the program itself raises: for SystemExit PyErr_Print()
 * ends the process, with its status, and ^C is to kill it. */
static int failed_callback(void)
{
	if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
		*cpython_unhandled_interrupt() = 1;
	PyErr_Print();
	return 1;
}

void resume_process(struct startup *startup)
{
	union {
		__pthread_unwind_buf_t unwind;
		struct __jmp_buf_tag jump;	/* __sigsetjmp's type for it */
	} bottom;

	if (__sigsetjmp(&bottom.jump, 0))
		main_thread_exit();
	__pthread_register_cancel(&bottom.unwind);
	cpython_renew_stack_bounds(PyThreadState_Get());
	if (startup->hold >= 0)
		writes_watch();
	check(startup);
	resume_python(startup, 0);
	if (callbacks_after())
		exit(finish_code(failed_callback()));
	hold_at_start();
	exit(finish_code(run_startup(startup)));
}

void resume_release(void)
{
	Py_CLEAR(prepared.command);
	Py_CLEAR(prepared.entry_command);
	Py_CLEAR(prepared.argv);
	Py_CLEAR(prepared.orig_argv);
	Py_CLEAR(prepared.path);
	Py_CLEAR(prepared.main_thread);
	Py_CLEAR(prepared.native_id);
	Py_CLEAR(prepared.signal);
	user_site_release();
	Py_CLEAR(prepared.time);
}
