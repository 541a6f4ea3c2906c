/*
 * Which thread runs the interpreter's __main__, told by pymain_run_python since 3.13.
 * C code that is called without a frame takes its globals from there (3.14), and
 * debuggers their thread. Of a forked child it stays if it is the thread that forked.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#if PY_VERSION_HEX >= 0x030d0000
#include <internal/pycore_pystate.h>

void cpython_begin_main(void)
{
	PyInterpreterState *interp = PyInterpreterState_Get();

	if (!_PyInterpreterState_IsRunningMain(interp) &&
	    _PyInterpreterState_SetRunningMain(interp))
		PyErr_Clear();
}

void cpython_end_main(void)
{
	_PyInterpreterState_SetNotRunningMain(PyInterpreterState_Get());
}
#else
void cpython_begin_main(void)
{
}

void cpython_end_main(void)
{
}
#endif
