/*
 * What SystemExit of a command or a script does: PyErr_Print() ended the process for it,
 * as it does for the program's own calls. gh-152132: Py_RunMain() returns its exit code,
 * so that a prompt may follow (PYTHONINSPECT, set by the program). A bug's repair: the
 * release counts, not that of the headers.
 */
#include "cpython.h"

int cpython_main_returns(void)
{
	switch (Py_Version >> 16) {
	case 0x030d:
		return Py_Version >= 0x030d0f00;
	case 0x030e:
		return Py_Version >= 0x030e0700;
	default:
		return Py_Version >= 0x030f00b4;
	}
}
