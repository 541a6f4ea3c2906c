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
	(void)tstate;	/* 3.12+: frames of daemon threads are left alone */
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
