/*
 * The state that says that the interpreter ends. pycore_runtime.h:
 * _PyRuntimeState_SetFinalizing is static inline; 3.13 keeps the thread's id
 * beside it, and the interpreter has a pair of its own from 3.12 on, which
 * _Py_IsInterpreterFinalizing reads.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_runtime.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_pystate.h>
#if PY_VERSION_HEX >= 0x030d0000
#include <internal/pycore_pylifecycle.h>
#include <internal/pycore_parking_lot.h>
#endif

void cpython_set_finalizing(PyThreadState *on)
{
#if PY_VERSION_HEX >= 0x030c0000
	_PyInterpreterState_SetFinalizing(PyInterpreterState_Get(), on);
#endif
	_PyRuntimeState_SetFinalizing(&_PyRuntime, on);
	cpython_stop_other_threads(on);
}

int cpython_is_finalizing(void)
{
	return _PyRuntimeState_GetFinalizing(&_PyRuntime) != NULL;
}

void cpython_set_uninitialized(void)
{
	_PyRuntime.initialized = 0;
	_PyRuntime.core_initialized = 0;
}

void cpython_take_out_interpreter(void)
{
	if (PyInterpreterState_Next(PyInterpreterState_Head()))
		return;
	_PyRuntime.interpreters.head = NULL;
	_PyRuntime.interpreters.main = NULL;
}

#if PY_VERSION_HEX >= 0x030f0000
/* pylifecycle.c of 3.15, make_pre_finalization_calls(), as are those below */
static int has_more(PyThreadState *tstate)
{
	const PyInterpreterState *interp = tstate->interp;
	const PyThreadState *other = interp->threads.head;

	if (PyList_GET_SIZE(interp->atexit.callbacks) || interp->ceval.pending.npending)
		return 1;
	if (!other->next)
		return 0;
	while (other && other->_whence != _PyThreadState_WHENCE_THREADING)
		other = other->next;
	return other != NULL;
}

/* Likewise: a counter, which becomes all ones when there is nothing more to wait for. */
int cpython_has_more_before_end(PyThreadState *tstate)
{
	uintptr_t none = 0;

	return has_more(tstate) || !_Py_atomic_compare_exchange_uintptr(
		&tstate->interp->finalization_guards, &none,
		_PyInterpreterGuard_GUARDS_NOT_ALLOWED);
}

void cpython_allow_guards(PyThreadState *tstate)
{
	uintptr_t ended = _PyInterpreterGuard_GUARDS_NOT_ALLOWED;

	_Py_atomic_compare_exchange_uintptr(&tstate->interp->finalization_guards, &ended, 0);
}

static void interrupted(void)
{
	int ends = PyErr_ExceptionMatches(PyExc_KeyboardInterrupt);

	PyErr_FormatUnraisable("Exception ignored while waiting on finalization guards");
	if (ends) {
		fputs("Interrupted while waiting on finalization guards\n", stderr);
		exit(1);
	}
}

void cpython_wait_for_guards(PyThreadState *tstate)
{
	uintptr_t *guards = &tstate->interp->finalization_guards, count;

	while ((count = _Py_atomic_load_uintptr(guards)) != 0) {
		int why = _PyParkingLot_Park(guards, &count, sizeof count, -1, NULL, 1);

		if (why == Py_PARK_OK)
			return;
		if (why == Py_PARK_INTR && PyErr_CheckSignals() < 0)
			interrupted();
	}
}
#else
int cpython_has_more_before_end(PyThreadState *tstate)
{
	(void)tstate;
	return 0;
}

void cpython_allow_guards(PyThreadState *tstate)
{
	(void)tstate;
}

void cpython_wait_for_guards(PyThreadState *tstate)
{
	(void)tstate;
}
#endif

/* sys.last_exc is new in 3.12, and goes before sys.last_type. */
const char *cpython_last_exc(void)
{
	return PY_VERSION_HEX >= 0x030c0000 ? "last_exc" : "last_type";
}
