/*
 * pycore_list.h, pycore_dict_state.h, pycore_tuple.h of 3.11: lists, dicts, and
 * tuples of each size up to 20.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_interp.h>

#include "versions/free_lists.h"

#if PY_VERSION_HEX < 0x030c0000
enum { LISTS, DICTS, TUPLES, KINDS = TUPLES + PyTuple_NFREELISTS };

_Static_assert(KINDS <= FREE_LISTS_MOST, "a kind has no place");

int free_lists_read(int *free)
{
	PyInterpreterState *interp = PyInterpreterState_Get();

	for (int i = 0; i < PyTuple_NFREELISTS; i++)
		free[TUPLES + i] = interp->tuple.numfree[i];
	free[LISTS] = interp->list.numfree;
	free[DICTS] = interp->dict_state.numfree;
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
