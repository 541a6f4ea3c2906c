/*
 * pycore_list.h, pycore_dict_state.h, pycore_tuple.h of 3.11, pycore_freelist.h of
 * 3.13: lists, dicts, and tuples of each size up to 20.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_interp.h>

#include "versions/free_lists.h"

#if PY_VERSION_HEX < 0x030c0000 || \
	(PY_VERSION_HEX >= 0x030d0000 && PY_VERSION_HEX < 0x030e0000)
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

/* 3.13's dictobject.c, tupleobject.c, where these lists are cleared for good: a negative
 * count is a list that takes nothing. 3.12 has no such mark: it compares with the most
 * alone, and would write before the list. */
void free_lists_close(void)
{
#if PY_VERSION_HEX >= 0x030d0000 && PY_VERSION_HEX < 0x030e0000
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
