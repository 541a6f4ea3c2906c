/*
 * Lines of a -c command in tracebacks, from 3.13 on.
 */
#include "cpython.h"

/* pythonrun.c of 3.13, run_mod(): what _PyRun_SimpleStringFlagsWithName does
 * before it runs the code; that function itself is not exported. */
void cpython_register_command(PyObject *text)
{
#if PY_VERSION_HEX >= 0x030d0000
	PyObject *linecache = PyImport_ImportModule("linecache"), *done = NULL;

	if (linecache)
		done = PyObject_CallMethod(linecache, "_register_code", "sOs", "<string>",
			text, "<string>");
	Py_XDECREF(done);
	Py_XDECREF(linecache);
	PyErr_Clear();
#else
	(void)text;
#endif
}
