/*
 * The JIT of 3.14 and 3.15 (sys._jit). Debian's builds have it, off unless PYTHON_JIT
 * is set. Its machine code would be the same in each process, but for the CPU that
 * it was made on and the thresholds that it counts on: it is not frozen.
 */
#include "cpython.h"

const char *cpython_jit_refusal(void)
{
	PyObject *jit = PySys_GetObject("_jit"), *enabled;
	int is_enabled;

	if (!jit)
		return NULL;
	enabled = PyObject_CallMethod(jit, "is_enabled", NULL);
	is_enabled = enabled ? PyObject_IsTrue(enabled) : -1;
	Py_XDECREF(enabled);
	PyErr_Clear();
	return is_enabled ? "its JIT is on, and machine code that it makes can't be frozen; "
		"leave PYTHON_JIT unset, or set it to 0" : NULL;
}
