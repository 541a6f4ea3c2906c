/*
 * Python code that runs at the end sees in which order things go, and what is
 * gone by then. The fast end is like python3's only while the objects that
 * run code are held by the program's own modules alone: those go in the same
 * order. If something frozen holds one (os.x = D(), a cache, a registry), when
 * it goes depends on when its holder would, so python3's own end is needed.
 */
#include "visible.h"
#include "closers.h"
#include "collector.h"
#include "cpython.h"
#include "gc_view.h"
#include "imports.h"
#include "leftovers.h"
#include "reach.h"
#include "talk.h"

#include <signal.h>

static int warned;		/* ResourceWarning showed at the build */
static PyObject *get_signal;
static PyObject *filters, *filters_then;	/* of _warnings */
static PyObject *module_then;			/* of warnings, if imported */
static destructor finalize_file, finalize_socket;
static PyTypeObject *socket_type;
static PyTypeObject *writer_types[2];
static PyObject *builtins;
static unsigned long long builtins_version;
static PyObject *library[4];	/* globals of functions that are callbacks */

static PyObject *attribute(const char *module, const char *name)
{
	PyObject *found = PyDict_GetItemString(PyImport_GetModuleDict(), module);
	PyObject *value = found ? PyObject_GetAttrString(found, name) : NULL;

	PyErr_Clear();
	return value;
}

/* What the module `warnings` has for its filters, which may be another list than
 * C's; a borrowed reference, or NULL. */
static PyObject *filters_of_module(void)
{
	PyObject *module = PyDict_GetItemString(PyImport_GetModuleDict(), "warnings");

	return module && PyModule_Check(module) ?
		PyDict_GetItemString(PyModule_GetDict(module), "filters") : NULL;
}

/* Whether a filter is for any ResourceWarning: 1; 0 for none; -1 for some, or it
 * is not as warnings.py makes them. */
static int applies(PyObject *filter)
{
	PyObject *category;
	int overflow;

	if (!PyTuple_Check(filter) || PyTuple_GET_SIZE(filter) != 5)
		return -1;
	category = PyTuple_GET_ITEM(filter, 2);
	if (!PyType_Check(category))
		return -1;
	if (!PyType_IsSubtype((PyTypeObject *)PyExc_ResourceWarning,
			(PyTypeObject *)category))
		/* of one of its subclasses, there are warnings, too */
		return PyType_IsSubtype((PyTypeObject *)category,
			(PyTypeObject *)PyExc_ResourceWarning) ? -1 : 0;
	return PyTuple_GET_ITEM(filter, 1) == Py_None &&
		PyTuple_GET_ITEM(filter, 3) == Py_None &&
		PyLong_CheckExact(PyTuple_GET_ITEM(filter, 4)) &&
		PyLong_AsLongAndOverflow(PyTuple_GET_ITEM(filter, 4), &overflow) == 0 ? 1 : -1;
}

static int ignores(PyObject *filter)
{
	PyObject *action = PyTuple_Check(filter) && PyTuple_GET_SIZE(filter) ?
		PyTuple_GET_ITEM(filter, 0) : Py_None;

	return PyUnicode_Check(action) &&
		PyUnicode_CompareWithASCIIString(action, "ignore") == 0;
}

/* _warnings.c, get_filter(): the first that matches decides; where none does, the
 * default, which is to show. numpy ignores some of any category. */
static int shows(PyObject *list)
{
	if (!PyList_Check(list))
		return 1;
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
		PyObject *filter = PyList_GET_ITEM(list, i);
		int does = applies(filter);

		if (does && !ignores(filter))
			return 1;
		if (does > 0)
			return 0;
	}
	return 1;
}

void visible_prepare(void)
{
	static const char *const names[] = { "weakref", "_weakrefset", "functools", "logging" };
	PyObject *signals = PyImport_ImportModule("_signal");
	PyObject *core = PyImport_ImportModule("_warnings");
	PyObject *type = attribute("_io", "_IOBase");

	get_signal = signals ? PyObject_GetAttrString(signals, "getsignal") : NULL;
	filters = core ? PyObject_GetAttrString(core, "filters") : NULL;
	filters_then = filters ? PySequence_List(filters) : NULL;
	if (filters_of_module())
		module_then = PySequence_List(filters_of_module());
	if (!get_signal || !type || !filters_then)
		talk_refuse("prepare for the end: %s", imports_traceback());
	warned = shows(filters) || (filters_of_module() && shows(filters_of_module()));
	finalize_file = ((PyTypeObject *)type)->tp_finalize;
	Py_DECREF(type);
	Py_DECREF(core);
	Py_DECREF(signals);
	type = attribute("_socket", "socket");
	finalize_socket = type ? ((PyTypeObject *)type)->tp_finalize : NULL;
	Py_XDECREF(type);
	socket_type = (PyTypeObject *)attribute("socket", "socket");
	writer_types[0] = (PyTypeObject *)attribute("_io", "BufferedWriter");
	writer_types[1] = (PyTypeObject *)attribute("_io", "BufferedRandom");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		library[i] = attribute(names[i], "__dict__");
	closers_prepare();
	builtins = PyEval_GetBuiltins();
	builtins_version = cpython_dict_version(builtins);
}

void visible_release(void)
{
	closers_release();
	Py_CLEAR(get_signal);
	Py_CLEAR(filters);
	Py_CLEAR(filters_then);
	Py_CLEAR(module_then);
	Py_CLEAR(socket_type);
	Py_CLEAR(writer_types[0]);
	Py_CLEAR(writer_types[1]);
	for (size_t i = 0; i < sizeof library / sizeof *library; i++)
		Py_CLEAR(library[i]);
}

static int differs(PyObject *list, PyObject *then)
{
	Py_ssize_t count = PyList_GET_SIZE(then);

	if (!PyList_Check(list) || PyList_GET_SIZE(list) != count)
		return 1;
	for (Py_ssize_t i = 0; i < count; i++)
		if (PyList_GET_ITEM(list, i) != PyList_GET_ITEM(then, i))
			return 1;
	return 0;
}

/* ResourceWarning is ignored by default; what a program sets may show it. Looks
 * without touching a reference. */
static int warns(void)
{
	PyObject *now = filters_of_module();

	if (differs(filters, filters_then) ||
	    (now && differs(now, module_then ? module_then : filters_then)))
		return shows(filters) || (now && shows(now));
	return warned;
}

/* Of weakref.py and its like: they take entries out of tables. C's own have
 * the weak reference as their self (_abc, threading.local). */
static int is_silent_callback(PyObject *callback)
{
	if (PyCFunction_Check(callback)) {
		PyObject *self = PyCFunction_GET_SELF(callback);

		return self && PyWeakref_Check(self);
	}
	for (size_t i = 0; i < sizeof library / sizeof *library; i++)
		if (PyFunction_Check(callback) && library[i] &&
		    PyFunction_GET_GLOBALS(callback) == library[i])
			return 1;
	return 0;
}

static int is_silent_weakref(PyObject *object)
{
	PyObject *callback = ((PyWeakReference *)object)->wr_callback;

	return !callback || is_silent_callback(callback);
}

/* C's own types: module _io's are on the heap since 3.12, but can't be changed. */
static int is_of_c(PyTypeObject *type)
{
	return !(type->tp_flags & Py_TPFLAGS_HEAPTYPE) ||
		(type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE);
}

/* C's own files and sockets: their close() runs no Python code. */
static int is_file(PyTypeObject *type)
{
	return (type->tp_finalize == finalize_file && is_of_c(type)) ||
		(type == socket_type && type->tp_finalize == finalize_socket);
}

static int is_buffered_writer(PyTypeObject *type)
{
	return type == writer_types[0] || type == writer_types[1];
}

static enum ending judge_type(PyTypeObject *type)
{
	/* its objects may be out of the collector's sight */
	return (type->tp_flags & Py_TPFLAGS_HEAPTYPE) && !PyType_IS_GC(type) &&
		(type->tp_finalize || type->tp_del) ? ENDING_FULL : ENDING_QUIET;
}

static enum ending judge(PyObject *object)
{
	PyTypeObject *type = Py_TYPE(object);

	if (PyType_Check(object) && judge_type((PyTypeObject *)object))
		return ENDING_FULL;
	if (PyWeakref_Check(object))
		return is_silent_weakref(object) ? ENDING_QUIET : ENDING_CODE;
	if (!type->tp_finalize && !type->tp_del)
		return closers_is(type) ? ENDING_FILES : ENDING_QUIET;
	if (PyObject_GC_IsFinalized(object))
		return ENDING_QUIET;
	if (cpython_is_generator(object))
		return cpython_generator_runs(object) ? ENDING_CODE : ENDING_QUIET;
	if (is_file(type))
		return ENDING_FILES;
	return ENDING_CODE;
}

/* finalize_modules_delete_special() clears these before anything else. */
static void forget_special(void)
{
	const char *const names[] = {
		"ps1", "ps2", cpython_last_exc(), "last_type", "last_value", "last_traceback",
		"__interactivehook__", NULL
	};
	static const char *const streams[] = { "stdin", "stdout", "stderr", NULL };
	PyObject *value = PyDict_GetItemString(builtins, "_");

	if (value)
		reach_forget(value);
	for (const char *const *name = names; *name; name++)
		if ((value = PySys_GetObject(*name)))
			reach_forget(value);
	for (const char *const *name = streams; *name; name++)
		if ((value = PySys_GetObject(*name)))
			reach_forget(value);
}

static void add_modules(PyObject *names, int forget)
{
	PyObject *modules = PyImport_GetModuleDict();

	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(names); i++) {
		PyObject *module = PyDict_GetItem(modules, PyList_GET_ITEM(names, i));

		if (module && PyModule_Check(module)) {
			reach_add(PyModule_GetDict(module), 0, 0);
			reach_add(module, 0, 0);	/* __main__ is frozen */
			if (forget)
				reach_forget(module);
		}
	}
}

/* Signal handlers go in _PySignal_Fini(). */
static void forget_handlers(void)
{
	for (int n = 1; n < NSIG; n++) {
		PyObject *handler = PyObject_CallFunction(get_signal, "i", n);

		if (handler && handler != Py_None)
			reach_forget(handler);
		Py_XDECREF(handler);
		PyErr_Clear();
	}
}

/* What is held, by what it is. */
struct held {
	int code, files, writers, closers;
};

static int note_held(PyObject *object, void *data)
{
	struct held *held = data;

	if (!Py_TYPE(object)->tp_finalize && closers_is(Py_TYPE(object)))
		held->closers++;
	else if (judge(object) >= ENDING_CODE)
		held->code++;
	else
		held->files++;
	if (is_buffered_writer(Py_TYPE(object)) && !leftovers_is_closed(object))
		held->writers++;
	return 0;
}

/* What stays when the modules go, with `frozen` also when all that is frozen goes.
 * `objects` holds one reference to each. -1 without memory. */
static int find_held(PyObject *objects, PyObject *names, int frozen, struct held *held)
{
	Py_ssize_t count = PyList_GET_SIZE(objects) + 2 * PyList_GET_SIZE(names);

	if (reach_begin(count))
		return -1;
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(objects); i++) {
		PyObject *object = PyList_GET_ITEM(objects, i);

		reach_add(object, 1, judge(object) >= ENDING_FILES);
	}
	add_modules(names, !frozen);
	if (frozen)	/* sys and its modules are among them */
		reach_forget_frozen();
	else
		forget_special();
	forget_handlers();
	return reach_end(note_held, held);
}

/* The most that one of the objects asks for. */
static enum ending judge_all(PyObject *objects)
{
	enum ending most = ENDING_QUIET;

	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(objects) && most < ENDING_FULL; i++) {
		enum ending one = judge(PyList_GET_ITEM(objects, i));

		if (one > most)
			most = one;
	}
	return most;
}

int visible_rest(void)
{
	PyObject *objects = gc_view_young();
	int runs = objects && judge_all(objects) >= ENDING_CODE;

	PyErr_Clear();
	Py_XDECREF(objects);
	return runs;
}

/* Of two files that are held for writing the order may show. One is closed in the
 * end, if frozen objects hold it; what they hold that closes itself when it is freed
 * is not, but C's state may hold that for ever. What frames of other threads hold is
 * never destroyed, files neither. */
static int is_held(PyObject *objects, PyObject *names, int threads)
{
	struct held held = { 0, 0, 0, 0 }, by_c = held;

	if (find_held(objects, names, 0, &held) || held.code || held.writers > 1 ||
	    (threads && held.files))
		return 1;
	if (!held.writers && !held.closers)
		return 0;
	return find_held(objects, names, 1, &by_c) || by_c.writers ||
		by_c.closers != held.closers;
}

static enum ending judge_held(PyObject *objects, PyObject *names, int threads)
{
	enum ending most = judge_all(objects);

	if (most == ENDING_CODE && cpython_dict_version(builtins) != builtins_version)
		return ENDING_FULL;
	if ((most == ENDING_CODE || most == ENDING_FILES) && is_held(objects, names, threads))
		return ENDING_FULL;
	return most;
}

/* More than that, and the tables to look at them would be as large as they are. */
#define MANY 200000

static int are_many(void)
{
	int count = 0;

	for (int i = 0; i < CPYTHON_PERMANENT; i++) {
		PyObject *object = NULL;

		while (count <= MANY && (object = cpython_next_object(i, object)))
			count++;
	}
	return count > MANY;
}

enum ending visible_judge(PyObject *names)
{
	PyThreadState *tstate = PyThreadState_Get();
	PyObject *objects;
	enum ending ending;

	/* gc.freeze() by the program: what it froze never goes. Things out of the
	 * collector's sight warn, too (os.scandir) */
	if (cpython_is_watched(tstate) || !collector_is_as_frozen() || warns() ||
	    are_many())
		return ENDING_FULL;
	objects = gc_view_young();
	if (!objects) {
		PyErr_Clear();
		return ENDING_FULL;
	}
	ending = judge_held(objects, names, cpython_has_other_threads(tstate));
	Py_DECREF(objects);
	return ending;
}
