/*
 * Modules that runpy runs, and how a failure of it ends: Modules/main.c.
 */
#include "module_run.h"
#include "cpython.h"
#include "entry.h"

#include <stdio.h>

/* What SystemExit asks for. _Py_HandleSystemExit(), which is not exported. */
static int exit_status(void)
{
	PyObject *type, *value, *trace, *code, *out = PySys_GetObject("stderr");
	int status = 0;

	PyErr_Fetch(&type, &value, &trace);
	fflush(stdout);
	code = value && PyExceptionInstance_Check(value) ?
		PyObject_GetAttrString(value, "code") : NULL;
	PyErr_Clear();
	if (!code)
		Py_INCREF(code = value ? value : Py_None);
	if (PyLong_Check(code)) {
		status = (int)PyLong_AsLong(code);
	} else if (code != Py_None) {
		if (out && out != Py_None)
			PyFile_WriteObject(code, out, Py_PRINT_RAW);
		else
			PyObject_Print(code, stderr, Py_PRINT_RAW);
		PySys_WriteStderr("\n");
		status = 1;
	}
	PyErr_Clear();
	Py_XDECREF(code);
	Py_XDECREF(type);
	Py_XDECREF(value);
	Py_XDECREF(trace);
	return status;
}

/* pymain_exit_err_print(): unlike PyErr_Print() it comes back from SystemExit, so
 * that a prompt may follow. */
int module_failed(void)
{
	if (PyErr_ExceptionMatches(PyExc_SystemExit) && !cpython_config()->inspect)
		return exit_status();
	PyErr_Print();
	return 1;
}

int module_main_failed(void)
{
	if (cpython_main_returns())
		return module_failed();
	PyErr_Print();
	return 1;
}

/* runpy does it; `set_argv0` as for -m, `found`: the module is known already. */
int module_run(const char *name, int set_argv0, int found)
{
	PyObject *runpy, *text = PyUnicode_DecodeFSDefault(name), *result;

	if (text && PySys_Audit("cpython.run_module", "O", text) < 0)
		return module_failed();
	runpy = PyImport_ImportModule("runpy");
	if (!runpy) {
		fprintf(stderr, "Could not import runpy module\n");
		return module_failed();
	}
	if (found && entry_lend_module())
		return module_failed();
	*cpython_unhandled_interrupt() = 0;
	result = PyObject_CallMethod(runpy, "_run_module_as_main", "OO", text,
		set_argv0 ? Py_True : Py_False);
	if (!result && PyErr_Occurred() == PyExc_KeyboardInterrupt)
		*cpython_unhandled_interrupt() = 1;
	Py_DECREF(runpy);
	Py_XDECREF(text);
	if (!result)
		return module_failed();
	Py_DECREF(result);
	return 0;
}
