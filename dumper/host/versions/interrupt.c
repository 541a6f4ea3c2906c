/*
 * Where PyRun_* notes that a KeyboardInterrupt went through: a variable of its
 * own in 3.11, the runtime's from 3.12 on.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_runtime.h>

int *cpython_unhandled_interrupt(void)
{
#if PY_VERSION_HEX < 0x030c0000
	extern int _Py_UnhandledKeyboardInterrupt;

	return &_Py_UnhandledKeyboardInterrupt;
#else
	return (int *)&_PyRuntime.signals.unhandled_keyboard_interrupt;
#endif
}
