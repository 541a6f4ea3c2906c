/*
 * tempfile.py makes all of them in two functions, which audit hooks hear of. Which of
 * them are gone when a process of the image ended is pydump's to see.
 */
#include "temporary.h"
#include "cpython.h"
#include "talk.h"

#include <stdlib.h>
#include <string.h>

#define MOST 256	/* noted; who makes more has them in the same way */

static char *made[MOST];	/* "MODULE PATH" */
static int count;

/* The frame behind this one; takes the reference. */
static PyFrameObject *back(PyFrameObject *frame)
{
	PyFrameObject *next = PyFrame_GetBack(frame);

	Py_DECREF(frame);
	return next;
}

static int is_of_tempfile(PyFrameObject *frame)
{
	PyObject *globals = PyFrame_GetGlobals(frame);
	PyObject *name = PyDict_GetItemString(globals, "__name__");
	int is = name && PyUnicode_Check(name) &&
		PyUnicode_CompareWithASCIIString(name, "tempfile") == 0;

	Py_DECREF(globals);
	return is;
}

static const char *module_of(PyFrameObject *frame)
{
	PyObject *globals = PyFrame_GetGlobals(frame);
	PyObject *name = PyDict_GetItemString(globals, "__name__");
	const char *text = name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;

	Py_DECREF(globals);
	return text && !strchr(text, ' ') ? text : "?";
}

static void note(PyFrameObject *maker, PyObject *path)
{
	PyObject *bytes = NULL;

	if (count == MOST || !PyUnicode_FSConverter(path, &bytes))
		return;
	if (asprintf(&made[count], "%s %s", module_of(maker), PyBytes_AS_STRING(bytes)) < 0)
		talk_refuse("out of memory");
	count++;
	Py_DECREF(bytes);
}

/* Both of them tell before each attempt; what came of it is seen by pydump. */
void temporary_hear(const char *event, PyObject *arguments)
{
	PyFrameObject *frame;

	if ((strcmp(event, "tempfile.mkdtemp") && strcmp(event, "tempfile.mkstemp")) ||
	    !PyTuple_GET_SIZE(arguments) || !(frame = PyEval_GetFrame()))
		return;
	Py_INCREF(frame);
	while (frame && is_of_tempfile(frame))
		frame = back(frame);
	if (frame)
		note(frame, PyTuple_GET_ITEM(arguments, 0));
	Py_XDECREF(frame);
	PyErr_Clear();
}

void temporary_put(FILE *stream)
{
	for (int i = 0; i < count; i++)
		fprintf(stream, "temporary=%s%c", made[i], 0);
}
