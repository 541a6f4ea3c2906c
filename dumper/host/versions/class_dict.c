/*
 * The dict of a class. That of a built-in type is the interpreter's from 3.12 on, and
 * tp_dict is NULL (typeobject.c); PyType_GetDict() is for both.
 */
#include "cpython.h"

PyObject *cpython_class_dict(PyTypeObject *type)
{
#if PY_VERSION_HEX >= 0x030c0000
	PyObject *dict = PyType_GetDict(type);

	Py_XDECREF(dict);
	return dict;
#else
	return type->tp_dict;
#endif
}
