/*
 * What is said of exceptions at the end: since 3.13 on what the interpreter was,
 * before it named an object. Since 3.15 module traceback says it, as long as it can be
 * imported: with the exceptions that came before.
 */
#include "cpython.h"

#include <string.h>

#if PY_VERSION_HEX >= 0x030e0000
/* 3.14: "while flushing sys.stdout", but "on threading shutdown" */
static const char *word_for(const char *on)
{
	return strncmp(on, "flushing ", 9) == 0 ? "while" : "on";
}
#elif PY_VERSION_HEX >= 0x030d0000
static const char *word_for(const char *on)
{
	(void)on;
	return "on";
}
#endif

void cpython_unraisable(const char *on, PyObject *where)
{
#if PY_VERSION_HEX >= 0x030d0000
	if (on) {
		PyErr_FormatUnraisable("Exception ignored %s %s", word_for(on), on);
		return;
	}
#else
	(void)on;
#endif
	PyErr_WriteUnraisable(where);
}

int cpython_unraisable_imports(void)
{
	return PY_VERSION_HEX >= 0x030f0000;
}
