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
#include "object_graph.h"
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
	char *asker;		/* of the process's id */
} *answers;
static size_t count, room;

static void drop(struct answer *answer)
{
	Py_CLEAR(answer->object);
	Py_CLEAR(answer->ask);
	Py_CLEAR(answer->arguments);
	Py_CLEAR(answer->names);
	free(answer->asker);
	answer->asker = NULL;
}

static void drop_where(int (*unwanted)(const struct answer *))
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (unwanted(&answers[i]))
			drop(&answers[i]);
		else
			answers[kept++] = answers[i];
	count = kept;
}

static int is_ours_alone(const struct answer *answer)
{
	return Py_REFCNT(answer->object) == 1;
}

static void keep(struct answer answer)
{
	if (count == room)
		drop_where(is_ours_alone);
	if (count >= room / 2) {
		room = room ? 2 * room : 64;
		answers = realloc(answers, room * sizeof *answers);
		if (!answers)
			talk_refuse("out of memory");
	}
	answers[count++] = answer;
}

/* Rows of C's functions are those of all interpreters; another one's objects go with it. */
static const char *asker(void)
{
	return PyInterpreterState_Get() == PyInterpreterState_Main() ? asked_module() : "";
}

/* --- the process's id --- */

#define PID_BITS 22	/* the kernel's PID_MAX_LIMIT: one digit of an int */

static PyCFunction their_getpid;

static PyObject *hear_getpid(PyObject *self, PyObject *none)
{
	PyObject *pid = their_getpid(self, none), *own;
	const char *name = asker();
	long value = pid ? PyLong_AsLong(pid) : 0;

	if (value <= 0 || !*name)
		return pid;
	own = PyLong_FromLong(1l << PID_BITS);
	Py_DECREF(pid);
	if (!own)
		return NULL;
	cpython_set_small_long(own, (unsigned)value);
	keep((struct answer){ .object = Py_NewRef(own), .asker = asked_copy(name) });
	return own;
}

/* Who drew random bytes, too, has them made anew where the id is another one (bson's
 * ObjectId, after a fork): those are the build's, so the id has to stay the build's. */
static char **drawers;
static size_t drawer_count;

static int drew(const char *name)
{
	for (size_t i = 0; i < drawer_count; i++)
		if (strcmp(drawers[i], name) == 0)
			return 1;
	return 0;
}

static int tells_of_forks(const struct answer *answer)
{
	return answer->asker && drew(answer->asker);
}

static void note_drawer(void)
{
	const char *name = asker();

	if (!*name || drew(name))
		return;
	drawers = realloc(drawers, (drawer_count + 1) * sizeof *drawers);
	if (!drawers)
		talk_refuse("out of memory");
	drawers[drawer_count++] = asked_copy(name);
}

static PyCFunction their_urandom;

static PyObject *hear_urandom(PyObject *self, PyObject *size)
{
	note_drawer();
	return their_urandom(self, size);
}

static void watch_posix(PyObject *module, int late)
{
	(void)late;
	watch_named(module, "getpid", METH_NOARGS, hear_getpid, &their_getpid);
	watch_named(module, "urandom", METH_O, hear_urandom, &their_urandom);
}

/* --- the time --- */

static PyObject *keep_time(PyObject *object, PyObject *of, const char *name,
	PyObject *arguments, PyObject *names)
{
	struct answer answer;

	if (!object || !*asker())
		return object;
	answer = (struct answer){ Py_NewRef(object), PyObject_GetAttrString(of, name),
		arguments ? Py_NewRef(arguments) : PyTuple_New(0), Py_XNewRef(names), NULL };
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

/* A subclass may make something else of it, by code of its own. */
static PyObject *datetime, *utc;

/* utcnow() itself warns from 3.12 on: a warning is the import's. */
static PyCFunction their_utcnow;

static PyObject *hear_utcnow(PyObject *class, PyObject *none)
{
	PyObject *now = their_utcnow(class, none), *zone;

	if (!now || class != datetime)
		return now;
	zone = PyTuple_Pack(1, utc);
	if (zone)
		now = keep_time(now, class, "now", zone, NULL);
	else
		Py_CLEAR(now);
	Py_XDECREF(zone);
	return now;
}

static watch_fast their_now;

static PyObject *hear_now(PyObject *class, PyObject *const *given, Py_ssize_t number,
	PyObject *names)
{
	Py_ssize_t all = number + (names ? PyTuple_GET_SIZE(names) : 0);
	PyObject *arguments, *now = NULL;

	if (class != datetime)
		return their_now(class, given, number, names);
	arguments = PyTuple_New(all);
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
	PyObject *zone = PyObject_GetAttrString(module, "timezone");

	(void)late;
	Py_XSETREF(datetime, PyObject_GetAttrString(module, "datetime"));
	Py_XSETREF(utc, zone ? PyObject_GetAttrString(zone, "utc") : NULL);
	Py_XDECREF(zone);
	if (datetime && utc) {
		watch_named(datetime, "utcnow", METH_NOARGS | METH_CLASS, hear_utcnow,
			&their_utcnow);
		watch_named(datetime, "now", METH_FASTCALL | METH_KEYWORDS | METH_CLASS,
			(PyCFunction)(void (*)(void))hear_now,
			(PyCFunction *)(void *)&their_now);
	}
	PyErr_Clear();
}

void answers_watch(void)
{
	watch_module("posix", watch_posix);
	watch_module("time", watch_time);
	watch_module("_datetime", watch_datetime);
}

/* --- keys --- */

static const struct object_graph *graph;
static uint32_t *first, *holders;

static int is_key_of(PyObject *object, PyObject *dict)
{
	PyObject *key;
	Py_ssize_t at = 0;

	while (PyDict_Next(dict, &at, &key, NULL))
		if (key == object)
			return 1;
	return 0;
}

/* Whether some place depends on its hash, or on that of a tuple that holds it. */
static int is_key(uint32_t node)
{
	PyObject *object = graph->nodes[node].object;

	for (uint32_t i = first[node]; i < first[node + 1]; i++) {
		PyObject *holder = graph->nodes[holders[i]].object;

		if (PyAnySet_Check(holder) ||
		    (PyDict_Check(holder) && is_key_of(object, holder)) ||
		    (PyTuple_Check(holder) && is_key(holders[i])))
			return 1;
	}
	return 0;
}

static int is_hashed(const struct answer *answer)
{
	long node = object_graph_find(answer->object);

	return node >= 0 && is_key((uint32_t)node);
}

/* One with another hash would not be found in its place. */
static void drop_keys(void)
{
	if (!count)
		return;
	graph = object_graph_make();
	if (!graph || object_graph_reverse(&first, &holders))
		talk_refuse("out of memory");
	drop_where(is_hashed);
	object_graph_drop();
}

void answers_end(void)
{
	drop_where(is_ours_alone);
	drop_where(tells_of_forks);
	drop_keys();
	Py_CLEAR(datetime);
	Py_CLEAR(utc);
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
