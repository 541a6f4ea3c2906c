/*
 * What is said of exceptions at the end: since 3.13 on what the interpreter was,
 * before it named an object.
 */
#include "cpython.h"

void cpython_unraisable(const char *on, PyObject *where)
{
#if PY_VERSION_HEX >= 0x030d0000
	if (on) {
		PyErr_FormatUnraisable("Exception ignored on %s", on);
		return;
	}
#else
	(void)on;
#endif
	PyErr_WriteUnraisable(where);
}
