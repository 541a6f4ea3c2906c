/*
 * What programs' modules keep of their process from the import on.
 */
#include "hooks_programs.h"
#include "cpython.h"

#include <unistd.h>

/* gunicorn/config.py: the defaults of three settings, User, Group and Chdir, are
 * what the process had at import. What is prepared is (classes, gunicorn.util's
 * getcwd, the attribute's name). */
PyObject *hooks_gunicorn_before(PyObject *module)
{
	PyObject *user = PyObject_GetAttrString(module, "User");
	PyObject *group = PyObject_GetAttrString(module, "Group");
	PyObject *chdir = PyObject_GetAttrString(module, "Chdir");
	PyObject *util = PyObject_GetAttrString(module, "util");
	PyObject *getcwd = util ? PyObject_GetAttrString(util, "getcwd") : NULL;
	PyObject *all = NULL;

	if (user && group && chdir && getcwd)
		all = Py_BuildValue("(OOOOs)", user, group, chdir, getcwd, "default");
	Py_XDECREF(user);
	Py_XDECREF(group);
	Py_XDECREF(chdir);
	Py_XDECREF(util);
	Py_XDECREF(getcwd);
	return all;
}

/* Setting an attribute of a class is dear: only one that is another. */
static int renew_default(PyObject *prepared, int which, PyObject *now)
{
	PyObject *class = PyTuple_GET_ITEM(prepared, which);
	PyObject *name = PyTuple_GET_ITEM(prepared, 4);
	PyObject *old = now ? PyObject_GetAttr(class, name) : NULL;
	int same = old ? PyObject_RichCompareBool(old, now, Py_EQ) : -1;
	int failed = same < 0 || (!same && PyObject_SetAttr(class, name, now));

	Py_XDECREF(old);
	Py_XDECREF(now);
	return failed;
}

PyObject *hooks_gunicorn_after(PyObject *prepared)
{
	if (renew_default(prepared, 0, PyLong_FromUnsignedLong(geteuid())) ||
	    renew_default(prepared, 1, PyLong_FromUnsignedLong(getegid())) ||
	    renew_default(prepared, 2, PyObject_CallNoArgs(PyTuple_GET_ITEM(prepared, 3))))
		return NULL;
	Py_RETURN_NONE;
}

/* mercurial/pycompat.py: sysargv is sys.argv in bytes, made at import; no other
 * module that is known does so. What is prepared is the list. */
PyObject *hooks_mercurial_before(PyObject *module)
{
	PyObject *list = PyObject_GetAttrString(module, "sysargv");

	if (list && !PyList_CheckExact(list)) {
		PyErr_SetString(PyExc_TypeError, "sysargv is no list");
		Py_CLEAR(list);
	}
	return list;
}

PyObject *hooks_mercurial_after(PyObject *list)
{
	PyObject *words = PySys_GetObject("argv");

	if (PyList_SetSlice(list, 0, PyList_GET_SIZE(list), NULL))
		return NULL;
	for (Py_ssize_t i = 0; words && i < PyList_GET_SIZE(words); i++) {
		PyObject *word = PyUnicode_EncodeFSDefault(PyList_GET_ITEM(words, i));

		if (!word || PyList_Append(list, word))
			return NULL;
		Py_DECREF(word);
	}
	Py_RETURN_NONE;
}

/* pkg_resources/__init__.py: _normalize_cached() keeps what realpath() of each name is, in
 * a dict that is its default argument or, newer, in functools' cache. The first item of
 * sys.path is among the names. */
PyObject *hooks_pkg_resources_before(PyObject *module)
{
	PyObject *function = PyObject_GetAttrString(module, "_normalize_cached");
	PyObject *defaults = function && PyFunction_Check(function) ?
		PyFunction_GetDefaults(function) : NULL;
	PyObject *done = function && !PyFunction_Check(function) ?
		PyObject_CallMethod(function, "cache_clear", NULL) : NULL;

	for (Py_ssize_t i = 0; defaults && i < PyTuple_GET_SIZE(defaults); i++)
		if (PyDict_Check(PyTuple_GET_ITEM(defaults, i)))
			PyDict_Clear(PyTuple_GET_ITEM(defaults, i));
	Py_XDECREF(done);
	Py_XDECREF(function);
	PyErr_Clear();
	Py_RETURN_NONE;
}
