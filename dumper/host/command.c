/*
 * -c's code: compiled, told to linecache, run. From 3.13 on CPython has a function
 * of its own for it, which is not exported: _PyRun_SimpleStringFlagsWithName().
 */
#include "command.h"

PyObject *command_execute(PyObject *code, PyObject *names)
{
	PyObject *result;

	if (PySys_Audit("exec", "O", code) < 0)
		return NULL;
	*cpython_unhandled_interrupt() = 0;
	result = PyEval_EvalCode(code, names, names);
	if (!result && PyErr_Occurred() == PyExc_KeyboardInterrupt)
		*cpython_unhandled_interrupt() = 1;
	return result;
}

/* The program may take __main__ out of sys.modules: its frame holds the names. */
int command_run(const char *text, PyCompilerFlags *flags)
{
	PyObject *module = PyImport_AddModule("__main__"), *code, *result = NULL;

	code = module ? Py_CompileStringExFlags(text, "<string>", Py_file_input, flags, -1) :
		NULL;
	if (code && command_register(code, text) == 0)
		result = command_execute(code, PyModule_GetDict(module));
	Py_XDECREF(code);
	if (!result)
		PyErr_Print();
	Py_XDECREF(result);
	return result ? 0 : -1;
}
