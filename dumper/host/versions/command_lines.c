/*
 * Lines of a -c command in tracebacks, from 3.13 on.
 */
#include "command.h"

#if PY_VERSION_HEX >= 0x030d0000
/* pythonrun.c of 3.13, run_mod(): with the code object, whose key linecache makes. */
int command_register(PyObject *code, const char *text)
{
	PyObject *linecache = PyImport_ImportModule("linecache"), *done = NULL;

	if (linecache)
		done = PyObject_CallMethod(linecache, "_register_code", "Oss", code, text,
			"<string>");
	Py_XDECREF(linecache);
	Py_XDECREF(done);
	return done ? 0 : -1;
}
#else
int command_register(PyObject *code, const char *text)
{
	(void)code;
	(void)text;
	return 0;
}
#endif
