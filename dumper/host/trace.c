/*
 * A profile function that looks after each call whether the descriptor is
 * there. Only in a second, thrown away run of a build that was refused.
 */
#include "trace.h"
#include "cpython.h"
#include "talk.h"

#include <fcntl.h>

static int watched = -1;

static int look(PyObject *unused, PyFrameObject *frame, int what, PyObject *arg)
{
	PyCodeObject *code;
	PyObject *globals, *name;
	int line;

	(void)unused;
	(void)arg;
	if (what != PyTrace_RETURN && what != PyTrace_C_RETURN)
		return 0;
	if (fcntl(watched, F_GETFD) < 0)
		return 0;
	code = PyFrame_GetCode(frame);
	globals = PyFrame_GetGlobals(frame);
	name = PyDict_GetItemString(globals, "__name__");
	line = PyFrame_GetLineNumber(frame);
	PyEval_SetProfile(NULL, NULL);
	talk_refuse("opened by module %s (%s, line %d)",
		name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : "?",
		PyUnicode_AsUTF8(code->co_filename), line);
}

void trace_descriptor(int fd)
{
	watched = fd;
	PyEval_SetProfile(look, NULL);
}

void trace_end(void)
{
	talk_refuse("opened by no Python code that could be found");
}
