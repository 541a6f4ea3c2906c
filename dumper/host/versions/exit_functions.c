/*
 * Py_AtExit()'s functions; 3.12 put them into a struct of their own.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_runtime.h>

/* pylifecycle.c, call_ll_exitfuncs() */
void cpython_call_exit_functions(void)
{
#if PY_VERSION_HEX >= 0x030c0000
	struct _atexit_runtime_state *state = &_PyRuntime.atexit;

	while (state->ncallbacks > 0)
		state->callbacks[--state->ncallbacks]();
#else
	while (_PyRuntime.nexitfuncs > 0)
		_PyRuntime.exitfuncs[--_PyRuntime.nexitfuncs]();
#endif
}
