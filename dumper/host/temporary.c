/*
 * tempfile.py makes all of them by os.mkdir() and os.open(), in two functions. Which
 * of them are gone when a process of the image ended is pydump's to see.
 */
#include "temporary.h"
#include "cpython.h"
#include "talk.h"
#include "watch.h"

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

static int is_named(PyFrameObject *frame, const char *function)
{
	PyCodeObject *code = PyFrame_GetCode(frame);
	int is = PyUnicode_CompareWithASCIIString(code->co_name, function) == 0;

	Py_DECREF(code);
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

/* Looks whether `function` of tempfile's made it, and for whom. */
static void look(const char *function, PyObject *const *arguments, Py_ssize_t size)
{
	PyFrameObject *frame = PyEval_GetFrame();

	if (!size || !frame || !is_named(frame, function) || !is_of_tempfile(frame))
		return;
	Py_INCREF(frame);
	while (frame && is_of_tempfile(frame))
		frame = back(frame);
	if (frame)
		note(frame, arguments[0]);
	Py_XDECREF(frame);
	PyErr_Clear();
}

typedef PyObject *(*function)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);

static PyCFunction make_folder, open_file;

static PyObject *hear_mkdir(PyObject *self, PyObject *const *arguments, Py_ssize_t size,
	PyObject *names)
{
	PyObject *done = ((function)(void (*)(void))make_folder)(self, arguments, size, names);

	if (done)
		look("mkdtemp", arguments, size);
	return done;
}

static PyObject *hear_open(PyObject *self, PyObject *const *arguments, Py_ssize_t size,
	PyObject *names)
{
	PyObject *done = ((function)(void (*)(void))open_file)(self, arguments, size, names);

	if (done)
		look("_mkstemp_inner", arguments, size);
	return done;
}

static void watch(PyObject *module, const char *name, void (*ours)(void), PyCFunction *theirs)
{
	PyObject *found = PyObject_GetAttrString(module, name);

	if (found)
		watch_function(found, METH_FASTCALL | METH_KEYWORDS, (PyCFunction)ours, theirs);
	Py_XDECREF(found);
	PyErr_Clear();
}

static void watch_posix(PyObject *module, int late)
{
	(void)late;
	watch(module, "mkdir", (void (*)(void))hear_mkdir, &make_folder);
	watch(module, "open", (void (*)(void))hear_open, &open_file);
}

void temporary_watch(void)
{
	watch_module("posix", watch_posix);
}

void temporary_put(FILE *stream)
{
	for (int i = 0; i < count; i++)
		fprintf(stream, "temporary=%s%c", made[i], 0);
}
