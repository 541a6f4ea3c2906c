/*
 * tempfile.py makes all of them in two functions, which audit hooks hear of. Which of
 * them are gone when a process of the image ended is pydump's to see.
 */
#include "temporary.h"
#include "cpython.h"
#include "frames.h"
#include "talk.h"

#include <stdlib.h>
#include <string.h>

#define MOST 256	/* noted; who makes more has them in the same way */

static char *made[MOST];	/* "MODULE PATH" */
static int count;

static void note(PyFrameObject *maker, PyObject *path)
{
	const char *module = frames_module(maker);
	PyObject *bytes = NULL;

	if (count == MOST || !PyUnicode_FSConverter(path, &bytes))
		return;
	if (asprintf(&made[count], "%s %s", strchr(module, ' ') ? "?" : module,
		PyBytes_AS_STRING(bytes)) < 0)
		talk_refuse("out of memory");
	count++;
	Py_DECREF(bytes);
}

/* Both of them tell before each attempt; what came of it is seen by pydump. */
void temporary_hear(const char *event, PyObject *arguments)
{
	static const char *const own[] = { "tempfile" };
	PyFrameObject *frame;

	if ((strcmp(event, "tempfile.mkdtemp") && strcmp(event, "tempfile.mkstemp")) ||
	    !PyTuple_GET_SIZE(arguments))
		return;
	frame = frames_innermost();
	while (frame && frames_is_of(frame, own, 1))
		frame = frames_caller(frame);
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
