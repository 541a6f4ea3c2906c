/*
 * Answers that are another process's; see answers.h. Each is an object of its own,
 * which the module got and may hold in any place (an attribute, a default, a cell), so
 * the object itself gets the new value. posixmodule.c makes an int for each
 * os.getpid(), timemodule.c a float, _datetimemodule.c a date for each call; only small
 * ints are shared (longobject.c), and are exchanged for one of ours.
 */
#include "answers.h"
#include "asked.h"
#include "cpython.h"
#include "imports.h"
#include "talk.h"
#include "watch.h"

#include <datetime.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct answer {
	PyObject *object;
	PyObject *ask, *arguments, *names;	/* the call that gives another one,
						   names as vectorcall has them; or
						   NULL: it is the process's id */
} *answers;
static size_t count, room;

static void drop(struct answer *answer)
{
	Py_CLEAR(answer->object);
	Py_CLEAR(answer->ask);
	Py_CLEAR(answer->arguments);
	Py_CLEAR(answer->names);
}

/* Those that nobody but this table holds. */
static void sweep(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (Py_REFCNT(answers[i].object) > 1)
			answers[kept++] = answers[i];
		else
			drop(&answers[i]);
	count = kept;
}

static void keep(struct answer answer)
{
	if (count == room)
		sweep();
	if (count >= room / 2) {
		room = room ? 2 * room : 64;
		answers = realloc(answers, room * sizeof *answers);
		if (!answers)
			talk_refuse("out of memory");
	}
	answers[count++] = answer;
}

/* --- the process's id --- */

#define PID_BITS 22	/* the kernel's PID_MAX_LIMIT: one digit of an int */

static PyCFunction their_getpid;

static PyObject *hear_getpid(PyObject *self, PyObject *none)
{
	PyObject *pid = their_getpid(self, none), *own;
	long value = pid ? PyLong_AsLong(pid) : 0;

	if (value <= 0)
		return pid;
	own = PyLong_FromLong(1l << PID_BITS);
	Py_DECREF(pid);
	if (!own)
		return NULL;
	cpython_set_small_long(own, (unsigned)value);
	keep((struct answer){ .object = Py_NewRef(own) });
	return own;
}

static void watch_posix(PyObject *module, int late)
{
	(void)late;
	watch_named(module, "getpid", METH_NOARGS, hear_getpid, &their_getpid);
}

/* --- the time --- */

static PyObject *keep_time(PyObject *object, PyObject *of, const char *name,
	PyObject *arguments, PyObject *names)
{
	struct answer answer;

	if (!object || !*asked_module())
		return object;
	answer = (struct answer){ Py_NewRef(object), PyObject_GetAttrString(of, name),
		arguments ? Py_NewRef(arguments) : PyTuple_New(0), Py_XNewRef(names) };
	if (!answer.ask || !answer.arguments)
		talk_refuse("keep the time: %s", imports_traceback());
	keep(answer);
	return object;
}

#define TIME(function, name) \
	static PyCFunction their_##function; \
	static PyObject *hear_##function(PyObject *self, PyObject *none) \
	{ \
		return keep_time(their_##function(self, none), self, name, NULL, NULL); \
	}

TIME(time, "time")
TIME(monotonic, "monotonic")
TIME(perf_counter, "perf_counter")
TIME(utcnow, "utcnow")

typedef PyObject *(*fast_function)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);

static fast_function their_now;

static PyObject *hear_now(PyObject *class, PyObject *const *given, Py_ssize_t number,
	PyObject *names)
{
	Py_ssize_t all = number + (names ? PyTuple_GET_SIZE(names) : 0);
	PyObject *arguments = PyTuple_New(all), *now = NULL;

	for (Py_ssize_t i = 0; arguments && i < all; i++)
		PyTuple_SET_ITEM(arguments, i, Py_NewRef(given[i]));
	if (arguments)
		now = keep_time(their_now(class, given, number, names), class, "now",
			arguments, names);
	Py_XDECREF(arguments);
	return now;
}

static void watch_time(PyObject *module, int late)
{
	(void)late;
	watch_named(module, "time", METH_NOARGS, hear_time, &their_time);
	watch_named(module, "monotonic", METH_NOARGS, hear_monotonic, &their_monotonic);
	watch_named(module, "perf_counter", METH_NOARGS, hear_perf_counter,
		&their_perf_counter);
}

static void watch_datetime(PyObject *module, int late)
{
	PyObject *class = PyObject_GetAttrString(module, "datetime");

	(void)late;
	if (class) {
		watch_named(class, "utcnow", METH_NOARGS | METH_CLASS, hear_utcnow,
			&their_utcnow);
		watch_named(class, "now", METH_FASTCALL | METH_KEYWORDS | METH_CLASS,
			(PyCFunction)(void (*)(void))hear_now,
			(PyCFunction *)(void *)&their_now);
	}
	PyErr_Clear();
	Py_XDECREF(class);
}

void answers_watch(void)
{
	watch_module("posix", watch_posix);
	watch_module("time", watch_time);
	watch_module("_datetime", watch_datetime);
}

void answers_end(void)
{
	sweep();
}

/* From the first byte behind the cached hash to the zone, which is the same one. */
static void copy_date(PyObject *to, const PyObject *from)
{
	PyDateTime_DateTime *old = (PyDateTime_DateTime *)to;
	const PyDateTime_DateTime *now = (const PyDateTime_DateTime *)from;

	old->hashcode = -1;
	old->fold = now->fold;
	memcpy(old->data, now->data, sizeof old->data);
}

static int renew(const struct answer *answer)
{
	PyObject *old = answer->object, *now;

	if (!answer->ask) {
		cpython_set_small_long(old, (unsigned)getpid());
		return 0;
	}
	now = PyObject_Vectorcall(answer->ask,
		((PyTupleObject *)answer->arguments)->ob_item,
		(size_t)(PyTuple_GET_SIZE(answer->arguments) -
			(answer->names ? PyTuple_GET_SIZE(answer->names) : 0)),
		answer->names);
	if (!now)
		return -1;
	if (PyFloat_CheckExact(old))
		((PyFloatObject *)old)->ob_fval = PyFloat_AS_DOUBLE(now);
	else
		copy_date(old, now);
	Py_DECREF(now);
	return 0;
}

int answers_resume(void)
{
	for (size_t i = 0; i < count; i++)
		if (renew(&answers[i]))
			return -1;
	return 0;
}

void answers_release(void)
{
	for (size_t i = 0; i < count; i++)
		drop(&answers[i]);
	count = 0;
}
