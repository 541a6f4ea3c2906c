/*
 * -c's code: compiled, told to linecache, run. 3.13 has a function of its own for
 * it, which is not exported and which PyRun_SimpleStringFlags() does not call:
 * _PyRun_SimpleStringFlagsWithName(). It imports linecache, which takes as long as
 * most of a start does. So that module is in the image, for commands only, and is
 * imported where the working folder holds another one.
 */
#include "command.h"
#include "enter.h"
#include "handoff.h"
#include "imports.h"
#include "shadow.h"

static PyObject *modules;	/* sys.modules */
static PyObject *kept;		/* the module, or NULL: the workload's, or none */
static PyObject *lines;		/* what it was told before the freeze */
static int shown;		/* it is in sys.modules */

void command_prepare(void)
{
	const char *name = cpython_lines_module();

	modules = PyImport_GetModuleDict();
	if (!name || PyDict_GetItemString(modules, name))
		return;
	shadow_prepare(NULL);
	kept = imports_private(name);
	if (cpython_registered_lines(kept))
		lines = PyDict_Copy(cpython_registered_lines(kept));
}

PyObject *command_module(void)
{
	return kept;
}

void command_forget(void)
{
	PyObject *now = kept ? cpython_registered_lines(kept) : NULL;

	if (shown)
		PyDict_DelItemString(modules, cpython_lines_module());
	shown = 0;
	if (now && lines && PyDict_Check(now)) {
		PyDict_Clear(now);
		PyDict_Update(now, lines);
	}
	PyErr_Clear();
}

/* python3 looks into the working folder first. A rehearsal has none. */
static int is_hidden(const char *name)
{
	const struct startup *s = &handoff.startup;

	return s->argv && !(s->options.flags & PYTHON_SAFE_PATH) && shadow_has(name);
}

static PyObject *import(const char *name)
{
	PyObject *module = PyDict_GetItemString(modules, name);

	if (!module && kept && !is_hidden(name)) {
		if (PyDict_SetItemString(modules, name, kept))
			return NULL;
		shown = 1;
		module = kept;
	}
	if (!module)
		return PyImport_ImportModule(name);
	Py_INCREF(module);
	return module;
}

int command_register(PyObject *code, const char *text)
{
	const char *name = cpython_lines_module();
	PyObject *module = name ? import(name) : NULL;
	int status = name ? -1 : 0;

	if (module)
		status = cpython_register_lines(module, code, text);
	Py_XDECREF(module);
	return status;
}

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

void command_release(void)
{
	Py_CLEAR(kept);
	Py_CLEAR(lines);
}
