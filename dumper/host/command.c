/*
 * -c's code: compiled, told to linecache, run. 3.13 has a function of its own for
 * it, which is not exported and which PyRun_SimpleStringFlags() does not call:
 * _PyRun_SimpleStringFlagsWithName(). It imports linecache, which takes as long as
 * most of a start does. So that module is in the image, for commands only, and is
 * imported where the working folder holds another one.
 */
#include "command.h"
#include "collector.h"
#include "enter.h"
#include "free_use.h"
#include "frozen_objects.h"
#include "handoff.h"
#include "heap_view.h"
#include "imports.h"
#include "module_run.h"
#include "shadow.h"

static PyObject *modules;	/* sys.modules */
static PyObject *told;		/* the module, or NULL: this version tells none */
static PyObject *kept;		/* it, where the workload has not imported it */
static PyObject *lines;		/* what it was told before the freeze */
static int shown;		/* it is in sys.modules */
static long long blocks;	/* and leaves in use */

/* 3.15's linecache is: no folder is looked at. */
static int is_frozen_module(const char *name)
{
	PyObject *imp = PyImport_ImportModule("_imp");
	PyObject *found = imp ? PyObject_CallMethod(imp, "find_frozen", "s", name) : NULL;
	int is = found && found != Py_None;

	PyErr_Clear();
	Py_XDECREF(found);
	Py_XDECREF(imp);
	return is;
}

/* python3 makes an importer of the working folder, too. */
static void make_importer(void)
{
	PyObject *cache = PySys_GetObject("path_importer_cache");
	PyObject *folder = PyUnicode_FromString("/");
	PyObject *importer = folder ? PyImport_GetImporter(folder) : NULL;
	PyObject *spec = importer ? PyObject_CallMethod(importer, "find_spec", "s",
		cpython_lines_module()) : NULL;

	PyErr_Clear();
	Py_XDECREF(spec);
	if (importer && cache && PyDict_DelItem(cache, folder))
		PyErr_Clear();
	Py_XDECREF(folder);	/* the importer is kept, for it is counted */
}

/* As an import by python3: what it makes is to be seen when it is. */
static void keep(const char *name)
{
	struct collector_pause pause = collector_pause();
	PyObject *last = PyList_New(0);	/* stays */
	int has_importer = !is_frozen_module(name);

	collector_level();
	free_use_watch();
	blocks = -heap_view_count();
	if (has_importer)
		make_importer();
	/* what comes behind it is hidden */
	if (last)
		cpython_move_objects(last, last, 0, NULL);
	kept = imports_private(name);
	free_use_watched();
	frozen_objects_hide(last);
	blocks += heap_view_count();
	collector_go_on(pause);
}

void command_prepare(void)
{
	const char *name = cpython_lines_module();
	PyObject *now;

	modules = PyImport_GetModuleDict();
	if (!name)
		return;
	shadow_prepare(NULL);
	told = PyDict_GetItemString(modules, name);
	if (!told) {
		keep(name);
		told = kept;
	}
	now = cpython_registered_lines(told);
	lines = now && PyDict_CheckExact(now) ? PyDict_Copy(now) : NULL;
}

PyObject *command_module(void)
{
	return kept;
}

/* A dict is in the collector's sight only if something was in it. */
void command_forget(void)
{
	PyObject *now = lines ? cpython_registered_lines(told) : NULL;

	if (shown)
		PyDict_DelItemString(modules, cpython_lines_module());
	shown = 0;
	if (now && PyDict_CheckExact(now)) {
		PyDict_Clear(now);
		PyDict_Update(now, lines);
		if (!PyDict_GET_SIZE(now) && PyObject_GC_IsTracked(now))
			PyObject_GC_UnTrack(now);
	}
	PyErr_Clear();
}

/* And no rehearsal. */
static int is_restored(void)
{
	return handoff.startup.argv != NULL;
}

/* python3 looks into the working folder first. */
static const char *hidden_by(const struct startup *s, const char *name)
{
	return s->options.flags & PYTHON_SAFE_PATH ? NULL : shadow_of(name);
}

static int is_hidden(const char *name)
{
	return is_restored() && hidden_by(&handoff.startup, name);
}

/* Those that imported the image's module would have the other one, too. */
const char *command_differs(const struct startup *s)
{
	return told && !kept && s->mode == STARTUP_COMMAND ?
		hidden_by(s, cpython_lines_module()) : NULL;
}

static PyObject *import(const char *name)
{
	PyObject *module = PyDict_GetItemString(modules, name);
	int more;

	if (!module && kept && !is_hidden(name)) {
		if (PyDict_SetItemString(modules, name, kept))
			return NULL;
		shown = 1;
		module = kept;
		more = free_use();
		if (is_restored()) {
			frozen_objects_show();
			heap_view_show(blocks + more);
		}
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

/* __main__ is held (PyImport_AddModuleRef()): where the code ends the interpreter, it
 * is among the modules that are alive then. The parser's arena has a list for as long
 * as the code runs, which the collector counts. */
static int run_told(const char *text, PyCompilerFlags *flags)
{
	PyObject *module = PyImport_AddModule("__main__");
	PyObject *code, *arena, *result = NULL;

	Py_XINCREF(module);
	code = module ? Py_CompileStringExFlags(text, "<string>", Py_file_input, flags, -1) :
		NULL;
	arena = code ? PyList_New(0) : NULL;	/* the one that was free last */
	if (code && command_register(code, text) == 0)
		result = command_execute(code, PyModule_GetDict(module));
	Py_XDECREF(code);
	Py_XDECREF(arena);
	Py_XDECREF(module);
	Py_XDECREF(result);
	return result ? 0 : module_main_failed();
}

int command_run(const char *text, PyCompilerFlags *flags)
{
	return cpython_lines_module() ? run_told(text, flags) :
		PyRun_SimpleStringFlags(text, flags) != 0;
}

void command_release(void)
{
	Py_CLEAR(kept);
	Py_CLEAR(lines);
}
