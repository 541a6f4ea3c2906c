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

#if PY_VERSION_HEX >= 0x030d0000
#define TAKE(field) (field)
#define PUT(field, value) ((field) = (value))
#elif PY_VERSION_HEX >= 0x030c0000
/* There each is a struct around an atomic number. */
#define TAKE(field) ((PyObject *)_Py_atomic_load_relaxed(&(field)))
#define PUT(field, value) _Py_atomic_store_relaxed(&(field), (uintptr_t)(value))
#endif

/* Modules/signalmodule.c, _PySignal_Fini(). The table of 3.11 is hidden, and its python3
 * dies of such a signal (CPython issue 102397). */
void cpython_forget_handlers(void)
{
#if PY_VERSION_HEX >= 0x030c0000
	for (int n = 1; n < Py_NSIG; n++) {
		PyObject *handler = TAKE(_PyRuntime.signals.handlers[n].func);

		PUT(_PyRuntime.signals.handlers[n].tripped, 0);
		PUT(_PyRuntime.signals.handlers[n].func, NULL);
		Py_XDECREF(handler);
	}
#endif
}
