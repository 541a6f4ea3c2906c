/*
 * Thread states of other threads than the running one.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_interp.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_runtime.h>
#if PY_VERSION_HEX < 0x030c0000
#include <internal/pycore_ceval.h>
#endif

#include <dlfcn.h>

void cpython_set_native_id(PyThreadState *tstate, unsigned long id)
{
	tstate->native_thread_id = id;
}

#if PY_VERSION_HEX >= 0x030d0000
/* pystate.c, _PyThreadState_RemoveExcept(), which is not exported. */
static PyThreadState *take_other_threads(PyThreadState *tstate)
{
	PyInterpreterState *interp = tstate->interp;
	PyThreadState *list;

	PyMutex_Lock(&_PyRuntime.interpreters.mutex);
	list = interp->threads.head;
	if (list == tstate)
		list = tstate->next;
	if (tstate->prev)
		tstate->prev->next = tstate->next;
	if (tstate->next)
		tstate->next->prev = tstate->prev;
	tstate->prev = tstate->next = NULL;
	interp->threads.head = tstate;
	PyMutex_Unlock(&_PyRuntime.interpreters.mutex);
	return list;
}

/* pystate.c, _PyThreadState_SetShuttingDown(), which is not exported. Since 3.14
 * take_gil() hangs a thread by its own state alone; 3.13's, all but the one that the
 * runtime's `finalizing` names. */
static void stop(PyThreadState *list, const PyThreadState *but)
{
#if PY_VERSION_HEX >= 0x030e0000
	for (PyThreadState *at = list; at; at = at->next)
		if (at != but)
			_Py_atomic_store_int(&at->state, _Py_THREAD_SHUTTING_DOWN);
#else
	(void)list;
	(void)but;
#endif
}

void cpython_stop_other_threads(PyThreadState *tstate)
{
	PyMutex_Lock(&_PyRuntime.interpreters.mutex);
	stop(tstate->interp->threads.head, tstate);
	PyMutex_Unlock(&_PyRuntime.interpreters.mutex);
}

/* _PyThreadState_DeleteList(): what they hold goes, but for their frames. Their
 * memory stays: they hang for ever, and the process ends. C may have made one, without
 * the GIL, since others were stopped. */
void cpython_delete_other_threads(PyThreadState *tstate)
{
	PyThreadState *other = cpython_has_other_threads(tstate) ?
		take_other_threads(tstate) : NULL;

	stop(other, tstate);
	for (; other; other = other->next)
		PyThreadState_Clear(other);
}
#else
void cpython_stop_other_threads(PyThreadState *tstate)
{
	(void)tstate;
}

/* Exported for the interpreter's own extension modules; its parameters changed
 * in 3.12 (the list of threads is taken off under the lock first). */
void cpython_delete_other_threads(PyThreadState *tstate)
{
#if PY_VERSION_HEX < 0x030c0000
	void (*delete_except)(_PyRuntimeState *, PyThreadState *) =
		(void (*)(_PyRuntimeState *, PyThreadState *))
		dlsym(RTLD_DEFAULT, "_PyThreadState_DeleteExcept");

	if (delete_except && PyThreadState_Next(PyInterpreterState_ThreadHead(
			tstate->interp)))
		delete_except(&_PyRuntime, tstate);
#else
	(void)tstate;
#endif
}
#endif

/* pylifecycle.c of 3.15, handle_thread_shutdown_exception() */
void cpython_make_daemons(PyThreadState *tstate)
{
#if PY_VERSION_HEX >= 0x030f0000
	PyMutex_Lock(&_PyRuntime.interpreters.mutex);
	for (PyThreadState *at = tstate->interp->threads.head; at; at = at->next)
		if (at->_whence == _PyThreadState_WHENCE_THREADING)
			at->_whence = _PyThreadState_WHENCE_THREADING_DAEMON;
	PyMutex_Unlock(&_PyRuntime.interpreters.mutex);
#else
	(void)tstate;
#endif
}

/* _PyInterpreterState_DeleteExceptMain() of 3.13 asks for a thread state that it
 * has just put away: a forked child that has another interpreter ends there. */
int cpython_may_fork(void)
{
#if PY_VERSION_HEX >= 0x030d0000
	return !PyInterpreterState_Next(PyInterpreterState_Head());
#else
	return 1;
#endif
}

int cpython_has_other_threads(PyThreadState *tstate)
{
	return PyThreadState_Next(PyInterpreterState_ThreadHead(
		PyThreadState_GetInterpreter(tstate))) != NULL;
}

int cpython_has_thread(unsigned long ident)
{
	PyThreadState *tstate = PyInterpreterState_ThreadHead(PyInterpreterState_Get());

	while (tstate && tstate->thread_id != ident)
		tstate = PyThreadState_Next(tstate);
	return tstate != NULL;
}

/* PyEval_SetProfileAllThreads() is 3.12's. */
void cpython_profile_threads(Py_tracefunc profile)
{
#if PY_VERSION_HEX < 0x030c0000
	PyThreadState *tstate = PyInterpreterState_ThreadHead(PyInterpreterState_Get());

	for (; tstate; tstate = PyThreadState_Next(tstate))
		if (!tstate->c_profilefunc)
			_PyEval_SetProfile(tstate, profile, NULL);
#else
	PyEval_SetProfileAllThreads(profile, NULL);
#endif
}
