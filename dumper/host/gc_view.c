/*
 * Replaces functions of module gc (Modules/gcmodule.c) in the image, by their
 * rows in its method table, which every module object of that name shares.
 */
#include "gc_view.h"
#include "collector.h"
#include "frozen_objects.h"
#include "imports.h"
#include "patches.h"
#include "talk.h"

#include <string.h>

static int program_froze;	/* called freeze(): it expects all to be out of sight */

/* The table is that of all interpreters; frozen objects are the main one's. */
static int is_another(void)
{
	return PyInterpreterState_Get() != PyInterpreterState_Main();
}

static int each_frozen(int (*visit)(PyObject *object, void *data), void *data)
{
	return program_froze || is_another() ? 0 : frozen_objects_each(visit, data);
}

static int append(PyObject *object, void *list)
{
	return PyList_Append(list, object);
}

/* None, or no argument: all generations; and -1 stands for None. */
static int wants_frozen(PyObject *generation)
{
	long number = -1;

	if (generation && generation != Py_None)
		number = PyLong_AsLong(generation);
	PyErr_Clear();
	return number == -1 || number == collector_seeming_generation();
}

static _PyCFunctionFastWithKeywords get_objects;

static PyObject *show_objects(PyObject *self, PyObject *const *args, Py_ssize_t count,
	PyObject *names)
{
	/* its only parameter, by place or name; its __index__() is asked once */
	PyObject *which = count || (names && PyTuple_GET_SIZE(names)) ? args[0] : NULL;
	PyObject *list;
	PyObject *number = which && which != Py_None && PyIndex_Check(which) ?
		PyNumber_Index(which) : NULL;

	if (PyErr_Occurred())
		return NULL;
	list = get_objects(self, number ? &number : args, count, names);
	if (list && wants_frozen(number ? number : which) && each_frozen(append, list))
		Py_CLEAR(list);
	Py_XDECREF(number);
	return list;
}

struct search {
	PyObject *const *targets;
	Py_ssize_t count;
	PyObject *found;
};

static int is_target(PyObject *object, void *data)
{
	const struct search *search = data;

	for (Py_ssize_t i = 0; i < search->count; i++)
		if (search->targets[i] == object)
			return 1;
	return 0;
}

static int append_referrer(PyObject *object, void *data)
{
	struct search *search = data;

	if (!Py_TYPE(object)->tp_traverse(object, is_target, search))
		return 0;
	return PyList_Append(search->found, object);
}

static PyObject *add_referrers(PyObject *found, PyObject *const *targets, Py_ssize_t count)
{
	struct search search = { targets, count, found };

	if (found && each_frozen(append_referrer, &search))
		Py_CLEAR(search.found);
	return search.found;
}

static PyCFunction get_referrers;

static PyObject *show_referrers(PyObject *self, PyObject *args)
{
	return add_referrers(get_referrers(self, args), ((PyTupleObject *)args)->ob_item,
		PyTuple_GET_SIZE(args));
}

/* From 3.13 on it is called in another way. */
static _PyCFunctionFast get_referrers_fast;

static PyObject *show_referrers_fast(PyObject *self, PyObject *const *args,
	Py_ssize_t count)
{
	return add_referrers(get_referrers_fast(self, args, count), args, count);
}

static int count_one(PyObject *object, void *count)
{
	(void)object;
	++*(Py_ssize_t *)count;
	return 0;
}

static PyCFunction get_freeze_count;

static PyObject *show_freeze_count(PyObject *self, PyObject *unused)
{
	PyObject *object = NULL;
	Py_ssize_t count = 0;

	if (is_another())
		return get_freeze_count(self, unused);
	if (program_froze)
		frozen_objects_each(count_one, &count);
	while ((object = frozen_objects_next_other(object)))
		count++;
	return PyLong_FromSsize_t(count);
}

static PyCFunction freeze;

static PyObject *freeze_more(PyObject *self, PyObject *unused)
{
	if (!is_another())
		program_froze = 1;
	return freeze(self, unused);
}

int gc_view_program_froze(void)
{
	return program_froze;
}

static PyCFunction unfreeze;

/* Only what the program froze: the rest would cost it a page for each object at
 * its next collection, and is not what it asks for. */
static PyObject *unfreeze_less(PyObject *self, PyObject *unused)
{
	PyObject *object;

	if (is_another())
		return unfreeze(self, unused);
	program_froze = 0;
	while ((object = frozen_objects_next_other(NULL)))
		cpython_move_objects(object, object, CPYTHON_OLDEST, NULL);
	Py_RETURN_NONE;
}

#define FAST (METH_FASTCALL | METH_KEYWORDS)
#define AS_FUNCTION(f) ((PyCFunction)(void (*)(void))(f))

/* A row of gc's table is replaced by the one of its name that is called as it is.
 * `plain` is the host's own copy, which stays as it was. */
static struct row {
	const char *name;
	int flags;
	PyCFunction ours;
	PyCFunction *theirs;
	PyMethodDef *row, plain;
	PyObject *function;
} rows[] = {
#define FREEZE 0
	{ "freeze", METH_NOARGS, freeze_more, &freeze, NULL, { 0 }, NULL },
	{ "unfreeze", METH_NOARGS, unfreeze_less, &unfreeze, NULL, { 0 }, NULL },
	{ "get_freeze_count", METH_NOARGS, show_freeze_count, &get_freeze_count,
		NULL, { 0 }, NULL },
	{ "get_objects", FAST, AS_FUNCTION(show_objects), (PyCFunction *)&get_objects,
		NULL, { 0 }, NULL },
	{ "get_referrers", METH_VARARGS, show_referrers, &get_referrers,
		NULL, { 0 }, NULL },
	{ "get_referrers", METH_FASTCALL, AS_FUNCTION(show_referrers_fast),
		(PyCFunction *)&get_referrers_fast, NULL, { 0 }, NULL },
};

#define ROWS (sizeof rows / sizeof *rows)

static void keep_row(PyObject *module, struct row *row)
{
	PyObject *function = PyObject_GetAttrString(module, row->name);
	PyMethodDef *found;

	if (!function || !PyCFunction_Check(function))
		talk_refuse("prepare gc.%s: it is not CPython's any more", row->name);
	found = ((PyCFunctionObject *)function)->m_ml;
	Py_DECREF(function);
	if (found->ml_flags != row->flags)
		return;
	row->row = found;
	row->plain = *found;
	row->function = PyCFunction_NewEx(&row->plain, module, NULL);
	if (!row->function)
		talk_refuse("out of memory");
	if (row->theirs)
		*row->theirs = found->ml_meth;
}

void gc_view_keep(void)
{
	PyObject *module;

	PyGC_Collect();
	frozen_objects_note(CPYTHON_PERMANENT);
	module = imports_private("gc");
	for (size_t i = 0; i < ROWS; i++)
		keep_row(module, &rows[i]);
	Py_DECREF(module);
}

void gc_view_freeze(void)
{
	PyObject *done = PyObject_CallNoArgs(rows[FREEZE].function);

	if (!done)
		talk_refuse("freeze Python's objects: %s", imports_traceback());
	Py_DECREF(done);
}

void gc_view_note(void)
{
	frozen_objects_note(CPYTHON_OLDEST);
}

PyObject *gc_view_young(void)
{
	PyObject *list = PyList_New(0);

	for (int i = 0; list && i < CPYTHON_PERMANENT; i++) {
		PyObject *object = NULL;

		while (list && (object = cpython_next_object(i, object)))
			if (object != list && append(object, list))
				Py_CLEAR(list);
	}
	return list;
}

void gc_view_replace(void)
{
	frozen_objects_settle();
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].row)
			patches_add_word((uint64_t)&rows[i].row->ml_meth,
				(uint64_t)rows[i].ours);
}
