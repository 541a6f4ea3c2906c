/*
 * Lines of a -c command in tracebacks, from 3.13 on.
 */
#include "cpython.h"

const char *cpython_lines_module(void)
{
	return PY_VERSION_HEX >= 0x030d0000 ? "linecache" : NULL;
}

static PyObject *dict_of(PyObject *module, const char *name)
{
	PyObject *names = PyModule_GetDict(module);

	return names ? PyDict_GetItemString(names, name) : NULL;
}

/* pythonrun.c of 3.13, run_mod(): linecache makes its key of the code object. The
 * first releases of 3.13 have no dict of its own for it, and give the name. */
int cpython_register_lines(PyObject *module, PyObject *code, const char *text)
{
	PyObject *done = dict_of(module, "_interactive_cache") ?
		PyObject_CallMethod(module, "_register_code", "Oss", code, text, "<string>") :
		PyObject_CallMethod(module, "_register_code", "sss", "<string>", text,
			"<string>");

	Py_XDECREF(done);
	return done ? 0 : -1;
}

/* linecache.py */
PyObject *cpython_registered_lines(PyObject *module)
{
	PyObject *own = dict_of(module, "_interactive_cache");

	return own ? own : dict_of(module, "cache");
}
