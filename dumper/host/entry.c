/*
 * The entry: checked, found and compiled before the freeze, so that a start
 * neither reads nor compiles it. What runs it follows Python/pythonrun.c
 * (_PyRun_SimpleFileObject, run_mod) and Lib/runpy.py. Whatever does not fit is
 * left to run.c, which runs a command, module or file as any start does.
 */
#include "entry.h"
#include "command.h"
#include "cpython.h"
#include "enter.h"
#include "handoff.h"
#include "imports.h"
#include "main_file.h"
#include "module_run.h"
#include "path0.h"
#include "shadow.h"
#include "source.h"
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char *function;		/* MODULE:FUNCTION, or NULL */
static PyObject *code;		/* compiled, or NULL */
static PyObject *loader;	/* __main__.__loader__ of a file */
static PyObject *details;	/* what runpy says of a module, or NULL */
static PyObject *runpy;		/* its namespace */
static PyObject *finder;	/* its function that finds modules */

static int is_mode(uint32_t mode)
{
	return handoff.entry_mode == mode;
}

void entry_keep(char **words, char *wanted)
{
	function = wanted;
	if (!words[0])
		return;
	if (words[0][0] == '/') {
		handoff.entry_mode = STARTUP_FILE;
		handoff.entry_what = words[0];
	} else if (words[0][0] == '-' && words[1]) {
		handoff.entry_mode = words[0][1] == 'c' ? STARTUP_COMMAND : STARTUP_MODULE;
		handoff.entry_what = words[1];
	} else {
		talk_refuse("pydump asked for the entry %s, which this host does not "
			"know: pydump and host are of different versions", words[0]);
	}
}

const char *entry_file(void)
{
	return is_mode(STARTUP_FILE) ? handoff.entry_what : NULL;
}

/* --- a module --- */

static int is_runpy_error(void)
{
	PyObject *error = PyDict_GetItemString(runpy, "_Error");

	return error && PyErr_ExceptionMatches(error);
}

/* str() of the exception that is set. */
static const char *message(void)
{
	PyObject *type, *value, *trace, *text;
	const char *bytes;

	PyErr_Fetch(&type, &value, &trace);
	text = value ? PyObject_Str(value) : NULL;
	bytes = text ? PyUnicode_AsUTF8(text) : NULL;
	PyErr_Clear();
	return bytes ? bytes : "it raised";	/* kept: the process ends */
}

/* Modules look at sys.argv[0] when they are imported. */
static void set_argv0(PyObject *text)
{
	PyObject *argv = PySys_GetObject("argv");

	if (!text || !PyUnicode_Check(text) || !argv || !PyList_Check(argv) ||
	    PyList_SetSlice(argv, 0, PyList_GET_SIZE(argv), NULL) ||
	    PyList_Append(argv, text))
		talk_refuse("prepare sys.argv: %s", imports_traceback());
	Py_DECREF(text);
}

/* runpy imports the packages above the module and warns if that brought the
 * module, too. Then it is not run from here, so that each run warns. */
static void find_module(void)
{
	PyObject *module, *error;

	talk_progress("looking for %s", handoff.entry_what);
	shadow_prepare(handoff.entry_what);
	module = PyImport_ImportModule("runpy");
	runpy = module ? PyModule_GetDict(module) : NULL;
	finder = runpy ? PyDict_GetItemString(runpy, "_get_module_details") : NULL;
	error = runpy ? PyDict_GetItemString(runpy, "_Error") : NULL;
	if (!finder || !error)
		talk_refuse("import runpy: %s", imports_traceback());
	Py_INCREF(finder);
	source_begin_rule("error", PyExc_RuntimeWarning, "runpy");
	details = PyObject_CallFunction(finder, "sO", handoff.entry_what, error);
	source_end_rule();
	if (details && PyTuple_Check(details) && PyTuple_GET_SIZE(details) == 3)
		return;
	Py_CLEAR(details);
	if (PyErr_Occurred() && is_runpy_error())
		talk_refuse("entry %s: %s", handoff.entry_what, message());
	if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_RuntimeWarning))
		talk_refuse("entry %s: it raised\n%s", handoff.entry_what,
			imports_traceback());
	PyErr_Clear();
}

void entry_begin(const char *argv0)
{
	PyObject *origin;

	if (argv0)
		set_argv0(PyUnicode_DecodeFSDefault(argv0));
	if (!is_mode(STARTUP_MODULE))
		return;
	set_argv0(PyUnicode_FromString("-m"));
	find_module();
	origin = details ? PyObject_GetAttrString(PyTuple_GET_ITEM(details, 1), "origin") : NULL;
	if (origin && PyUnicode_Check(origin))
		set_argv0(origin);
	PyErr_Clear();
}

static PyObject *give_details(PyObject *self, PyObject *arguments)
{
	(void)self;
	(void)arguments;
	if (PyDict_SetItemString(runpy, "_get_module_details", finder))
		return NULL;
	Py_INCREF(details);
	return details;
}

static PyMethodDef give_method = {
	"_get_module_details", give_details, METH_VARARGS, NULL
};

int entry_lend_module(void)
{
	PyObject *give = PyCFunction_New(&give_method, NULL);
	int failed = !give || PyDict_SetItemString(runpy, "_get_module_details", give);

	Py_XDECREF(give);
	return failed ? -1 : 0;
}

/* --- a function --- */

static void check_function(void)
{
	char *copy = strdup(function), *name, *rest;
	PyObject *found, *next;

	if (!copy || !(name = strchr(copy, ':')))
		talk_refuse("out of memory");
	*name++ = 0;
	talk_progress("importing %s", copy);
	imports_module(copy);
	found = PyImport_ImportModule(copy);
	for (name = strtok_r(name, ".", &rest); name; name = strtok_r(NULL, ".", &rest)) {
		next = found ? PyObject_GetAttrString(found, name) : NULL;
		if (!next)
			talk_refuse("entry %s: %s", function, message());
		Py_DECREF(found);
		found = next;
	}
	if (!PyCallable_Check(found))
		talk_refuse("entry %s: it is no function but of type %s", function,
			Py_TYPE(found)->tp_name);
	Py_DECREF(found);
	free(copy);
}

/* --- a file --- */

/* A folder or zip file: runpy's, at each start. */
static void check_main(PyObject *importer)
{
	PyObject *spec = PyObject_CallMethod(importer, "find_spec", "s", "__main__");

	if (!spec || spec == Py_None)
		talk_refuse("entry %s: there is no __main__ in it", handoff.entry_what);
	Py_DECREF(spec);
}

static void prepare_file(void)
{
	const char *name = handoff.entry_what;
	PyObject *filename = PyUnicode_DecodeFSDefault(name);
	PyObject *importer = filename ? PyImport_GetImporter(filename) : NULL;

	if (!importer)
		talk_refuse("entry %s: %s", name, imports_traceback());
	if (importer != Py_None) {
		check_main(importer);
	} else if (!(handoff.options.flags & PYTHON_SKIP_LINE)) {
		code = source_compile_file(name, filename);
		loader = code ? main_file_loader(filename) : NULL;
		if (code && !loader)
			talk_refuse("entry %s: %s", name, imports_traceback());
	}
	Py_DECREF(importer);
	Py_DECREF(filename);
}

void entry_prepare(void)
{
	if (function)
		check_function();
	if (is_mode(STARTUP_COMMAND))
		code = source_compile_command(handoff.entry_what);
	if (is_mode(STARTUP_FILE))
		prepare_file();
}

/* --- the report --- */

/* The module file whose code is run; it is not in sys.modules. */
static void report_module(void (*put)(const char *key, const char *value))
{
	PyObject *spec = PyTuple_GET_ITEM(details, 1);
	PyObject *has = PyObject_GetAttrString(spec, "has_location");
	PyObject *origin = PyObject_GetAttrString(spec, "origin");
	PyObject *bytes = NULL;

	if (has && origin && PyObject_IsTrue(has) == 1 && PyUnicode_Check(origin))
		bytes = PyUnicode_EncodeFSDefault(origin);
	if (bytes)
		put("read", PyBytes_AS_STRING(bytes));
	PyErr_Clear();
	Py_XDECREF(bytes);
	Py_XDECREF(origin);
	Py_XDECREF(has);
}

/* Each run of python3 writes __pycache__ into it. */
static int is_folder(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

void entry_report(void (*put)(const char *key, const char *value))
{
	if (is_mode(STARTUP_FILE)) {
		put(is_folder(handoff.entry_what) ? "modules_in" : "read", handoff.entry_what);
		path0_report(put);
	}
	if (details)
		report_module(put);
}

/* --- a start --- */

int entry_is_ready(const struct startup *startup)
{
	return startup->by_entry && (code || details);
}

static PyObject *evaluate_file(void *filename, PyObject *names)
{
	if (PySys_Audit("compile", "OO", Py_None, filename) < 0)
		return NULL;
	return command_execute(code, names);
}

static int run_file(void)
{
	PyObject *filename = PyUnicode_DecodeFSDefault(handoff.entry_what);
	int status = filename ? main_file_evaluate(filename, loader, evaluate_file, filename) :
		module_failed();

	Py_XDECREF(filename);
	return status;
}

int entry_run(const struct startup *startup, const char *command)
{
	PyObject *module = PyImport_AddModule("__main__"), *held, *result;
	PyObject *names = module ? PyModule_GetDict(module) : NULL;

	if (!names)
		return module_failed();
	if (startup->mode == STARTUP_FILE)
		return run_file();
	/* as run_told() of command.c; older ones hold nothing */
	held = cpython_lines_module() ? Py_NewRef(module) : NULL;
	/* Parser/peg_api.c, as PyRun_SimpleString() comes to it */
	result = PySys_Audit("compile", "ys", command, "<string>") < 0 ||
		command_register(code, command) ? NULL :
		command_execute(code, names);
	Py_XDECREF(held);
	Py_XDECREF(result);
	return result ? 0 : module_main_failed();
}

void entry_release(void)
{
	Py_CLEAR(code);
	Py_CLEAR(loader);
	Py_CLEAR(details);
	Py_CLEAR(finder);
}
