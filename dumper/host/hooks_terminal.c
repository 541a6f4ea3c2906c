/*
 * See hooks_terminal.h.
 */
#include "hooks_terminal.h"
#include "frames.h"

#include <stddef.h>

/* Where the frame that asks is of these modules: the outermost one of theirs that
 * called each other, NULL: it is not. */
static PyFrameObject *first_call(const char *const *modules, size_t count)
{
	PyFrameObject *frame = frames_innermost(), *first = NULL;

	while (frame && frames_is_of(frame, modules, count)) {
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

/* colorama/initialise.py: init(autoreset, convert, strip, wrap) calls wrap_stream() for
 * each stream, and that makes an AnsiToWin32 (ansitowin32.py), which asks, and then
 * looks what convert and strip say. Where it wraps no stream, since that is a terminal,
 * nothing tells later what init() was. */
static int is_colorama(int is_terminal)
{
	static const char *const modules[] = { "colorama.ansitowin32", "colorama.initialise" };
	PyFrameObject *frame = is_terminal ? NULL : first_call(modules, 2);
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

/* django/utils/log.py: ServerFormatter is the only class there that asks for a style.
 * core/management/color.py asks, which may have called colorama.init(). */
static int is_django(void)
{
	static const char *const modules[] = { "django.utils.log",
		"django.core.management.color", "colorama.ansitowin32" };
	PyFrameObject *frame = first_call(modules, 3);
	int is = frame && frames_is_of(frame, modules, 1) &&
		frames_is_called(frame, "__init__");

	Py_XDECREF(frame);
	return is;
}

static PyObject *keepers;

static int keep(PyFrameObject *frame)
{
	PyObject *locals = PyFrame_GetLocals(frame);
	PyObject *self = locals ? PyMapping_GetItemString(locals, "self") : NULL;
	int kept;

	if (!keepers)
		keepers = PyList_New(0);
	kept = self && keepers && PyList_Append(keepers, self) == 0;
	PyErr_Clear();
	Py_XDECREF(self);
	Py_XDECREF(locals);
	return kept;
}

/* rich/console.py: Console's __init__() asks where no system of colours is named, which
 * nothing tells later, and keeps which one there is. */
static int is_rich(void)
{
	static const char *const modules[] = { "rich.console", "pip._vendor.rich.console" };
	PyFrameObject *frame = first_call(modules, 2);
	int is = frame && frames_is_called(frame, "__init__") && keep(frame);

	Py_XDECREF(frame);
	return is;
}

/* argparse.py: add_argument() tries the formatter, which asks how wide a line is, and
 * drops it. */
static int is_argparse(void)
{
	static const char *const modules[] = { "shutil", "argparse" };
	PyFrameObject *frame = frames_innermost();
	int is = 0;

	while (frame && !is && frames_is_of(frame, modules, 2)) {
		is = frames_is_called(frame, "add_argument");
		frame = frames_caller(frame);
	}
	Py_XDECREF(frame);
	return is;
}

int hooks_terminal_renews(int is_terminal)
{
	return is_colorama(is_terminal) || is_django() || is_rich() || is_argparse();
}

/* curses.setupterm() that failed is called anew. */
int hooks_terminal_renews_type(void)
{
	static const char *const module[] = { "httpie.context" };
	PyFrameObject *frame = frames_innermost();
	int is = frame && frames_is_of(frame, module, 1);

	Py_XDECREF(frame);
	return is;
}

PyObject *hooks_terminal_keepers(void)
{
	PyObject *list = keepers;

	keepers = NULL;
	return list;
}
