/*
 * See path_copies.h.
 */
#include "path_copies.h"
#include "cpython.h"
#include "object_graph.h"
#include "talk.h"

#include <stdlib.h>
#include <string.h>

enum place { ITEM, VALUE, KEY, MEMBER };

static struct copy {
	enum place place;
	PyObject *holder;	/* a list, a dict, a dict, a set */
	PyObject *key;		/* VALUE */
	Py_ssize_t index;	/* ITEM */
} *copies;
static size_t count;
static PyObject *shown;		/* what stands there; borrowed */

static void add(enum place place, PyObject *holder, PyObject *key, Py_ssize_t index)
{
	copies = realloc(copies, (count + 1) * sizeof *copies);
	if (!copies)
		talk_refuse("out of memory");
	copies[count++] = (struct copy){ place, Py_NewRef(holder), Py_XNewRef(key), index };
}

static void find_in_dict(PyObject *dict)
{
	PyObject *key, *value;
	Py_ssize_t at = 0;

	while (PyDict_Next(dict, &at, &key, &value)) {
		if (value == shown)
			add(VALUE, dict, key, 0);
		if (key == shown)
			add(KEY, dict, NULL, 0);
	}
}

static void find_in_list(PyObject *list)
{
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++)
		if (PyList_GET_ITEM(list, i) == shown)
			add(ITEM, list, NULL, i);
}

/* -1: it is another kind of holder. */
static int find_in(PyObject *holder)
{
	if (PyDict_CheckExact(holder))
		find_in_dict(holder);
	else if (PySet_CheckExact(holder))
		add(MEMBER, holder, NULL, 0);
	else if (PyList_CheckExact(holder))
		find_in_list(holder);
	else
		return -1;
	return 0;
}

/* A text that begins with the stand-in, as a path or as a list of paths. */
static int is_made_of_it(PyObject *object)
{
	Py_ssize_t length = PyUnicode_GET_LENGTH(shown);
	Py_UCS4 next;

	if (object == shown || !PyUnicode_Check(object) ||
	    PyUnicode_Tailmatch(object, shown, 0, PY_SSIZE_T_MAX, -1) != 1)
		return 0;
	next = PyUnicode_GET_LENGTH(object) > length ? PyUnicode_READ_CHAR(object, length) : '/';
	return next == '/' || next == ':';
}

static int is_a(PyObject *object, const char *name)
{
	return strcmp(Py_TYPE(object)->tp_name, name) == 0;
}

/* importlib/_bootstrap_external.py: a _NamespacePath whose tuple is not that of sys.path
 * any more is made anew. importlib/metadata/__init__.py: there is a FastPath, and a key
 * of its cache, for each folder that was looked in. */
static int is_idle(const struct object_graph *graph, uint32_t holder, const uint32_t *first,
	const uint32_t *holders)
{
	PyObject *object = graph->nodes[holder].object, *item;
	int is = is_a(object, "FastPath");

	if (!PyTuple_CheckExact(object))
		return is;
	item = PyTuple_GET_ITEM(object, 0);
	is = PyType_Check(item) && strcmp(((PyTypeObject *)item)->tp_name, "FastPath") == 0;
	for (uint32_t i = first[holder]; i < first[holder + 1]; i++)
		is |= is_a(graph->nodes[holders[i]].object, "_NamespacePath");
	return is;
}

static void refuse(PyObject *text, PyObject *holder)
{
	talk_refuse("freeze what imports made of sys.path[0], which is another one in each "
		"process: an object of type %s has %.80s; build with --entry SCRIPT",
		Py_TYPE(holder)->tp_name, PyUnicode_AsUTF8(text));
}

void path_copies_find(PyObject *stand_in)
{
	const struct object_graph *graph = object_graph_make();
	uint32_t *first, *holders;

	shown = stand_in;
	if (!graph || object_graph_reverse(&first, &holders))
		talk_refuse("out of memory");
	for (uint32_t node = 0; node < graph->count; node++) {
		PyObject *text = graph->nodes[node].object;

		if (text != shown && !is_made_of_it(text))
			continue;
		for (uint32_t i = first[node]; i < first[node + 1]; i++)
			if (!is_idle(graph, holders[i], first, holders) &&
			    (text != shown || find_in(graph->nodes[holders[i]].object)))
				refuse(text, graph->nodes[holders[i]].object);
	}
	object_graph_drop();
}

/* In the key's place: order counts. */
static int change_key(PyObject *dict, PyObject *text)
{
	PyObject *old = PyDict_Copy(dict), *key, *value;
	Py_ssize_t at = 0;
	int failed = !old;

	if (old)
		PyDict_Clear(dict);
	while (!failed && PyDict_Next(old, &at, &key, &value))
		failed = PyDict_SetItem(dict, key == shown ? text : key, value);
	Py_XDECREF(old);
	return failed;
}

static int has_it(const struct copy *copy)
{
	PyObject *holder = copy->holder;

	switch (copy->place) {
	case ITEM:
		return copy->index < PyList_GET_SIZE(holder) &&
			PyList_GET_ITEM(holder, copy->index) == shown;
	case VALUE:
		return PyDict_GetItem(holder, copy->key) == shown;
	case KEY:
		return PyDict_Contains(holder, shown) == 1;
	default:
		return PySet_Contains(holder, shown) == 1;
	}
}

static int change(const struct copy *copy, PyObject *text)
{
	PyObject *holder = copy->holder;

	switch (copy->place) {
	case ITEM:
		return PyList_SetItem(holder, copy->index, Py_NewRef(text));
	case VALUE:
		return PyDict_SetItem(holder, copy->key, text);
	case KEY:
		return change_key(holder, text);
	default:
		return PySet_Discard(holder, shown) < 0 || PySet_Add(holder, text);
	}
}

static int take_out(const struct copy *copy, PyObject *next)
{
	PyObject *holder = copy->holder;

	switch (copy->place) {
	case ITEM:
		return PySequence_DelItem(holder, copy->index);
	case VALUE:
		return PyDict_SetItem(holder, copy->key, next);
	case KEY:
		return PyDict_DelItem(holder, shown);
	default:
		return PySet_Discard(holder, shown) < 0;
	}
}

int path_copies_change(PyObject *text)
{
	for (size_t i = 0; i < count; i++)
		if (has_it(&copies[i]) && change(&copies[i], text))
			return -1;
	shown = text;
	return 0;
}

/* From the last on, so that places in a list that has several stay right. */
int path_copies_remove(PyObject *next)
{
	for (size_t i = count; i--;)
		if (has_it(&copies[i]) && take_out(&copies[i], next))
			return -1;
	return 0;
}

void path_copies_release(void)
{
	for (; count; count--) {	/* Py_CLEAR() of 3.11 evaluates its argument twice */
		Py_CLEAR(copies[count - 1].holder);
		Py_CLEAR(copies[count - 1].key);
	}
}
