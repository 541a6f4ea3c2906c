/*
 * pycore_list.h, pycore_dict_state.h, pycore_tuple.h of 3.11, pycore_freelist.h of
 * 3.13, pycore_freelist_state.h of 3.14: lists, dicts, and tuples of each size up to
 * 20; from 3.14 on also iterators of both, slices, methods and functions of C.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_interp.h>

#include "versions/free_lists.h"

#if PY_VERSION_HEX >= 0x030e0000
enum { MOST_TUPLES = PyTuple_MAXSAVESIZE };
#elif PY_VERSION_HEX < 0x030c0000 || PY_VERSION_HEX >= 0x030d0000
enum { MOST_TUPLES = PyTuple_NFREELISTS };
#endif

#if PY_VERSION_HEX >= 0x030e0000
#include <internal/pycore_freelist_state.h>

enum { LISTS, DICTS, TUPLES, LIST_ITERATORS = TUPLES + MOST_TUPLES, TUPLE_ITERATORS,
	SLICES, C_FUNCTIONS, C_METHODS, METHODS, KINDS };

_Static_assert(KINDS <= FREE_LISTS_MOST, "a kind has no place");
_Static_assert(Py_tuple_MAXFREELIST <= FREE_LISTS_KEPT, "more are kept of a kind");

static struct _Py_freelist *list_of(int kind)
{
	struct _Py_freelists *lists = &PyInterpreterState_Get()->object_state.freelists;

	switch (kind) {
	case LISTS:		return &lists->lists;
	case DICTS:		return &lists->dicts;
	case LIST_ITERATORS:	return &lists->list_iters;
	case TUPLE_ITERATORS:	return &lists->tuple_iters;
	case SLICES:		return &lists->slices;
	case C_FUNCTIONS:	return &lists->pycfunctionobject;
	case C_METHODS:		return &lists->pycmethodobject;
	case METHODS:		return &lists->pymethodobjects;
	default:		return &lists->tuples[kind - TUPLES];
	}
}

int free_lists_read(int *free)
{
	for (int kind = 0; kind < KINDS; kind++)
		free[kind] = (int)list_of(kind)->size;
	return KINDS;
}

int free_lists_room(int kind)
{
	switch (kind) {
	case LISTS:		return Py_lists_MAXFREELIST;
	case DICTS:		return Py_dicts_MAXFREELIST;
	case LIST_ITERATORS:	return Py_list_iters_MAXFREELIST;
	case TUPLE_ITERATORS:	return Py_tuple_iters_MAXFREELIST;
	case SLICES:		return Py_slices_MAXFREELIST;
	case C_FUNCTIONS:	return Py_pycfunctionobject_MAXFREELIST;
	case C_METHODS:		return Py_pycmethodobject_MAXFREELIST;
	case METHODS:		return Py_pymethodobjects_MAXFREELIST;
	default:		return Py_tuple_MAXFREELIST;
	}
}

static PyObject *nothing(PyObject *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	return NULL;
}

/* Which list a function of C is from depends on METH_METHOD (methodobject.c). */
static PyObject *make_function(int flags)
{
	static PyMethodDef plain = { "nothing", nothing, METH_NOARGS, NULL };
	static PyMethodDef of_class = { "nothing", (PyCFunction)(void (*)(void))nothing,
		METH_METHOD | METH_FASTCALL | METH_KEYWORDS, NULL };

	return flags & METH_METHOD ? PyCMethod_New(&of_class, Py_None, NULL, &PyList_Type) :
		PyCMethod_New(&plain, NULL, NULL, NULL);
}

static PyObject *iterator(PyObject *of)
{
	return of ? PyObject_GetIter(of) : NULL;
}

PyObject *free_lists_make(int kind)
{
	static PyObject *list, *tuple;

	/* Kept; taken from its list before lists are looked at. The empty tuple is one. */
	if (!list && !(list = PyList_New(0)))
		return NULL;
	if (!tuple && !(tuple = PyTuple_New(0)))
		return NULL;
	switch (kind) {
	case LISTS:		return PyList_New(0);
	case DICTS:		return PyDict_New();
	case LIST_ITERATORS:	return iterator(list);
	case TUPLE_ITERATORS:	return iterator(tuple);
	case SLICES:		return PySlice_New(NULL, NULL, NULL);
	case C_FUNCTIONS:	return make_function(0);
	case C_METHODS:		return make_function(METH_METHOD);
	case METHODS:		return PyMethod_New(Py_None, Py_None);
	default:		return PyTuple_New(kind - TUPLES + 1);
	}
}

/* pycore_freelist.h: the word that counts references links free ones. Whoever takes one
 * sets the word behind its head: size of a list, entries of a dict, index of an
 * iterator, start, definition, function. That of a tuple, its size, stays; its hash is
 * set. */
static Py_ssize_t *word_of(PyObject *object)
{
	return PyTuple_CheckExact(object) ? &((PyTupleObject *)object)->ob_hash :
		(Py_ssize_t *)(object + 1);
}

void free_lists_mark(PyObject *free)
{
	*word_of(free) = FREE_LISTS_MARK;
}

int free_lists_is_marked(PyObject *free)
{
	return *word_of(free) == FREE_LISTS_MARK;
}
#else
void free_lists_mark(PyObject *free)
{
	free->ob_refcnt = FREE_LISTS_MARK;
}

int free_lists_is_marked(PyObject *free)
{
	return free->ob_refcnt == FREE_LISTS_MARK;
}

int free_lists_room(int kind)
{
	(void)kind;
	return FREE_LISTS_KEPT;
}

#if PY_VERSION_HEX < 0x030c0000 || PY_VERSION_HEX >= 0x030d0000
enum { LISTS, DICTS, TUPLES, KINDS = TUPLES + PyTuple_NFREELISTS };

_Static_assert(KINDS <= FREE_LISTS_MOST, "a kind has no place");

int free_lists_read(int *free)
{
	PyInterpreterState *interp = PyInterpreterState_Get();
#if PY_VERSION_HEX < 0x030c0000
	const int *tuples = interp->tuple.numfree;

	free[LISTS] = interp->list.numfree;
	free[DICTS] = interp->dict_state.numfree;
#else
	const struct _Py_object_freelists *lists = &interp->object_state.freelists;
	const int *tuples = lists->tuples.numfree;

	free[LISTS] = lists->lists.numfree;
	free[DICTS] = lists->dicts.numfree;
#endif
	for (int i = 0; i < PyTuple_NFREELISTS; i++)
		free[TUPLES + i] = tuples[i];
	return KINDS;
}

PyObject *free_lists_make(int kind)
{
	if (kind == LISTS)
		return PyList_New(0);
	return kind == DICTS ? PyDict_New() : PyTuple_New(kind - TUPLES + 1);
}
#else
int free_lists_read(int *free)
{
	(void)free;
	return 0;
}

PyObject *free_lists_make(int kind)
{
	(void)kind;
	return NULL;
}
#endif
#endif

void free_lists_take(int kind)
{
	PyObject *object = free_lists_make(kind);

	if (object && PyObject_GC_IsTracked(object))
		PyObject_GC_UnTrack(object);
}

/* Where these lists are cleared for good: a negative size is a list that takes nothing,
 * in 3.13's dictobject.c and tupleobject.c and in 3.14's pycore_freelist.h. 3.12 has no
 * such mark: it compares with the most alone, and would write before the list. */
void free_lists_close(void)
{
#if PY_VERSION_HEX >= 0x030e0000
	struct _Py_freelists *lists = &PyInterpreterState_Get()->object_state.freelists;
	struct _Py_freelist *list = (struct _Py_freelist *)lists;	/* it has nothing else */

	for (; list < (struct _Py_freelist *)(lists + 1); list++)
		*list = (struct _Py_freelist){ NULL, -1 };
#elif PY_VERSION_HEX >= 0x030d0000
	struct _Py_object_freelists *lists = &PyInterpreterState_Get()->object_state.freelists;
	struct _Py_tuple_freelist *tuples = &lists->tuples;
	PyTupleObject **first = tuples->items;

	lists->dicts.numfree = lists->dictkeys.numfree = -1;
	for (int i = 0; i < PyTuple_NFREELISTS; i++) {
		tuples->numfree[i] = -1;
		first[i] = NULL;
	}
#endif
}
