/*
 * A profile function that looks after each call of any thread whether the
 * descriptor is there; the number may serve others first, so the last change
 * counts. For mappings, the audit event of Modules/mmapmodule.c. Only in a second,
 * thrown away run of a build that was refused.
 */
#include "trace.h"
#include "cpython.h"
#include "frames.h"
#include "low_descriptors.h"
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

/* They run what a thread was started for. */
static const char *const starters[] = {"threading", "concurrent.futures.thread"};

/* The module whose body is running: the workload's, not the library's that
 * makes the call. In a thread, what it was started for. */
static PyFrameObject *body_of(PyFrameObject *frame)
{
	PyFrameObject *at = (PyFrameObject *)Py_NewRef(frame);
	PyFrameObject *best = (PyFrameObject *)Py_NewRef(frame);

	while (at) {
		int is_body = frames_is_called(at, "<module>");

		if (is_body || !frames_is_of(at, starters, sizeof starters / sizeof *starters))
			Py_SETREF(best, (PyFrameObject *)Py_NewRef(at));
		if (is_body)
			Py_CLEAR(at);
		else
			at = frames_caller(at);
	}
	return best;
}

static void remember(PyFrameObject *innermost, const char *what)
{
	PyFrameObject *frame = body_of(innermost);
	PyCodeObject *code = PyFrame_GetCode(frame), *inner = PyFrame_GetCode(innermost);

	snprintf(opener, sizeof opener, "%s by module %s (%s, line %d; in %s, line %d)", what,
		frames_module(frame), PyUnicode_AsUTF8(code->co_filename), PyFrame_GetLineNumber(frame),
		PyUnicode_AsUTF8(inner->co_filename), PyFrame_GetLineNumber(innermost));
	Py_DECREF(inner);
	Py_DECREF(code);
	Py_DECREF(frame);
}

static int is_workloads(int fd)
{
	return fcntl(fd, F_GETFD) >= 0 && !low_descriptors_holds(fd);
}

static int look(PyObject *unused, PyFrameObject *frame, int what, PyObject *arg)
{
	int is_open;

	(void)unused;
	(void)arg;
	cpython_profile_threads(look);	/* also those that were started just now */
	if (what != PyTrace_RETURN && what != PyTrace_C_RETURN)
		return 0;
	is_open = is_workloads(watched);
	/* who waits for a thread has opened nothing: the thread itself tells */
	if (is_open && !was_open && cpython_has_other_threads(PyThreadState_Get()) &&
	    frames_is_of(frame, starters, sizeof starters / sizeof *starters))
		return 0;
	if (is_open && !was_open)
		remember(frame, "opened");
	was_open = is_open;
	return 0;
}

void trace_descriptor(int fd)
{
	watched = fd;
	was_open = is_workloads(fd);
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
