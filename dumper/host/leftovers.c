/*
 * What is left when the program's modules are gone: objects that frozen ones
 * hold, and files that were open at the freeze.
 */
#include "leftovers.h"
#include "address_set.h"
#include "cpython.h"
#include "gc_view.h"
#include "reach.h"
#include "streams.h"
#include "talk.h"

static PyObject *flush_name, *closed_name;
static PyObject *writers;	/* frozen files that are open for writing */

int leftovers_is_closed(PyObject *stream)
{
	PyObject *closed = PyObject_GetAttr(stream, closed_name);
	int is = closed ? PyObject_IsTrue(closed) : 0;

	Py_XDECREF(closed);
	if (is < 0 || !closed)
		PyErr_Clear();
	return is > 0;
}

/* TextIOWrapper and buffered writers; a text layer flushes what is below. */
static int is_writer(PyObject *object, PyObject *text, PyObject *buffered)
{
	PyTypeObject *type = Py_TYPE(object);	/* a proxy of what is gone has no class */
	PyObject *answer;
	int is = 0;

	if (streams_is_kept(object) || (!PyType_IsSubtype(type, (PyTypeObject *)text) &&
	    !PyType_IsSubtype(type, (PyTypeObject *)buffered)))
		return 0;
	if (!leftovers_is_closed(object)) {
		answer = PyObject_CallMethod(object, "writable", NULL);
		is = answer == Py_True;
		Py_XDECREF(answer);
	}
	PyErr_Clear();
	return is;
}

/* Everything that is alive, before it goes out of the collector's sight. Not io's
 * classes: these are ABCs, which keep a weak reference to each type they see. */
static void find_writers(void)
{
	PyObject *io = PyImport_ImportModule("_io"), *all = gc_view_young();
	PyObject *text = io ? PyObject_GetAttrString(io, "TextIOWrapper") : NULL;
	PyObject *buffered = io ? PyObject_GetAttrString(io, "_BufferedIOBase") : NULL;

	writers = PyList_New(0);
	if (!writers || !all || !text || !buffered)
		talk_refuse("prepare for the end: out of memory");
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(all); i++)
		if (is_writer(PyList_GET_ITEM(all, i), text, buffered))
			PyList_Append(writers, PyList_GET_ITEM(all, i));
	Py_DECREF(all);
	Py_DECREF(text);
	Py_DECREF(buffered);
	Py_DECREF(io);
}

void leftovers_prepare(void)
{
	flush_name = PyUnicode_InternFromString("flush");
	closed_name = PyUnicode_InternFromString("closed");
	if (!flush_name || !closed_name)
		talk_refuse("prepare for the end: out of memory");
	find_writers();
}

void leftovers_release(void)
{
	Py_CLEAR(flush_name);
	Py_CLEAR(closed_name);
	Py_CLEAR(writers);
}

static void unraisable(PyObject *where)
{
	if (PyErr_Occurred())
		PyErr_WriteUnraisable(where);
}

static int is_due(PyObject *object)
{
	return Py_TYPE(object)->tp_finalize && !PyObject_GC_IsFinalized(object);
}

static int add(PyObject *object, void *set)
{
	return address_set_add(set, object);
}

/* Those of `objects` that C's state holds: python3 never finalises these. NULL if
 * nothing is due, or without memory. */
static struct address_set *held_by_c(PyObject *objects)
{
	struct address_set *set;
	Py_ssize_t i = 0, count = PyList_GET_SIZE(objects);

	while (i < count && !is_due(PyList_GET_ITEM(objects, i)))
		i++;
	if (i == count || !(set = address_set_new()))
		return NULL;
	if (reach_begin(count)) {
		address_set_free(set);
		return NULL;
	}
	for (i = 0; i < count; i++)
		reach_add(PyList_GET_ITEM(objects, i), 1, is_due(PyList_GET_ITEM(objects, i)));
	reach_forget_frozen();
	reach_end(add, set);
	return set;
}

/* What frozen objects hold python3 would destroy by now: a file in a module's
 * global. */
void leftovers_finalize(int held)
{
	PyObject *objects = gc_view_young();
	struct address_set *others = held && objects ? held_by_c(objects) : NULL;

	for (Py_ssize_t i = 0; objects && i < PyList_GET_SIZE(objects); i++) {
		PyObject *object = PyList_GET_ITEM(objects, i);

		if (is_due(object) && !(others && address_set_has(others, object)))
			PyObject_CallFinalizer(object);
		unraisable(NULL);
	}
	unraisable(NULL);
	address_set_free(others);
	Py_XDECREF(objects);
}

/* Files that were open for writing at the freeze: python3 flushes them when it
 * deallocates them, and says nothing where that fails. */
void leftovers_flush(void)
{
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(writers); i++) {
		PyObject *done = PyObject_CallMethodNoArgs(PyList_GET_ITEM(writers, i),
			flush_name);

		PyErr_Clear();
		Py_XDECREF(done);
	}
}
