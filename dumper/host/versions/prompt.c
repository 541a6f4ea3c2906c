/*
 * The prompt on a terminal is a module of the library (_pyrepl) from 3.13 on. It is run
 * as by -m; from 3.14 on it is called for the __main__ that there is (main.c).
 */
#include "cpython.h"

int cpython_prompt_is_module(void)
{
	return PY_VERSION_HEX >= 0x030d0000;
}

int cpython_prompt_is_in_main(void)
{
	return PY_VERSION_HEX >= 0x030e0000;
}

PyObject *cpython_prompt_names(int with_startup)
{
	PyObject *names = Py_BuildValue("{s:O}", "pythonstartup",
		with_startup ? Py_True : Py_False);
	PyObject *module;

	if (!names || !cpython_prompt_is_in_main())
		return names;
	module = PyImport_AddModule("__main__");
	if (!module || PyDict_SetItemString(names, "mainmodule", module))
		Py_CLEAR(names);
	return names;
}
