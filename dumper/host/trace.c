/*
 * A profile function that looks after each call whether the descriptor is
 * there; the number may serve others first, so the last change counts. Only in a
 * second, thrown away run of a build that was refused.
 */
#include "trace.h"
#include "cpython.h"
#include "talk.h"

#include <fcntl.h>
#include <stdio.h>

static int watched = -1;
static int was_open;
static char opener[1024];	/* who opened it last */

/* The module whose body is running: the workload's, not the library's that
 * makes the call. */
static PyFrameObject *body_of(PyFrameObject *frame)
{
	PyFrameObject *at = frame;

	Py_INCREF(at);
	while (at) {
		PyCodeObject *code = PyFrame_GetCode(at);
		int is_body = PyUnicode_CompareWithASCIIString(code->co_name, "<module>") == 0;
		PyFrameObject *back = is_body ? NULL : PyFrame_GetBack(at);

		Py_DECREF(code);
		if (is_body)
			return at;
		Py_DECREF(at);
		at = back;
	}
	Py_INCREF(frame);
	return frame;
}

static void remember(PyFrameObject *innermost)
{
	PyFrameObject *frame = body_of(innermost);
	PyCodeObject *code = PyFrame_GetCode(frame), *inner = PyFrame_GetCode(innermost);
	PyObject *globals = PyFrame_GetGlobals(frame);
	PyObject *name = PyDict_GetItemString(globals, "__name__");

	snprintf(opener, sizeof opener, "opened by module %s (%s, line %d; in %s, line %d)",
		name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : "?",
		PyUnicode_AsUTF8(code->co_filename), PyFrame_GetLineNumber(frame),
		PyUnicode_AsUTF8(inner->co_filename), PyFrame_GetLineNumber(innermost));
	Py_DECREF(globals);
	Py_DECREF(inner);
	Py_DECREF(code);
	Py_DECREF(frame);
}

static int look(PyObject *unused, PyFrameObject *frame, int what, PyObject *arg)
{
	int is_open;

	(void)unused;
	(void)arg;
	if (what != PyTrace_RETURN && what != PyTrace_C_RETURN)
		return 0;
	is_open = fcntl(watched, F_GETFD) >= 0;
	if (is_open && !was_open)
		remember(frame);
	was_open = is_open;
	return 0;
}

void trace_descriptor(int fd)
{
	watched = fd;
	was_open = fcntl(fd, F_GETFD) >= 0;
	PyEval_SetProfile(look, NULL);
}

void trace_end(void)
{
	PyEval_SetProfile(NULL, NULL);
	talk_refuse("%s", was_open && opener[0] ? opener :
		"opened by no Python code that could be found");
}
