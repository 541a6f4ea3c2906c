/*
 * The permanent generation's list is in this order: objects of the host, a mark, frozen
 * objects that are hidden, a mark, frozen objects, a mark, what the program froze with
 * gc.freeze(). Where the first of the frozen ones is, `begin` tells. The marks are
 * objects like others, but never freed. Knows generations by cpython.h only.
 */
#include "frozen_objects.h"
#include "address_set.h"
#include "talk.h"

static PyObject *hidden_mark, *first_mark, *last_mark, *begin;

static struct address_set *noted, *hidden;

/* Told, not looked up: from 3.12 on a collection puts what is immortal into that
 * generation (update_refs() of gcmodule.c, gc.c), also when it was emptied. */
static int gone;

static int add(PyObject *object, void *set)
{
	return address_set_add(set, object);
}

static void prepare(void)
{
	noted = address_set_new();
	hidden = address_set_new();
	hidden_mark = PyList_New(0);
	begin = first_mark = PyList_New(0);
	last_mark = PyList_New(0);
	if (!noted || !hidden || !hidden_mark || !first_mark || !last_mark)
		talk_refuse("out of memory");
}

void frozen_objects_note(int generation)
{
	if (!noted)
		prepare();
	for (; generation >= 0; generation--) {
		PyObject *object = NULL;

		while ((object = cpython_next_object(generation, object)))
			if (add(object, noted))
				talk_refuse("out of memory");
	}
}

void frozen_objects_hide(PyObject *behind)
{
	if (!noted)
		prepare();
	while ((behind = cpython_next_object(0, behind)))
		if (add(behind, hidden))
			talk_refuse("out of memory");
}

void frozen_objects_show(void)
{
	begin = hidden_mark;
}

static PyObject *next_permanent(PyObject *object)
{
	return cpython_next_object(CPYTHON_PERMANENT, object);
}

static void move_permanent(PyObject *object, PyObject *before)
{
	cpython_move_objects(object, object, CPYTHON_PERMANENT, before);
}

void frozen_objects_settle(void)
{
	PyObject *object, *next;

	move_permanent(last_mark, NULL);
	move_permanent(first_mark, next_permanent(NULL));
	for (object = next_permanent(first_mark); object != last_mark; object = next) {
		next = next_permanent(object);
		if (!address_set_has(noted, object))
			move_permanent(object, first_mark);
	}
	move_permanent(hidden_mark, first_mark);
	for (object = next_permanent(NULL); object != hidden_mark; object = next) {
		next = next_permanent(object);
		if (address_set_has(hidden, object))
			move_permanent(object, first_mark);
	}
	address_set_free(noted);
	address_set_free(hidden);
}

void frozen_objects_leave(void)
{
	gone = 1;
}

int frozen_objects_each(int (*visit)(PyObject *object, void *data), void *data)
{
	PyObject *object;
	int result;

	if (gone)
		return 0;
	for (object = next_permanent(begin); object != last_mark;
	     object = next_permanent(object))
		if (object != first_mark && (result = visit(object, data)))
			return result;
	return 0;
}

PyObject *frozen_objects_next_other(PyObject *object)
{
	return gone ? NULL : next_permanent(object ? object : last_mark);
}

PyObject *frozen_objects_last(void)
{
	return last_mark;
}
