/*
 * A profile function that looks after each call of any thread whether the
 * descriptor is there; the number may serve others first, so the last change
 * counts. For mappings, the audit event of Modules/mmapmodule.c. Only in a second,
 * thrown away run of a build that was refused.
 */
#include "trace.h"
#include "cpython.h"
#include "talk.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int watched = -1;
static int was_open;
static unsigned long long watched_size;
static char opener[1024];	/* who opened or made it last */

/* Runs what a thread was started for. */
static int is_starter(PyFrameObject *frame)
{
	static const char *const starters[] = {"threading", "concurrent.futures.thread"};
	PyObject *globals = PyFrame_GetGlobals(frame);
	PyObject *name = PyDict_GetItemString(globals, "__name__");
	int found = 0;

	for (size_t i = 0; i < sizeof starters / sizeof *starters; i++)
		found |= name && PyUnicode_Check(name) &&
			PyUnicode_CompareWithASCIIString(name, starters[i]) == 0;
	Py_DECREF(globals);
	return found;
}

/* The module whose body is running: the workload's, not the library's that
 * makes the call. In a thread, what it was started for. */
static PyFrameObject *body_of(PyFrameObject *frame)
{
	PyFrameObject *at = frame, *best = frame;

	Py_INCREF(best);
	Py_INCREF(at);
	while (at) {
		PyCodeObject *code = PyFrame_GetCode(at);
		int is_body = PyUnicode_CompareWithASCIIString(code->co_name, "<module>") == 0;
		PyFrameObject *back = is_body ? NULL : PyFrame_GetBack(at);

		Py_DECREF(code);
		if (is_body || !is_starter(at)) {
			Py_INCREF(at);
			Py_SETREF(best, at);
		}
		Py_DECREF(at);
		at = back;
	}
	return best;
}

static void remember(PyFrameObject *innermost, const char *what)
{
	PyFrameObject *frame = body_of(innermost);
	PyCodeObject *code = PyFrame_GetCode(frame), *inner = PyFrame_GetCode(innermost);
	PyObject *globals = PyFrame_GetGlobals(frame);
	PyObject *name = PyDict_GetItemString(globals, "__name__");

	snprintf(opener, sizeof opener, "%s by module %s (%s, line %d; in %s, line %d)", what,
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
	cpython_profile_threads(look);	/* also those that were started just now */
	if (what != PyTrace_RETURN && what != PyTrace_C_RETURN)
		return 0;
	is_open = fcntl(watched, F_GETFD) >= 0;
	if (is_open && !was_open)
		remember(frame, "opened");
	was_open = is_open;
	return 0;
}

void trace_descriptor(int fd)
{
	watched = fd;
	was_open = fcntl(fd, F_GETFD) >= 0;
	PyEval_SetProfile(look, NULL);
}

/* mmap.mmap(fileno, length, ...): 0 is all of the file behind the offset. */
static unsigned long long size_of(PyObject *args)
{
	long fd = PyLong_AsLong(PyTuple_GET_ITEM(args, 0));
	long long length = PyLong_AsLongLong(PyTuple_GET_ITEM(args, 1));
	long long offset = PyLong_AsLongLong(PyTuple_GET_ITEM(args, 3));
	unsigned long long page = (unsigned long long)sysconf(_SC_PAGESIZE);
	struct stat status;

	PyErr_Clear();
	if (!length && fd >= 0 && fstat((int)fd, &status) == 0)
		length = status.st_size - offset;
	return length < 0 ? 0 : ((unsigned long long)length + page - 1) / page * page;
}

static int hear(const char *event, PyObject *args, void *unused)
{
	PyFrameObject *frame = PyEval_GetFrame();

	(void)unused;
	if (strcmp(event, "mmap.__new__") == 0 && frame && PyTuple_GET_SIZE(args) == 4 &&
	    size_of(args) == watched_size)
		remember(frame, "made");
	return 0;
}

void trace_mapping(unsigned long long size)
{
	watched_size = size;
	cpython_hear(hear);
}

void trace_end(void)
{
	PyEval_SetProfile(NULL, NULL);
	if (opener[0] && (was_open || watched_size))
		talk_refuse("%s", opener);
	talk_refuse("by no Python code that could be found");
}
