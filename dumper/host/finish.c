/*
 * Finalisation in the order of Py_FinalizeEx (Python/pylifecycle.c), for what
 * came into being since the restore: the frozen objects are in the collector's
 * permanent generation, which no collection looks at, and are left alone.
 */
#include "finish.h"
#include "cpython.h"
#include "enter.h"
#include "gc_view.h"
#include "handoff.h"
#include "streams.h"
#include "talk.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static PyObject *modules;	/* sys.modules */
static unsigned long long modules_version;
static PyObject **frozen;	/* the modules in it, sorted by address */
static Py_ssize_t frozen_count;
static PyObject *main_module;
static PyObject *io_base;	/* _io._IOBase */
static PyObject *main_names;	/* under which __main__ is in sys.modules */
static PyObject *writers;	/* frozen files that are open for writing */
static PyObject *threading, *shutdown_name, *flush_name, *closed_name;

static int by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)*(PyObject *const *)a;
	uintptr_t y = (uintptr_t)*(PyObject *const *)b;

	return (x > y) - (x < y);
}

static int is_closed(PyObject *stream)
{
	PyObject *closed = PyObject_GetAttr(stream, closed_name);
	int is = closed ? PyObject_IsTrue(closed) : 0;

	Py_XDECREF(closed);
	if (is < 0 || !closed)
		PyErr_Clear();
	return is > 0;
}

/* TextIOWrapper and buffered writers; a text layer flushes what is below. */
static int is_writer(PyObject *object, PyObject *text, PyObject *buffered)
{
	PyObject *answer;
	int is = 0;

	if (streams_is_kept(object) || (PyObject_IsInstance(object, text) != 1 &&
	    PyObject_IsInstance(object, buffered) != 1))
		return 0;
	if (!is_closed(object)) {
		answer = PyObject_CallMethod(object, "writable", NULL);
		is = answer == Py_True;
		Py_XDECREF(answer);
	}
	PyErr_Clear();
	return is;
}

/* Everything that is alive, before it goes out of the collector's sight. Not io's
 * classes: these are ABCs, which keep a weak reference to each type they see. */
static void find_writers(void)
{
	PyObject *io = PyImport_ImportModule("_io"), *all = gc_view_young();
	PyObject *text = io ? PyObject_GetAttrString(io, "TextIOWrapper") : NULL;
	PyObject *buffered = io ? PyObject_GetAttrString(io, "_BufferedIOBase") : NULL;

	io_base = io ? PyObject_GetAttrString(io, "_IOBase") : NULL;
	writers = PyList_New(0);
	if (!writers || !all || !text || !buffered || !io_base)
		talk_refuse("prepare for the end: out of memory");
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(all); i++)
		if (is_writer(PyList_GET_ITEM(all, i), text, buffered))
			PyList_Append(writers, PyList_GET_ITEM(all, i));
	Py_DECREF(all);
	Py_DECREF(text);
	Py_DECREF(buffered);
	Py_DECREF(io);
}

void finish_prepare(void)
{
	PyObject *name, *module;
	Py_ssize_t i = 0;

	modules = PyImport_GetModuleDict();
	main_module = PyDict_GetItemString(modules, "__main__");
	main_names = PyList_New(0);
	threading = PyDict_GetItemString(modules, "threading");
	shutdown_name = PyUnicode_InternFromString("_shutdown");
	flush_name = PyUnicode_InternFromString("flush");
	closed_name = PyUnicode_InternFromString("closed");
	frozen = calloc((size_t)PyDict_Size(modules) + 1, sizeof *frozen);
	if (!frozen || !main_module || !main_names)
		talk_refuse("prepare for the end: out of memory");
	while (PyDict_Next(modules, &i, &name, &module))
		if (module != main_module)
			frozen[frozen_count++] = module;
		else	/* multiprocessing has it as __mp_main__, too */
			PyList_Append(main_names, name);
	find_writers();
	qsort(frozen, (size_t)frozen_count, sizeof *frozen, by_address);
	modules_version = cpython_dict_version(modules);
}

static int is_frozen(PyObject *module)
{
	return bsearch(&module, frozen, (size_t)frozen_count, sizeof *frozen,
		by_address) != NULL;
}

static void unraisable(PyObject *where)
{
	if (PyErr_Occurred())
		PyErr_WriteUnraisable(where);
}

static void drop(PyObject *result, PyObject *where)
{
	if (!result)
		unraisable(where);
	Py_XDECREF(result);
}

/* wait_for_thread_shutdown() */
static void join_threads(void)
{
	PyObject *module = threading;

	if (cpython_dict_version(modules) != modules_version)
		module = PyDict_GetItemString(modules, "threading");
	if (module)
		drop(PyObject_CallMethodNoArgs(module, shutdown_name), module);
}

/* _PyAtExit_Call(): no function can be registered without the module. */
static void run_atexit(void)
{
	PyObject *module = PyDict_GetItemString(modules, "atexit");

	if (module)
		drop(PyObject_CallMethod(module, "_run_exitfuncs", NULL), module);
}

/* flush_std_files() */
static int flush_streams(void)
{
	PyObject *out = PySys_GetObject("stdout"), *err = PySys_GetObject("stderr");
	int status = 0;

	if (out && out != Py_None && !is_closed(out)) {
		PyObject *done = PyObject_CallMethodNoArgs(out, flush_name);

		if (!done)
			status = -1;
		drop(done, out);
	}
	if (err && err != Py_None && !is_closed(err)) {
		PyObject *done = PyObject_CallMethodNoArgs(err, flush_name);

		if (!done)
			status = -1;
		PyErr_Clear();
		Py_XDECREF(done);
	}
	return status;
}

/* _PySignal_Fini(): the default again for what Python catches. */
static void release_signals(void)
{
	struct sigaction action;
	uint64_t caught = handoff.caught | handoff.caught_unless_ignored;

	for (int n = 1; caught; n++, caught >>= 1)
		if ((caught & 1) && sigaction(n, NULL, &action) == 0 &&
		    action.sa_handler != SIG_IGN && action.sa_handler != SIG_DFL)
			signal(n, SIG_DFL);
}

/* finalize_modules_delete_special(): where user values hide. */
static void delete_special(void)
{
	static const char *const names[] = {
		"ps1", "ps2", "last_type", "last_value", "last_traceback", NULL
	};
	static const char *const streams[][2] = {
		{ "stdin", "__stdin__" }, { "stdout", "__stdout__" },
		{ "stderr", "__stderr__" },
	};
	PyObject *builtins = PyEval_GetBuiltins();

	if (PyDict_GetItemString(builtins, "_"))
		PyDict_SetItemString(builtins, "_", Py_None);
	for (const char *const *name = names; *name; name++)
		if (PySys_GetObject(*name))
			PySys_SetObject(*name, Py_None);
	for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
		PyObject *original = PySys_GetObject(streams[i][1]);

		if (original && PySys_GetObject(streams[i][0]) != original)
			PySys_SetObject(streams[i][0], original);
	}
	PyErr_Clear();
}

/* finalize_remove_modules(), for __main__ and what was imported since. */
static PyObject *remove_modules(void)
{
	PyObject *alive = PyList_New(0), *name, *module, *names = main_names;
	Py_ssize_t i = 0;

	if (cpython_dict_version(modules) != modules_version) {
		names = PyList_New(0);
		while (names && PyDict_Next(modules, &i, &name, &module))
			if (PyModule_Check(module) && !is_frozen(module))
				PyList_Append(names, name);
	}
	if (!alive || !names)
		return alive;
	for (i = 0; i < PyList_GET_SIZE(names); i++) {
		PyObject *reference;

		name = PyList_GET_ITEM(names, i);
		module = PyDict_GetItem(modules, name);
		reference = module ? PyWeakref_NewRef(module, NULL) : NULL;
		if (reference)
			PyList_Append(alive, reference);
		Py_XDECREF(reference);
		PyErr_Clear();
		if (PyDict_SetItem(modules, name, Py_None))
			unraisable(NULL);
	}
	if (names != main_names)
		Py_DECREF(names);
	return alive;
}

static int is_private(PyObject *name)
{
	return PyUnicode_GET_LENGTH(name) > 0 && PyUnicode_READ_CHAR(name, 0) == '_' &&
		(PyUnicode_GET_LENGTH(name) == 1 || PyUnicode_READ_CHAR(name, 1) != '_');
}

/* _PyModule_ClearDict(): names with one underscore first, __builtins__ never. */
static void clear_module(PyObject *module)
{
	PyObject *dict = PyModule_GetDict(module), *name, *value;

	for (int rest = 0; rest < 2; rest++) {
		Py_ssize_t i = 0;

		while (PyDict_Next(dict, &i, &name, &value)) {
			if (value == Py_None || !PyUnicode_Check(name) ||
			    (!rest && !is_private(name)) ||
			    PyUnicode_CompareWithASCIIString(name, "__builtins__") == 0)
				continue;
			if (PyDict_SetItem(dict, name, Py_None))
				unraisable(NULL);
		}
	}
}

/* finalize_modules_clear_weaklist(): those imported last come first. */
static void clear_modules(PyObject *alive)
{
	for (Py_ssize_t i = alive ? PyList_GET_SIZE(alive) - 1 : -1; i >= 0; i--) {
		PyObject *module = cpython_referent(PyList_GET_ITEM(alive, i));

		if (!module)
			continue;
		clear_module(module);
		Py_DECREF(module);
	}
	Py_XDECREF(alive);
}

/* What is left is held by frozen objects, that python3 would destroy by now: a
 * file in a module's global, a generator that waits in a cache. Where there were
 * other threads, their frames may be what holds an object, and python3 leaves
 * those alone; what a trace function or an audit hook holds it destroys last of all,
 * when there is no print() any more. Then only files. */
static void finalize_survivors(int only_files)
{
	PyObject *objects = gc_view_young();

	for (Py_ssize_t i = 0; objects && i < PyList_GET_SIZE(objects); i++) {
		PyObject *object = PyList_GET_ITEM(objects, i);

		if (only_files && PyObject_IsInstance(object, io_base) != 1)
			continue;
		if (Py_TYPE(object)->tp_finalize && !PyObject_GC_IsFinalized(object))
			PyObject_CallFinalizer(object);
		unraisable(NULL);
	}
	unraisable(NULL);
	Py_XDECREF(objects);
}

/* Files that were open for writing at the freeze: python3 flushes them when it
 * deallocates them, and says nothing where that fails. */
static void flush_frozen(void)
{
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(writers); i++) {
		PyObject *done = PyObject_CallMethodNoArgs(PyList_GET_ITEM(writers, i),
			flush_name);

		PyErr_Clear();
		Py_XDECREF(done);
	}
}

int finish_python(void)
{
	PyThreadState *tstate;
	PyObject *alive;
	int status, threads;

	if (cpython_is_finalizing())
		return 0;
	tstate = PyThreadState_Get();
	join_threads();
	if (Py_MakePendingCalls() < 0)
		unraisable(NULL);
	run_atexit();
	threads = cpython_has_other_threads(tstate);
	cpython_set_finalizing(tstate);
	cpython_delete_other_threads(tstate);
	status = flush_streams();
	release_signals();
	PyGC_Collect();		/* where it is enabled; the others always */
	delete_special();
	alive = remove_modules();
	cpython_collect_quietly();
	clear_modules(alive);
	cpython_collect_quietly();
	finalize_survivors(threads || cpython_has_hooks(tstate));
	flush_frozen();
	streams_flush();
	cpython_call_exit_functions();
	return status;
}

int finish_code(int code)
{
	if (finish_python() < 0)
		code = 120;
	if (*cpython_unhandled_interrupt()) {
		signal(SIGINT, SIG_DFL);
		kill(getpid(), SIGINT);
		code = SIGINT + 128;
	}
	return code;
}

/* _MainThread's _set_tstate_lock() has put it there; _shutdown() takes it out,
 * and so does threading's handler after a fork. Versions without it: nothing. */
static void put_back_lock(PyObject *lock)
{
	PyObject *locks = PyObject_GetAttrString(threading, "_shutdown_locks");

	if (locks && PySet_Check(locks))
		PySet_Add(locks, lock);
	Py_XDECREF(locks);
}

/* threading._shutdown() marks the main thread as stopped and calls what
 * concurrent.futures and others registered: none of that, and then all back. */
static void rehearse_threading(void)
{
	PyObject *exits, *thread, *lock, *none = PyList_New(0), *result;

	if (!threading)
		return;
	exits = PyObject_GetAttrString(threading, "_threading_atexits");
	thread = PyObject_GetAttrString(threading, "_main_thread");
	lock = thread ? PyObject_GetAttrString(thread, "_tstate_lock") : NULL;
	if (exits && thread && lock && lock != Py_None && none) {
		PyObject_SetAttrString(threading, "_threading_atexits", none);
		join_threads();
		PyObject_SetAttrString(threading, "_threading_atexits", exits);
		PyObject_SetAttrString(threading, "_SHUTTING_DOWN", Py_False);
		PyObject_SetAttrString(thread, "_is_stopped", Py_False);
		result = PyObject_CallMethod(lock, "acquire", "i", 0);
		Py_XDECREF(result);
		PyObject_SetAttrString(thread, "_tstate_lock", lock);
		put_back_lock(lock);
	}
	PyErr_Clear();
	Py_XDECREF(exits);
	Py_XDECREF(thread);
	Py_XDECREF(lock);
	Py_XDECREF(none);
}

void finish_rehearse(void)
{
	rehearse_threading();
	if (Py_MakePendingCalls() < 0)
		PyErr_Clear();
	flush_streams();
	cpython_collect_quietly();
	finalize_survivors(0);
	flush_streams();
}
