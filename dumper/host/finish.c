/*
 * Finalisation in the order of Py_FinalizeEx (Python/pylifecycle.c), for what
 * came into being since the restore: the frozen objects are in the collector's
 * permanent generation, which no collection looks at, and are left alone. Where
 * that would show, Py_FinalizeEx itself does the rest (full.c).
 */
#include "finish.h"
#include "collector.h"
#include "cpython.h"
#include "enter.h"
#include "full.h"
#include "handoff.h"
#include "immortal.h"
#include "leftovers.h"
#include "streams.h"
#include "talk.h"
#include "teardown.h"
#include "visible.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static PyObject *modules;	/* sys.modules */
static PyObject *threading, *shutdown_name, *flush_name;
static PyObject *get_signal, *set_signal;
static PyObject *run_exit_functions;	/* atexit._run_exitfuncs */

void finish_prepare(void)
{
	PyObject *signals = PyImport_ImportModule("_signal");

	modules = PyImport_GetModuleDict();
	threading = PyDict_GetItemString(modules, "threading");
	shutdown_name = PyUnicode_InternFromString("_shutdown");
	flush_name = PyUnicode_InternFromString("flush");
	get_signal = signals ? PyObject_GetAttrString(signals, "getsignal") : NULL;
	set_signal = signals ? PyObject_GetAttrString(signals, "signal") : NULL;
	run_exit_functions = cpython_quiet_attribute("atexit", "_run_exitfuncs");
	if (!run_exit_functions || !shutdown_name || !flush_name || !get_signal || !set_signal)
		talk_refuse("prepare for the end: out of memory");
	Py_DECREF(signals);
	leftovers_prepare();
	visible_prepare();
	teardown_prepare();
}

void finish_release(void)
{
	Py_CLEAR(shutdown_name);
	Py_CLEAR(flush_name);
	Py_CLEAR(get_signal);
	Py_CLEAR(set_signal);
	/* run_exit_functions stays: gc.callbacks would hear of its module */
	leftovers_release();
	visible_release();
	teardown_release();
}

static void unraisable(const char *on, PyObject *where)
{
	if (PyErr_Occurred())
		cpython_unraisable(on, where);
}

static void drop(PyObject *result, const char *on, PyObject *where)
{
	if (!result)
		unraisable(on, where);
	Py_XDECREF(result);
}

/* wait_for_thread_shutdown() */
static void join_threads(void)
{
	PyObject *module = threading, *done;

	if (!module)
		module = PyDict_GetItemString(modules, "threading");
	if (!module)
		return;
	done = PyObject_CallMethodNoArgs(module, shutdown_name);
	if (!done)
		cpython_make_daemons(PyThreadState_Get());
	drop(done, "threading shutdown", module);
}

/* Py_FinalizeEx is not to wait once more for what gave up waiting by an error:
 * a call of object has no effect. */
static void forget_threads(void)
{
	PyObject *module = PyDict_GetItemString(modules, "threading");

	if (module && PyObject_SetAttr(module, shutdown_name, (PyObject *)&PyBaseObject_Type))
		PyErr_Clear();
}

/* _PyAtExit_Call(), which is not exported: as deep in C's stack as that, so that
 * functions may nest as deep. */
static void run_atexit(void)
{
	PyObject *done = NULL;

	if (run_exit_functions)
		done = PyCFunction_GET_FUNCTION(run_exit_functions)(
			PyCFunction_GET_SELF(run_exit_functions), NULL);
	drop(done, NULL, NULL);
}

/* flush_std_files() */
static int flush_streams(void)
{
	PyObject *out = PySys_GetObject("stdout"), *err = PySys_GetObject("stderr");
	int status = 0;

	if (out && out != Py_None && !leftovers_is_closed(out)) {
		PyObject *done = PyObject_CallMethodNoArgs(out, flush_name);

		if (!done)
			status = -1;
		drop(done, "flushing sys.stdout", out);
	}
	if (err && err != Py_None && !leftovers_is_closed(err)) {
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

/* _PySignal_Fini() drops what the program set, too. */
static void drop_handlers(void)
{
	for (int n = 1; n < NSIG; n++) {
		PyObject *handler = PyObject_CallFunction(get_signal, "i", n), *done;

		if (handler && PyCallable_Check(handler)) {
			done = PyObject_CallFunction(set_signal, "il", n, (long)SIG_DFL);
			Py_XDECREF(done);
		}
		Py_XDECREF(handler);
		PyErr_Clear();
	}
	cpython_forget_handlers();
}

static void collect(void)
{
	int was = PyGC_Enable();

	PyGC_Collect();
	if (!was)
		PyGC_Disable();
}

/* From where atexit's functions have run. */
static int finish_rest(PyThreadState *tstate, PyObject *names, enum ending ending)
{
	/* a file that can't be flushed is told in other words once nothing can be imported */
	int code = ending >= ENDING_CODE, status;
	int all = code || (ending == ENDING_FILES && cpython_unraisable_imports());
	PyObject *alive;

	cpython_set_finalizing(tstate);
	if (all)
		cpython_set_uninitialized();
	cpython_delete_other_threads(tstate);
	status = flush_streams();
	release_signals();
	if (all) {
		drop_handlers();
		collector_show_roots();
	}
	PyGC_Collect();		/* nothing where the program disabled it */
	teardown_special(all);
	alive = teardown_remove(names, all);
	Py_XDECREF(names);
	if (all)
		cpython_restore_builtins();
	collect();
	teardown_clear(alive);
	if (all && visible_rest())
		cpython_clear_sys_and_builtins();
	collect();
	if (ending > ENDING_QUIET)
		leftovers_finalize(code);
	leftovers_flush();
	streams_flush();
	/* what runs in exit(3) looks whether there is an interpreter yet */
	cpython_set_uninitialized();
	cpython_take_out_interpreter();
	cpython_call_exit_functions();
	return status;
}

static void say_not_full(void)
{
	fprintf(stderr, "pyimage: PYIMAGE_FINALIZE=full: make Py_FinalizeEx "
		"writable: %s; what was frozen is not finalised\n", strerror(errno));
}

int finish_python(void)
{
	static int entered;	/* a function of atexit's may call it, too */
	enum ending ending;
	PyObject *names;
	int status, full;

	if (entered || cpython_is_finalizing())
		return 0;
	entered = 1;
	/* immortal objects get their counts back when threads and atexit's functions
	 * are done */
	if (handoff.startup.full_end && !immortal_any()) {
		if ((status = full_finish()) <= 0)
			return status;
		say_not_full();
	}
	do {
		join_threads();
		if (Py_MakePendingCalls() < 0)
			unraisable(NULL, NULL);
		run_atexit();
		cpython_wait_for_guards(PyThreadState_Get());
	} while (cpython_has_more_before_end(PyThreadState_Get()));
	if (!(names = teardown_names()))
		PyErr_Clear();
	ending = names ? visible_judge(names) : ENDING_CODE;
	full = ending == ENDING_FULL || (handoff.startup.full_end && immortal_any());
	if (full) {
		forget_threads();
		if ((status = full_finish()) <= 0)
			return status;
		if (handoff.startup.full_end)
			say_not_full();
	}
	return finish_rest(PyThreadState_Get(), names, ending);
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

/* A thread whose end _shutdown() waits for has its lock here; it takes them all
 * out, and so does threading's handler after a fork. Versions without it: NULL.
 * _MainThread's _set_tstate_lock() has put in the main thread's, which is the only
 * one that a rehearsal must meet: others may run until a fork handler ends them. */
static PyObject *take_locks(PyObject *lock, PyObject **others)
{
	PyObject *locks = PyObject_GetAttrString(threading, "_shutdown_locks");

	*others = locks && PySet_Check(locks) ? PySet_New(locks) : NULL;
	if (*others) {
		PySet_Clear(locks);
		PySet_Add(locks, lock);
	}
	return locks;
}

static void put_back_locks(PyObject *locks, PyObject *others, PyObject *lock)
{
	PyObject *done = NULL;

	if (others) {
		PySet_Add(locks, lock);
		done = PyObject_CallMethod(locks, "update", "O", others);
	}
	Py_XDECREF(done);
	Py_XDECREF(others);
	Py_XDECREF(locks);
}

/* gevent puts a function of its own there, which is for once and starts its loop. */
static int has_own_shutdown(void)
{
	PyObject *shutdown = PyObject_GetAttr(threading, shutdown_name);
	int own = shutdown && PyFunction_Check(shutdown) &&
		PyFunction_GET_GLOBALS(shutdown) == PyModule_GetDict(threading);

	PyErr_Clear();
	Py_XDECREF(shutdown);
	return own;
}

/* threading._shutdown() marks the main thread as stopped and calls what
 * concurrent.futures and others registered: none of that, and then all back. */
static void rehearse_threading(void)
{
	PyObject *exits, *thread, *lock, *none, *result, *locks, *others;

	if (!threading || !has_own_shutdown())
		return;
	none = PyList_New(0);
	exits = PyObject_GetAttrString(threading, "_threading_atexits");
	thread = PyObject_GetAttrString(threading, "_main_thread");
	lock = thread ? PyObject_GetAttrString(thread, "_tstate_lock") : NULL;
	if (exits && thread && lock && lock != Py_None && none) {
		PyObject_SetAttrString(threading, "_threading_atexits", none);
		locks = take_locks(lock, &others);
		join_threads();
		PyObject_SetAttrString(threading, "_threading_atexits", exits);
		PyObject_SetAttrString(threading, "_SHUTTING_DOWN", Py_False);
		PyObject_SetAttrString(thread, "_is_stopped", Py_False);
		result = PyObject_CallMethod(lock, "acquire", "i", 0);
		Py_XDECREF(result);
		PyObject_SetAttrString(thread, "_tstate_lock", lock);
		put_back_locks(locks, others, lock);
	}
	PyErr_Clear();
	Py_XDECREF(exits);
	Py_XDECREF(thread);
	Py_XDECREF(lock);
	Py_XDECREF(none);
}

void finish_rehearse(void)
{
	PyObject *names;

	rehearse_threading();
	if (Py_MakePendingCalls() < 0)
		PyErr_Clear();
	if ((names = teardown_names()))
		visible_judge(names);
	Py_XDECREF(names);
	flush_streams();
	collect();
	leftovers_finalize(0);
	flush_streams();
}

