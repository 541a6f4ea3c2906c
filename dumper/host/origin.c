/*
 * Origins; see origin.h.
 */
#include "origin.h"
#include "cpython.h"

static PyObject *attribute(PyObject *object, const char *name)
{
	PyObject *value = object ? PyObject_GetAttrString(object, name) : NULL;

	PyErr_Clear();
	return value;
}

/* BuiltinImporter and FrozenImporter are loaders themselves, and classes. */
static PyObject *name_of(PyObject *loader)
{
	PyObject *type = PyType_Check(loader) ? loader : (PyObject *)Py_TYPE(loader);
	PyObject *module = attribute(type, "__module__");
	PyObject *name = attribute(type, "__qualname__"), *text = NULL;

	if (module && name && PyUnicode_Check(module) && PyUnicode_Check(name))
		text = PyUnicode_FromFormat("%U.%U", module, name);
	Py_XDECREF(module);
	Py_XDECREF(name);
	return text;
}

/* _bootstrap.py, _init_module_attrs(): a namespace package gets its loader when
 * its module is made. */
static PyObject *loader_name(PyObject *spec)
{
	PyObject *loader = attribute(spec, "loader"), *name = NULL;
	PyObject *places = attribute(spec, "submodule_search_locations");

	if (loader && loader != Py_None)
		name = name_of(loader);
	else if (places && places != Py_None)
		name = PyUnicode_FromString("_frozen_importlib_external.NamespaceLoader");
	Py_XDECREF(loader);
	Py_XDECREF(places);
	return name;
}

PyObject *origin_of(PyObject *spec)
{
	PyObject *name = spec && spec != Py_None ? loader_name(spec) : NULL;
	PyObject *origin = attribute(spec, "origin"), *text = NULL;

	if (name && origin && PyUnicode_Check(origin))
		text = PyUnicode_FromFormat("%U\t%U", name, origin);
	else if (name)
		text = PyUnicode_FromFormat("%U\t", name);
	PyErr_Clear();
	Py_XDECREF(origin);
	Py_XDECREF(name);
	return text;
}
