/*
 * Where PyRun_* notes that a KeyboardInterrupt went through, and handlers of signals:
 * variables of their own in 3.11, the runtime's from 3.12 on.
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

/* Modules/signalmodule.c, _PySignal_Fini(). The table of 3.11 is hidden, and its python3
 * dies of such a signal (CPython issue 102397). */
void cpython_forget_handlers(void)
{
#if PY_VERSION_HEX >= 0x030c0000
	for (int n = 1; n < Py_NSIG; n++) {
		PyObject *handler = _PyRuntime.signals.handlers[n].func;

		_PyRuntime.signals.handlers[n].tripped = 0;
		_PyRuntime.signals.handlers[n].func = NULL;
		Py_XDECREF(handler);
	}
#endif
}
