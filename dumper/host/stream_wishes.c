/*
 * See stream_wishes.h. A call is heard by the row of TextIOWrapper.reconfigure.
 */
#include "stream_wishes.h"
#include "watch.h"

const char *const stream_wishes_names[STREAM_WISHES] = {
	"encoding", "errors", "line_buffering", "write_through"
};

static PyObject *streams[3];
static unsigned named[3];	/* a bit for each setting */

static watch_fast plain_reconfigure;

static unsigned bit_of(PyObject *name)
{
	for (size_t i = 0; i < STREAM_WISHES; i++)
		if (PyUnicode_CompareWithASCIIString(name, stream_wishes_names[i]) == 0)
			return 1u << i;
	return 0;
}

static PyObject *hear(PyObject *self, PyObject *const *args, Py_ssize_t count,
	PyObject *names)
{
	PyObject *done = plain_reconfigure(self, args, count, names);

	for (Py_ssize_t i = 0; done && names && i < PyTuple_GET_SIZE(names); i++)
		for (int fd = 0; fd < 3 && args[count + i] != Py_None; fd++)
			if (self == streams[fd])
				named[fd] |= bit_of(PyTuple_GET_ITEM(names, i));
	return done;
}

void stream_wishes_watch(PyObject *io_module, PyObject *const text[3])
{
	PyObject *type = PyObject_GetAttrString(io_module, "TextIOWrapper");

	for (int fd = 0; fd < 3; fd++)
		streams[fd] = text[fd];
	if (type)
		watch_fast_named(type, "reconfigure", hear, &plain_reconfigure);
	PyErr_Clear();
	Py_XDECREF(type);
}

int stream_wishes_has(int fd, size_t setting)
{
	return named[fd] >> setting & 1;
}
