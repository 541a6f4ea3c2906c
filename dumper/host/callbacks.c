/*
 * The program's own hooks. What is registered while building stays in the image
 * as a list; where there is none, a restore only looks at a pointer.
 */
#include "callbacks.h"
#include "environment.h"
#include "imports.h"
#include "talk.h"

static PyObject *lists[2];	/* by enum callbacks_moment; of tuples (function,
				   arguments, keywords), or NULL: none */
static int restored;

int callbacks_is_building(void)
{
	return !restored;
}

int callbacks_is_restored(void)
{
	return restored;
}

static int note(PyObject **list, PyObject *function, PyObject *arguments, PyObject *keywords)
{
	PyObject *call = PyTuple_Pack(3, function, arguments, keywords ? keywords : Py_None);
	int failed;

	if (!*list)
		*list = PyList_New(0);
	failed = !call || !*list || PyList_Append(*list, call);
	Py_XDECREF(call);
	return failed ? -1 : 0;
}

int callbacks_register(enum callbacks_moment moment, PyObject *function,
	PyObject *arguments, PyObject *keywords)
{
	if (!PyCallable_Check(function)) {
		PyErr_Format(PyExc_TypeError, "the first argument must be callable, not %.200s",
			Py_TYPE(function)->tp_name);
		return -1;
	}
	if (restored)
		return 0;
	/* no object may be called by another interpreter than its own */
	if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
		PyErr_SetString(PyExc_RuntimeError,
			"hooks can only be registered by the main interpreter");
		return -1;
	}
	return note(&lists[moment], function, arguments, keywords);
}

Py_ssize_t callbacks_count(void)
{
	Py_ssize_t count = 0;

	for (int moment = CALLBACKS_BEFORE; moment <= CALLBACKS_AFTER; moment++)
		count += lists[moment] ? PyList_GET_SIZE(lists[moment]) : 0;
	return count;
}

static int call(PyObject *noted)
{
	PyObject *keywords = PyTuple_GET_ITEM(noted, 2);
	PyObject *result = PyObject_Call(PyTuple_GET_ITEM(noted, 0),
		PyTuple_GET_ITEM(noted, 1), keywords == Py_None ? NULL : keywords);

	Py_XDECREF(result);
	return result ? 0 : -1;
}

/* One that registers another is heard, as with atexit. */
void callbacks_before(void)
{
	PyObject *list;

	while ((list = lists[CALLBACKS_BEFORE]) && PyList_GET_SIZE(list)) {
		Py_ssize_t last = PyList_GET_SIZE(list) - 1;
		PyObject *noted = PyList_GET_ITEM(list, last);

		Py_INCREF(noted);
		if (PyList_SetSlice(list, last, last + 1, NULL) || call(noted))
			talk_refuse("a hook that was registered to run before the freeze "
				"raised an exception; an image can be made once it does "
				"not\n%s", imports_traceback());
		Py_DECREF(noted);
	}
	Py_CLEAR(lists[CALLBACKS_BEFORE]);
}

void callbacks_freeze(void)
{
	restored = 1;
}

/* What hooks reach for should not be reached for by some thirty trial runs. */
int callbacks_after(void)
{
	PyObject *list = lists[CALLBACKS_AFTER];

	if (!list || environment_is_trial())
		return 0;
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++)
		if (call(PyList_GET_ITEM(list, i)))
			return -1;
	return 0;
}

void callbacks_release(void)
{
	Py_CLEAR(lists[CALLBACKS_BEFORE]);
	Py_CLEAR(lists[CALLBACKS_AFTER]);
}
