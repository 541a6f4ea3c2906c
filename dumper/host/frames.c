/*
 * See frames.h. By public functions: what a frame is differs between versions.
 */
#include "frames.h"

#include <string.h>

PyFrameObject *frames_innermost(void)
{
	return (PyFrameObject *)Py_XNewRef(PyEval_GetFrame());
}

PyFrameObject *frames_caller(PyFrameObject *frame)
{
	PyFrameObject *back = PyFrame_GetBack(frame);

	Py_DECREF(frame);
	return back;
}

int frames_is_called(PyFrameObject *frame, const char *function)
{
	PyCodeObject *code = PyFrame_GetCode(frame);
	int same = PyUnicode_CompareWithASCIIString(code->co_name, function) == 0;

	Py_DECREF(code);
	return same;
}

const char *frames_module(PyFrameObject *frame)
{
	PyObject *globals = PyFrame_GetGlobals(frame);
	PyObject *name = PyDict_GetItemString(globals, "__name__");
	const char *text = name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;

	PyErr_Clear();
	Py_DECREF(globals);
	return text ? text : "?";
}

int frames_is_of(PyFrameObject *frame, const char *const *modules, size_t count)
{
	const char *name = frames_module(frame);
	int found = 0;

	for (size_t i = 0; i < count; i++)
		found |= strcmp(name, modules[i]) == 0;
	return found;
}

int frames_is_importlibs(PyFrameObject *frame)
{
	PyCodeObject *code = PyFrame_GetCode(frame);
	const char *file = PyUnicode_AsUTF8(code->co_filename);
	int is = file && (strncmp(file, "<frozen importlib.", 18) == 0 ||
		strncmp(file, "<frozen zipimport>", 18) == 0);

	PyErr_Clear();
	Py_DECREF(code);
	return is;
}
