/*
 * Python's own generator (Modules/_randommodule.c) and os.urandom(). A state does
 * not tell where it came from, so seed() and setstate() are watched while the
 * workload runs.
 */
#include "hooks_random.h"
#include "gc_view.h"
#include "imports.h"
#include "talk.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>

/* Where a generator's state is from, by its address: one that was made where
 * another had been is seeded itself. */
static struct origin {
	const PyObject *generator;
	int system;		/* not a seed that was given */
} *origins;
static size_t origin_count;

/* Hashes of states that getstate() told of generators that the system had seeded:
 * setstate() goes back to such a one ("seed(0); ...; setstate(old)"). */
static Py_hash_t *states;
static size_t state_count;

static struct drawn {
	unsigned char size, bytes[64];
} *draws;
static size_t draw_count;

static int watched_all = 1;	/* no generator was there before the watch */

/* Room for one more: it is full where the count is a power of two. */
static void *grown(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	array = realloc(array, (count ? 2 * count : 1) * size);
	if (!array)
		talk_refuse("out of memory");
	return array;
}

static struct origin *find(const PyObject *generator)
{
	for (size_t i = origin_count; i-- > 0;)
		if (origins[i].generator == generator)
			return &origins[i];
	return NULL;
}

static int is_by_system(const PyObject *generator)
{
	const struct origin *found = find(generator);

	return found ? found->system : !watched_all;
}

static void note(const PyObject *generator, int system)
{
	struct origin *found = find(generator);

	if (!found) {
		origins = grown(origins, origin_count, sizeof *origins);
		found = &origins[origin_count++];
		found->generator = generator;
	}
	found->system = system;
}

/* ------------------------------------------------------------ watching */

typedef PyObject *(*fast_function)(PyObject *, PyObject *const *, Py_ssize_t);

static PyCFunction seed, get_state, set_state, urandom;

static PyObject *hear_seed(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
	PyObject *result = ((fast_function)(void (*)(void))seed)(self, arguments, count);

	if (result)
		note(self, !count || arguments[0] == Py_None);
	return result;
}

static Py_hash_t hash_of(PyObject *state)
{
	Py_hash_t hash = PyObject_Hash(state);

	PyErr_Clear();
	return hash;
}

static PyObject *hear_get_state(PyObject *self, PyObject *unused)
{
	PyObject *state = get_state(self, unused);

	if (state && is_by_system(self)) {
		states = grown(states, state_count, sizeof *states);
		states[state_count++] = hash_of(state);
	}
	return state;
}

static PyObject *hear_set_state(PyObject *self, PyObject *state)
{
	PyObject *result = set_state(self, state);
	Py_hash_t hash = result ? hash_of(state) : 0;
	int known = 0;

	for (size_t i = 0; i < state_count && !known; i++)
		known = states[i] == hash;
	if (result)
		note(self, known);
	return result;
}

static PyObject *hear_urandom(PyObject *self, PyObject *size)
{
	PyObject *bytes = urandom(self, size);
	Py_ssize_t length = bytes && PyBytes_Check(bytes) ? PyBytes_GET_SIZE(bytes) : 0;

	if (length >= 16 && length <= (Py_ssize_t)sizeof draws->bytes) {
		draws = grown(draws, draw_count, sizeof *draws);
		draws[draw_count].size = (unsigned char)length;
		memcpy(draws[draw_count++].bytes, PyBytes_AS_STRING(bytes), (size_t)length);
	}
	return bytes;
}

/* Where one can't be watched, all are taken for ones that the system seeded. */
static void watch_random(PyObject *module, int late)
{
	PyObject *type = PyObject_GetAttrString(module, "Random");

	if (late || !type || watch_named(type, "seed", METH_FASTCALL,
		(PyCFunction)(void (*)(void))hear_seed, &seed) ||
	    watch_named(type, "getstate", METH_NOARGS, hear_get_state, &get_state) ||
	    watch_named(type, "setstate", METH_O, hear_set_state, &set_state))
		watched_all = 0;
	Py_XDECREF(type);
	PyErr_Clear();
}

static void watch_posix(PyObject *module, int late)
{
	(void)late;
	watch_named(module, "urandom", METH_O, hear_urandom, &urandom);
}

void hooks_random_watch(void)
{
	watch_module("_random", watch_random);
	watch_module("posix", watch_posix);
}

PyObject *hooks_random_drawn(void)
{
	PyObject *list = PyList_New((Py_ssize_t)draw_count);

	for (size_t i = 0; list && i < draw_count; i++) {
		PyObject *bytes = PyBytes_FromStringAndSize((const char *)draws[i].bytes,
			draws[i].size);

		if (bytes)
			PyList_SET_ITEM(list, (Py_ssize_t)i, bytes);
		else
			Py_CLEAR(list);
	}
	return list;
}

/* ------------------------------------------------------------ the freeze */

static PyObject *core_method(const char *name)
{
	PyObject *core = PyImport_ImportModule("_random");
	PyObject *type = core ? PyObject_GetAttrString(core, "Random") : NULL;
	PyObject *method = type ? PyObject_GetAttrString(type, name) : NULL;

	Py_XDECREF(core);
	Py_XDECREF(type);
	return method;
}

/* random.py has each fork seed the module's own generator. A process that is
 * restored is no fork in the program's eyes: a seed that it gave holds. */
static struct {
	PyObject *generator, *state, *gauss;
} given;

static int keep_given(PyObject *module)
{
	PyObject *generator = PyObject_GetAttrString(module, "_inst");

	if (generator && !is_by_system(generator)) {
		PyObject *method = core_method("getstate");

		given.generator = generator;
		given.state = method ? PyObject_CallOneArg(method, generator) : NULL;
		given.gauss = PyObject_GetAttrString(generator, "gauss_next");
		Py_XDECREF(method);
		return given.state && given.gauss ? 0 : -1;
	}
	Py_XDECREF(generator);
	return generator ? 0 : -1;
}

void hooks_random_forked(void)
{
	PyObject *method, *done = NULL;

	if (!given.generator)
		return;
	method = core_method("setstate");
	if (method)
		done = PyObject_CallFunctionObjArgs(method, given.generator, given.state, NULL);
	if (!done || PyObject_SetAttrString(given.generator, "gauss_next", given.gauss))
		talk_refuse("prepare module random: %s", imports_traceback());
	Py_DECREF(done);
	Py_DECREF(method);
	Py_CLEAR(given.generator);
	Py_CLEAR(given.state);
	Py_CLEAR(given.gauss);
}

/* random.Random keeps the second of two normal numbers. */
static int forget_gauss(PyObject *generator)
{
	if (!PyObject_HasAttrString(generator, "gauss_next"))
		return 0;
	return PyObject_SetAttrString(generator, "gauss_next", Py_None);
}

/* Those that the system seeded and that are still there. */
static PyObject *find_generators(PyObject *type)
{
	PyObject *all = gc_view_young(), *found = PyList_New(0);

	for (Py_ssize_t i = 0; found && all && i < PyList_GET_SIZE(all); i++) {
		PyObject *object = PyList_GET_ITEM(all, i);

		if (PyObject_TypeCheck(object, (PyTypeObject *)type) && is_by_system(object) &&
		    (PyList_Append(found, object) || forget_gauss(object)))
			Py_CLEAR(found);
	}
	Py_XDECREF(all);
	return all ? found : NULL;
}

/* What is prepared is (type's seed, generator...). */
PyObject *hooks_random_before(PyObject *module)
{
	PyObject *method = core_method("seed"), *core = PyImport_ImportModule("_random");
	PyObject *type = core ? PyObject_GetAttrString(core, "Random") : NULL;
	PyObject *list = type ? find_generators(type) : NULL, *tuple = NULL;

	if (method && list && !keep_given(module) && !PyList_Insert(list, 0, method))
		tuple = PyList_AsTuple(list);
	Py_XDECREF(method);
	Py_XDECREF(core);
	Py_XDECREF(type);
	Py_XDECREF(list);
	return tuple;
}

PyObject *hooks_random_after(PyObject *prepared)
{
	for (Py_ssize_t i = 1; i < PyTuple_GET_SIZE(prepared); i++) {
		PyObject *done = PyObject_CallOneArg(PyTuple_GET_ITEM(prepared, 0),
			PyTuple_GET_ITEM(prepared, i));

		if (!done)
			return NULL;
		Py_DECREF(done);
	}
	Py_RETURN_NONE;
}
