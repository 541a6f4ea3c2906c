/*
 * Frozen modules are kept alive by a reference of our own; so what they hold
 * stays, but the program's finalizers find neither them nor the means to import
 * anything, as in python3.
 */
#include "teardown.h"
#include "command.h"
#include "cpython.h"
#include "talk.h"

#include <stdint.h>
#include <stdlib.h>

static PyObject *modules;	/* sys.modules */
static unsigned long long modules_version;
static PyObject **frozen;	/* the modules in it, sorted by address */
static Py_ssize_t frozen_count;
static PyObject *main_names;	/* under which __main__ is in sys.modules */

static int by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)*(PyObject *const *)a;
	uintptr_t y = (uintptr_t)*(PyObject *const *)b;

	return (x > y) - (x < y);
}

void teardown_prepare(void)
{
	PyObject *name, *module, *main_module;
	Py_ssize_t i = 0;

	modules = PyImport_GetModuleDict();
	main_module = PyDict_GetItemString(modules, "__main__");
	main_names = PyList_New(0);
	frozen = calloc((size_t)PyDict_Size(modules) + 2, sizeof *frozen);
	if (!frozen || !main_module || !main_names)
		talk_refuse("prepare for the end: out of memory");
	while (PyDict_Next(modules, &i, &name, &module)) {
		if (module == main_module) {
			/* multiprocessing has it as __mp_main__, too */
			PyList_Append(main_names, name);
			continue;
		}
		Py_INCREF(module);
		frozen[frozen_count++] = module;
	}
	if (command_module()) {
		Py_INCREF(command_module());
		frozen[frozen_count++] = command_module();
	}
	qsort(frozen, (size_t)frozen_count, sizeof *frozen, by_address);
	modules_version = cpython_dict_version(modules);
}

void teardown_release(void)
{
	for (Py_ssize_t i = 0; i < frozen_count; i++)
		Py_DECREF(frozen[i]);
	frozen_count = 0;
	Py_CLEAR(main_names);
}

static int is_frozen(PyObject *module)
{
	return bsearch(&module, frozen, (size_t)frozen_count, sizeof *frozen,
		by_address) != NULL;
}

PyObject *teardown_names(void)
{
	PyObject *names, *name, *module;
	Py_ssize_t i = 0;

	if (cpython_dict_version(modules) == modules_version) {
		Py_INCREF(main_names);
		return main_names;
	}
	names = PyList_New(0);
	while (names && PyDict_Next(modules, &i, &name, &module))
		if (PyModule_Check(module) && !is_frozen(module) &&
		    PyList_Append(names, name))
			Py_CLEAR(names);
	return names;
}

static void clear_in_sys(const char *name, int always)
{
	if ((always || PySys_GetObject(name)) && PySys_SetObject(name, Py_None))
		PyErr_WriteUnraisable(NULL);
}

/* finalize_modules_delete_special() */
void teardown_special(int all)
{
	const struct {
		const char *name;
		int for_imports;
	} names[] = {
		{ "path", 1 }, { "argv", 1 }, { "ps1", 0 }, { "ps2", 0 },
		{ cpython_last_exc(), 0 },
		{ "last_type", 0 }, { "last_value", 0 }, { "last_traceback", 0 },
		{ "path_hooks", 1 }, { "path_importer_cache", 1 }, { "meta_path", 1 },
		{ "__interactivehook__", 1 },
	};
	static const char *const streams[][2] = {
		{ "stdin", "__stdin__" }, { "stdout", "__stdout__" },
		{ "stderr", "__stderr__" },
	};
	PyObject *builtins = PyEval_GetBuiltins();

	if (all || PyDict_GetItemString(builtins, "_"))
		PyDict_SetItemString(builtins, "_", Py_None);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (all || !names[i].for_imports)
			clear_in_sys(names[i].name, all);
	for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
		PyObject *original = PySys_GetObject(streams[i][1]);

		if (!original)
			original = Py_None;
		if (PySys_GetObject(streams[i][0]) != original)
			PySys_SetObject(streams[i][0], original);
	}
	PyErr_Clear();
}

static void remove_one(PyObject *name, PyObject *module, PyObject *alive)
{
	PyObject *reference = is_frozen(module) ? NULL : PyWeakref_NewRef(module, NULL);

	if (reference)
		PyList_Append(alive, reference);
	Py_XDECREF(reference);
	PyErr_Clear();
	if (PyDict_SetItem(modules, name, Py_None))
		PyErr_WriteUnraisable(NULL);
}

/* finalize_remove_modules(), finalize_clear_modules_dict() */
PyObject *teardown_remove(PyObject *names, int all)
{
	PyObject *alive = PyList_New(0), *name, *module;
	Py_ssize_t i = 0;

	if (!alive) {
		PyErr_Clear();
		return NULL;
	}
	if (all) {
		while (PyDict_Next(modules, &i, &name, &module))
			if (PyModule_Check(module))
				remove_one(name, module, alive);
		PyDict_Clear(modules);
		return alive;
	}
	for (; names && i < PyList_GET_SIZE(names); i++) {
		name = PyList_GET_ITEM(names, i);
		module = PyDict_GetItem(modules, name);
		if (module)
			remove_one(name, module, alive);
	}
	return alive;
}

static int is_private(PyObject *name)
{
	return PyUnicode_GET_LENGTH(name) > 0 && PyUnicode_READ_CHAR(name, 0) == '_' &&
		(PyUnicode_GET_LENGTH(name) == 1 || PyUnicode_READ_CHAR(name, 1) != '_');
}

/* _PyModule_ClearDict(): names with one underscore first, __builtins__ never. */
static void clear_module(PyObject *module)
{
	PyObject *dict = PyModule_GetDict(module), *name, *value;

	for (int rest = 0; rest < 2; rest++) {
		Py_ssize_t i = 0;

		while (PyDict_Next(dict, &i, &name, &value)) {
			if (value == Py_None || !PyUnicode_Check(name) ||
			    (!rest && !is_private(name)) ||
			    PyUnicode_CompareWithASCIIString(name, "__builtins__") == 0)
				continue;
			if (PyDict_SetItem(dict, name, Py_None))
				PyErr_WriteUnraisable(NULL);
		}
	}
}

/* finalize_modules_clear_weaklist(): those imported last come first. */
void teardown_clear(PyObject *alive)
{
	for (Py_ssize_t i = alive ? PyList_GET_SIZE(alive) - 1 : -1; i >= 0; i--) {
		PyObject *module = cpython_referent(PyList_GET_ITEM(alive, i));

		if (!module)
			continue;
		clear_module(module);
		Py_DECREF(module);
	}
	Py_XDECREF(alive);
}
