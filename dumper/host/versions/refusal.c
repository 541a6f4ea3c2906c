/*
 * Which interpreter this is, and whether it can be frozen. Each check is made
 * when the host starts, too: it may have been built with other headers.
 */
#include "cpython.h"

#include <stdio.h>
#include <string.h>

const char *cpython_refusal(void)
{
	static char text[200];
	const char *have = Py_GetVersion();
	char want[16];

	snprintf(want, sizeof want, "%d.%d.", PY_MAJOR_VERSION, PY_MINOR_VERSION);
	if (strncmp(have, want, strlen(want)) == 0) {
#if PY_VERSION_HEX >= 0x030d0000 && defined(Py_GIL_DISABLED)
		return "free-threaded builds can't be frozen";
#endif
		return NULL;
	}
	snprintf(text, sizeof text, "this host is for CPython %sx, the interpreter is %.60s",
		want, have);
	return text;
}
