/*
 * See hooks_colorama.h. colorama/initialise.py: init(autoreset, convert, strip, wrap)
 * calls wrap_stream() for each stream, and that makes an AnsiToWin32
 * (ansitowin32.py), which asks, and then looks at the other three.
 */
#include "hooks_colorama.h"
#include "frames.h"

/* The outermost of its frames that called each other, or NULL: none of its own asks. */
static PyFrameObject *first_call(void)
{
	static const char *const modules[] = { "colorama.ansitowin32", "colorama.initialise" };
	PyFrameObject *frame = frames_innermost(), *first = NULL;

	while (frame && frames_is_of(frame, modules, sizeof modules / sizeof *modules)) {
		Py_XDECREF(first);
		first = (PyFrameObject *)Py_NewRef(frame);
		frame = frames_caller(frame);
	}
	Py_XDECREF(frame);
	return first;
}

static int is_none(PyObject *locals, const char *name)
{
	PyObject *value = PyMapping_GetItemString(locals, name);
	int is = value == Py_None;

	PyErr_Clear();
	Py_XDECREF(value);
	return is;
}

int hooks_colorama_asks(void)
{
	PyFrameObject *frame = first_call();
	PyObject *locals;
	int is = 0;

	if (frame && frames_is_called(frame, "init")) {
		locals = PyFrame_GetLocals(frame);
		is = locals && is_none(locals, "convert") && is_none(locals, "strip");
		PyErr_Clear();
		Py_XDECREF(locals);
	}
	Py_XDECREF(frame);
	return is;
}
