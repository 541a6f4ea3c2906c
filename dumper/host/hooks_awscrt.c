/*
 * awscrt's log is a thread (AwsLogger) from init_logging() on, which awscli/logger.py
 * calls when it is imported, and which python3 has in each process, too. So the calls
 * that begin it and set its level are put off to the restore.
 */
#include "hooks_awscrt.h"
#include "cpython.h"
#include "watch.h"

static PyCFunction init_logging, set_log_level;

static struct call {
	PyCFunction function;
	PyObject *self, *arguments;
} put_off[16];
static int count;

#define CALLS (int)(sizeof put_off / sizeof *put_off)

static PyObject *call_all(void)
{
	for (int i = 0; i < count; i++) {
		struct call *call = &put_off[i];
		PyObject *done = call->function(call->self, call->arguments);

		if (!done)
			return NULL;
		Py_DECREF(done);
	}
	Py_RETURN_NONE;
}

static PyObject *put_off_call(PyCFunction function, PyObject *self, PyObject *arguments)
{
	put_off[count++] = (struct call){ function, Py_XNewRef(self), Py_NewRef(arguments) };
	Py_RETURN_NONE;
}

/* Whether awscrt (source/module.c) takes such arguments: it asks for "bs#" and "b". */
static int is_taken(PyObject *arguments, const char *format)
{
	unsigned char level;
	const char *file;
	int is = PyArg_ParseTuple(arguments, format, &level, &file);

	PyErr_Clear();
	return is;
}

/* A second call raises, and others may: awscrt says how, and its thread is refused. */
static PyObject *call_now(PyCFunction function, PyObject *self, PyObject *arguments)
{
	PyObject *done = call_all();

	hooks_awscrt_release();
	Py_XDECREF(done);
	return done ? function(self, arguments) : NULL;
}

static PyObject *hear_init(PyObject *self, PyObject *arguments)
{
	if (count || !is_taken(arguments, "bs"))
		return call_now(init_logging, self, arguments);
	return put_off_call(init_logging, self, arguments);
}

static PyObject *hear_level(PyObject *self, PyObject *arguments)
{
	if (!count || count == CALLS || !is_taken(arguments, "b"))
		return call_now(set_log_level, self, arguments);
	return put_off_call(set_log_level, self, arguments);
}

static void watch_awscrt(PyObject *module, int late)
{
	if (late || watch_named(module, "set_log_level", METH_VARARGS, hear_level,
		&set_log_level))
		return;
	watch_named(module, "init_logging", METH_VARARGS, hear_init, &init_logging);
}

void hooks_awscrt_watch(void)
{
	watch_module("_awscrt", watch_awscrt);
}

int hooks_awscrt_resume(void)
{
	PyObject *done = call_all();

	Py_XDECREF(done);
	return done ? 0 : -1;
}

void hooks_awscrt_release(void)
{
	while (count) {
		Py_XDECREF(put_off[--count].self);
		Py_DECREF(put_off[count].arguments);
	}
}
