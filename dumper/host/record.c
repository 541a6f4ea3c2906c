/*
 * A run of a command that is to be frozen (pydump build --for). The interpreter is
 * Modules/main.c's own; an audit hook in C, which no program can see, looks at
 * sys.modules whenever anything is audited. importlib enters a module there before
 * it runs it, and running it is audited: so what was new since the last look began
 * just now, in the order in which the program began it. Nothing has to happen at
 * the end, which may be os._exit() or exec. Patterns are looked for likewise, and once
 * more at the end, where there is one.
 */
#include "record.h"
#include "control.h"
#include "cpython.h"
#include "imports.h"
#include "origin.h"
#include "patterns.h"
#include "talk.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pid_t owner;		/* not what it forks */
static unsigned long long version;	/* of sys.modules at the last look */
static PyObject *known;		/* dict: name to True (told), False (not yet) */
static int busy;

/* Modules of importlib.util.LazyLoader run when they are first used; what never
 * ran is not imported. */
static int is_lazy(PyObject *module)
{
	return strcmp(Py_TYPE(module)->tp_name, "_LazyModule") == 0;
}

/* Out of the module's dict: getattr() could run code of the module's. */
static PyObject *spec_of(PyObject *module)
{
	PyObject *dict = PyModule_Check(module) ? PyModule_GetDict(module) : NULL;

	return dict ? PyDict_GetItemString(dict, "__spec__") : NULL;
}

/* A module that was made on the fly has no spec; one under a name that is not its
 * own comes with the one that it is. */
static PyObject *describe(PyObject *name, PyObject *module)
{
	PyObject *spec = spec_of(module), *own, *origin, *text = NULL;

	own = spec && spec != Py_None ? PyObject_GetAttrString(spec, "name") : NULL;
	origin = own ? origin_of(spec) : NULL;
	if (origin && PyUnicode_Check(own) && PyUnicode_Compare(own, name) == 0)
		text = PyUnicode_FromFormat("import=%U\t%U", name, origin);
	PyErr_Clear();
	Py_XDECREF(own);
	Py_XDECREF(origin);
	return text;
}

static void send(PyObject *text)
{
	PyObject *bytes = text ? PyUnicode_EncodeFSDefault(text) : NULL;

	if (bytes && strlen(PyBytes_AS_STRING(bytes)) == (size_t)PyBytes_GET_SIZE(bytes))
		talk_try_send(CONTROL_RECORD, PyBytes_AS_STRING(bytes),
			(size_t)PyBytes_GET_SIZE(bytes) + 1);
	PyErr_Clear();
	Py_XDECREF(bytes);
	Py_XDECREF(text);
}

static void look_at(PyObject *name, PyObject *module)
{
	int lazy = is_lazy(module);
	PyObject *before = PyDict_GetItemWithError(known, name);

	if (!PyUnicode_Check(name) || before == Py_True || (lazy && before))
		return;
	PyDict_SetItem(known, name, lazy ? Py_False : Py_True);
	if (!lazy)
		send(describe(name, module));
}

/* An import that failed, or a module that took itself out. */
static void look_for_gone(PyObject *modules)
{
	PyObject *names = PyDict_Keys(known);

	for (Py_ssize_t i = 0; names && i < PyList_GET_SIZE(names); i++) {
		PyObject *name = PyList_GET_ITEM(names, i);

		if (PyDict_Contains(modules, name) == 1)
			continue;
		if (PyDict_GetItemWithError(known, name) == Py_True)
			send(PyUnicode_FromFormat("gone=%U", name));
		PyDict_DelItem(known, name);
	}
	Py_XDECREF(names);
}

static void look_at_modules(void)
{
	PyObject *modules = PyImport_GetModuleDict(), *items;
	unsigned long long now = modules ? cpython_dict_version(modules) : version;

	if (now == version)
		return;
	version = now;
	items = PyDict_Items(modules);
	for (Py_ssize_t i = 0; items && i < PyList_GET_SIZE(items); i++) {
		PyObject *pair = PyList_GET_ITEM(items, i);

		look_at(PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1));
	}
	Py_XDECREF(items);
	if (PyDict_GET_SIZE(known) > PyDict_GET_SIZE(modules))
		look_for_gone(modules);
}

static PyObject *look_at_end(PyObject *module, PyObject *nothing)
{
	(void)module;
	(void)nothing;
	if (getpid() == owner)
		patterns_look(send);
	PyErr_Clear();
	Py_RETURN_NONE;
}

/* What is compiled after the last audited event: registered first, it is called last.
 * The module is not the program's. */
static void look_again_at_end(void)
{
	static PyMethodDef method = { "look", look_at_end, METH_NOARGS, NULL };
	PyObject *module = imports_private("atexit");
	PyObject *function = PyCFunction_New(&method, NULL);
	PyObject *result = function ?
		PyObject_CallMethod(module, "register", "O", function) : NULL;

	Py_XDECREF(result);
	Py_XDECREF(function);
	Py_DECREF(module);
}

static void begin(void)
{
	known = PyDict_New();
	look_again_at_end();
}

static int hear(const char *event, PyObject *arguments, void *data)
{
	PyObject *type, *value, *trace;

	(void)event;
	(void)arguments;
	(void)data;
	/* before the start and after the end there is nothing to look at */
	/* another interpreter has modules of its own, and none at its end */
	if (busy || !Py_IsInitialized() ||
	    PyInterpreterState_Get() != PyInterpreterState_Main())
		return 0;
	busy = 1;
	PyErr_Fetch(&type, &value, &trace);
	if (!known)
		begin();
	if (known && getpid() == owner) {
		look_at_modules();
		patterns_look(send);
	}
	PyErr_Clear();
	PyErr_Restore(type, value, trace);
	busy = 0;
	return 0;
}

int record_run(int argc, char **argv, char **unset)
{
	PyPreConfig pre;
	PyStatus status;

	for (; *unset; unset++)
		unsetenv(*unset);
	owner = getpid();
	/* the hook lies in memory of the allocator that -X dev chooses, which must
	 * be in place by now: Py_FinalizeEx frees it there */
	PyPreConfig_InitPythonConfig(&pre);
	status = Py_PreInitializeFromBytesArgs(&pre, argc, argv);
	if (PyStatus_Exception(status))
		Py_ExitStatusException(status);
	if (PySys_AddAuditHook(hear, NULL))
		talk_refuse("listen to what the program imports");
	return Py_BytesMain(argc, argv);
}
