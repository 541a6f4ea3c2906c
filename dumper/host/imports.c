/*
 * The workload: imports and warm-up, with errors as text for pydump.
 */
#include "imports.h"
#include "callbacks.h"
#include "cpython.h"
#include "talk.h"

#include <stdio.h>
#include <string.h>

const char *imports_traceback(void)
{
	PyObject *type, *value, *trace, *module, *lines = NULL, *text = NULL;
	PyObject *empty = PyUnicode_FromString("");
	static PyObject *kept;

	cpython_unhear();	/* it reads the files for their lines */
	PyErr_Fetch(&type, &value, &trace);
	PyErr_NormalizeException(&type, &value, &trace);
	module = PyImport_ImportModule("traceback");
	if (module && empty)
		lines = PyObject_CallMethod(module, "format_exception", "OOO", type,
			value ? value : Py_None, trace ? trace : Py_None);
	if (lines)
		text = PyUnicode_Join(empty, lines);
	if (!text) {
		PyErr_Clear();
		text = PyObject_Str(value ? value : type);
	}
	Py_XDECREF(kept);
	kept = text ? PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace") : NULL;
	PyErr_Clear();
	return kept ? PyBytes_AsString(kept) : "(its exception can't be printed)";
}

static int is_missing(const char *name)
{
	PyObject *type, *value, *trace, *missing;
	int same = 0;

	if (!PyErr_ExceptionMatches(PyExc_ModuleNotFoundError))
		return 0;
	PyErr_Fetch(&type, &value, &trace);
	PyErr_NormalizeException(&type, &value, &trace);
	missing = PyObject_GetAttrString(value, "name");
	if (missing && PyUnicode_Check(missing)) {
		const char *which = PyUnicode_AsUTF8(missing);
		size_t n = which ? strlen(which) : 0;

		same = which && strncmp(name, which, n) == 0 &&
			(name[n] == 0 || name[n] == '.');
	}
	Py_XDECREF(missing);
	PyErr_Clear();
	PyErr_Restore(type, value, trace);
	return same;
}

void imports_module(const char *name)
{
	PyObject *module = PyImport_ImportModule(name);

	if (!module) {
		if (is_missing(name))
			talk_refuse("import %s: no such module for this interpreter "
				"(is its package installed?)", name);
		talk_refuse("import %s: it raised\n%s", name, imports_traceback());
	}
	Py_DECREF(module);
}

PyObject *imports_private(const char *name)
{
	PyObject *modules = PyImport_GetModuleDict();
	int was_there = PyDict_GetItemString(modules, name) != NULL;
	PyObject *module = PyImport_ImportModule(name);

	if (!module || (!was_there && PyDict_DelItemString(modules, name)))
		talk_refuse("import %s: %s", name, imports_traceback());
	return module;
}

int imports_run(const char *code, PyObject *names)
{
	PyObject *result = NULL;

	if (names && !PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()))
		result = PyRun_String(code, Py_file_input, names, names);
	Py_XDECREF(result);
	return result ? 0 : -1;
}

/* 1: it was SystemExit with a status that means success. */
static int exited_well(void)
{
	PyObject *type, *value, *trace, *code;
	int well;

	if (!PyErr_ExceptionMatches(PyExc_SystemExit))
		return 0;
	PyErr_Fetch(&type, &value, &trace);
	PyErr_NormalizeException(&type, &value, &trace);
	code = PyObject_GetAttrString(value, "code");
	well = code && (code == Py_None ||
		(PyLong_Check(code) && PyLong_AsLong(code) == 0));
	Py_XDECREF(code);
	PyErr_Clear();
	PyErr_Restore(type, value, trace);
	return well;
}

static PyObject *namespace_of(const char *path)
{
	PyObject *names = PyDict_New();
	PyObject *file = PyUnicode_DecodeFSDefault(path);
	PyObject *main = PyUnicode_FromString("__main__");

	if (!names || !file || !main ||
	    PyDict_SetItemString(names, "__name__", main) ||
	    PyDict_SetItemString(names, "__file__", file) ||
	    PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()))
		talk_refuse("warm up with %s: %s", path, imports_traceback());
	Py_DECREF(file);
	Py_DECREF(main);
	return names;
}

void imports_warm_up(const char *path)
{
	PyObject *names = namespace_of(path), *result;
	Py_ssize_t hooks = callbacks_count();
	FILE *file = fopen(path, "rbe");

	if (!file)
		talk_refuse("warm up with %s: %m", path);
	result = PyRun_FileExFlags(file, path, Py_file_input, names, names, 1, NULL);
	if (!result && !exited_well())
		talk_refuse("warm up with %s: it raised\n%s", path, imports_traceback());
	PyErr_Clear();
	Py_XDECREF(result);
	if (callbacks_count() == hooks)	/* they need their globals */
		PyDict_Clear(names);
	Py_DECREF(names);
}
