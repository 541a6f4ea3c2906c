/*
 * See path_copies.h.
 */
#include "path_copies.h"
#include "cpython.h"
#include "object_graph.h"
#include "talk.h"

#include <stdlib.h>

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

static void find_in(PyObject *holder)
{
	if (PyDict_CheckExact(holder))
		find_in_dict(holder);
	else if (PySet_CheckExact(holder))
		add(MEMBER, holder, NULL, 0);
	else if (PyList_CheckExact(holder))
		for (Py_ssize_t i = 0; i < PyList_GET_SIZE(holder); i++)
			if (PyList_GET_ITEM(holder, i) == shown)
				add(ITEM, holder, NULL, i);
}

void path_copies_find(PyObject *stand_in)
{
	const struct object_graph *graph;
	uint32_t *first, *holders;
	long node;

	shown = stand_in;
	if (Py_REFCNT(stand_in) == 1)
		return;
	graph = object_graph_make();
	if (!graph || object_graph_reverse(&first, &holders))
		talk_refuse("out of memory");
	node = object_graph_find(stand_in);
	for (uint32_t i = node < 0 ? 0 : first[node]; node >= 0 && i < first[node + 1]; i++)
		find_in(graph->nodes[holders[i]].object);
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
	while (count) {
		Py_CLEAR(copies[--count].holder);
		Py_CLEAR(copies[count].key);
	}
}
