/*
 * What a weak reference refers to: PyWeakref_GetObject() is deprecated where
 * PyWeakref_GetRef() came, in 3.13.
 */
#include "cpython.h"

PyObject *cpython_referent(PyObject *weak)
{
	PyObject *object = NULL;

#if PY_VERSION_HEX >= 0x030d0000
	PyWeakref_GetRef(weak, &object);
#else
	object = PyWeakref_GetObject(weak);
	if (object == Py_None)
		return NULL;
	Py_INCREF(object);
#endif
	return object;
}
