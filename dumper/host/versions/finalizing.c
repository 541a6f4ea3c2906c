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
#endif

void cpython_set_finalizing(PyThreadState *on)
{
#if PY_VERSION_HEX >= 0x030c0000
	_PyInterpreterState_SetFinalizing(PyInterpreterState_Get(), on);
#endif
	_PyRuntimeState_SetFinalizing(&_PyRuntime, on);
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

/* sys.last_exc is new in 3.12, and goes before sys.last_type. */
const char *cpython_last_exc(void)
{
	return PY_VERSION_HEX >= 0x030c0000 ? "last_exc" : "last_type";
}
