/*
 * A bit generator of numpy keeps the SeedSequence that it was seeded with (None
 * after RandomState.seed(5)), and that keeps its entropy: a number that was given,
 * or drawn from os.urandom() (numpy/random/bit_generator.pyx).
 */
#include "hooks_numpy.h"
#include "hooks_random.h"
#include "gc_view.h"
#include "imports.h"
#include "watch.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

/* renew() gives each entropy a new one, so those that were spawned from one sequence
 * belong together as before. A generator keeps its identity and its lock; its state
 * is set as a new one of its type begins. RandomState keeps half of a pair of normal
 * numbers, too. */
/* type(), not isinstance(), which asks an object's __class__: a proxy of something
 * that is gone raises, and others are code of the program's. */
static const char code[] =
	"def prepare(module, objects, drawn, moved):\n"
	"    bits, drawn = module.bit_generator, {int.from_bytes(b, 'big') for b in drawn}\n"
	"    Sequence, randbits = bits.SeedSequence, bits.randbits\n"
	"    def sequence(g):\n"
	"        now = getattr(g, 'seed_seq', None) or getattr(g, '_seed_seq', None)\n"
	"        then, instead = moved.get(id(g), (g, None))\n"
	"        return instead if now is then else now\n"
	"    def is_drawn(s):\n"
	"        return type(s) is Sequence and type(s.entropy) is int and s.entropy in drawn\n"
	"    own = module.mtrand._rand._bit_generator\n"
	"    sequences = [s for s in objects if is_drawn(s)]\n"
	"    generators = [g for g in objects if issubclass(type(g), bits.BitGenerator)\n"
	"                  and g is not own and is_drawn(sequence(g))]\n"
	"    states = [s for s in objects if issubclass(type(s), module.RandomState)\n"
	"              and any(s._bit_generator is g for g in generators)]\n"
	"    if is_drawn(sequence(own)):\n"
	"        sequences = [s for s in sequences if s is not sequence(own)]\n"
	"        own = own.__class__.__name__\n"
	"    else:\n"
	"        own = None\n"
	"    def renew():\n"
	"        fresh = {}\n"
	"        for s in sequences:\n"
	"            old = s.entropy\n"
	"            if old not in fresh:\n"
	"                fresh[old] = randbits(s.pool_size * 32)\n"
	"            s.__init__(fresh[old], spawn_key=s.spawn_key, pool_size=s.pool_size,\n"
	"                       n_children_spawned=s.n_children_spawned)\n"
	"        for g in generators:\n"
	"            g.state = type(g)(sequence(g)).state\n"
	"        for s in states:\n"
	"            state = s.get_state(legacy=False)\n"
	"            s.set_state({**state, 'has_gauss': 0, 'gauss': 0.0})\n"
	"    return own, renew if sequences or generators else None\n";

/* ------------------------------------------------------------ watching */

/* A state that was read and is set again ("old = get_state(); seed(0); ...;
 * set_state(old)") is as much the system's as it was. */
static PyObject *told;		/* dict: hash of a state, sequence it came from */
static PyObject *moved;		/* dict: id of a generator, (sequence that it had when
				   its state was set, sequence of that state) */

static PyObject *sequence_of(PyObject *generator)
{
	PyObject *now = PyObject_GetAttrString(generator, "seed_seq");
	PyObject *id = PyLong_FromVoidPtr(generator), *pair;

	if (!now) {
		PyErr_Clear();
		now = PyObject_GetAttrString(generator, "_seed_seq");
	}
	pair = now && id ? PyDict_GetItem(moved, id) : NULL;
	if (pair && PyTuple_GET_ITEM(pair, 0) == now)
		Py_SETREF(now, Py_NewRef(PyTuple_GET_ITEM(pair, 1)));
	Py_XDECREF(id);
	return now;
}

static PyObject *hash_of(PyObject *state)
{
	PyObject *inner = PyMapping_GetItemString(state, "state");
	PyObject *text = inner ? PyObject_Str(inner) : NULL, *hash = NULL;

	if (text)
		hash = PyLong_FromSsize_t(PyObject_Hash(text));
	Py_XDECREF(text);
	Py_XDECREF(inner);
	return hash;
}

/* Generator's kinds of bit generators; the module's functions and each RandomState
 * have an MT19937. */
static struct kind {
	const char *module, *name;
	PyTypeObject *type;
	getter get;
	setter set;
} kinds[] = {
	{ "numpy.random._mt19937", "MT19937", NULL, NULL, NULL },
	{ "numpy.random._pcg64", "PCG64", NULL, NULL, NULL },
	{ "numpy.random._pcg64", "PCG64DXSM", NULL, NULL, NULL },
	{ "numpy.random._philox", "Philox", NULL, NULL, NULL },
	{ "numpy.random._sfc64", "SFC64", NULL, NULL, NULL },
};

#define KINDS (sizeof kinds / sizeof *kinds)

/* Only attributes of those that are watched lead here; subclasses share them. */
static struct kind *kind_of(PyObject *self)
{
	size_t i = 0;

	while (i + 1 < KINDS && (!kinds[i].type || !PyObject_TypeCheck(self, kinds[i].type)))
		i++;
	return &kinds[i];
}

static PyObject *hear_get(PyObject *self, void *closure)
{
	PyObject *state = kind_of(self)->get(self, closure), *hash, *sequence;

	if (!state)
		return NULL;
	hash = hash_of(state);
	sequence = hash ? sequence_of(self) : NULL;
	if (sequence)
		PyDict_SetItem(told, hash, sequence);
	Py_XDECREF(sequence);
	Py_XDECREF(hash);
	PyErr_Clear();
	return state;
}

static void note_move(PyObject *self, PyObject *state)
{
	PyObject *hash = hash_of(state), *id = PyLong_FromVoidPtr(self), *now, *pair = NULL;
	PyObject *then = hash ? PyDict_GetItem(told, hash) : NULL;

	if (id && PyDict_GetItem(moved, id))
		PyDict_DelItem(moved, id);
	now = sequence_of(self);
	if (now)
		pair = PyTuple_Pack(2, now, then ? then : Py_None);
	if (pair && id)
		PyDict_SetItem(moved, id, pair);
	Py_XDECREF(pair);
	Py_XDECREF(now);
	Py_XDECREF(id);
	Py_XDECREF(hash);
	PyErr_Clear();
}

static int hear_set(PyObject *self, PyObject *state, void *closure)
{
	int failed = kind_of(self)->set(self, state, closure);

	if (!failed)
		note_move(self, state);
	return failed;
}

static void watch_kind(PyObject *module, struct kind *kind)
{
	PyObject *type = PyObject_GetAttrString(module, kind->name);
	PyObject *state = type ? PyObject_GetAttrString(type, "state") : NULL;

	if (state && PyType_Check(type) && !kind->type &&
	    watch_attribute(state, hear_get, hear_set, &kind->get, &kind->set) == 0)
		kind->type = (PyTypeObject *)Py_NewRef(type);
	PyErr_Clear();
	Py_XDECREF(state);
	Py_XDECREF(type);
}

static void watch_kinds(PyObject *module, int late)
{
	const char *name = PyModule_GetName(module);

	(void)late;
	if (!told)
		told = PyDict_New();
	if (!moved)
		moved = PyDict_New();
	for (size_t i = 0; name && told && moved && i < KINDS; i++)
		if (strcmp(kinds[i].module, name) == 0)
			watch_kind(module, &kinds[i]);
	PyErr_Clear();
}

void hooks_numpy_watch(void)
{
	for (size_t i = 0; i < KINDS; i++)
		if (i == 0 || strcmp(kinds[i].module, kinds[i - 1].module))
			watch_module(kinds[i].module, watch_kinds);
}

/* ------------------------------------------------------------ the freeze */

/* The module's functions are methods of one RandomState on an MT19937. Its seed()
 * costs 70 pages; the state itself is two. What is prepared is the state's address
 * (numpy/random/bitgen.h: the capsule holds a bitgen_t, whose first member points to
 * it; src/mt19937/mt19937.h: 624 words of key, then the position in it), if the
 * public `state` agrees with what is there; else seed. seed() also drops the half of
 * a pair of normal numbers that may be left. */
#define MT_WORDS 624

static struct mt19937 {
	uint32_t key[MT_WORDS];
	int position;
} *own_state;

static struct mt19937 *mt19937_of(void)
{
	PyObject *generator = NULL, *capsule = NULL, *names = PyDict_New();
	static const char look[] =
		"state = _rand._bit_generator.state\n"
		"data = state['state']['key'].tobytes() if "
		"state['bit_generator'] == 'MT19937' else b''\n"
		"position = state['state']['pos']\n"
		"capsule = _rand._bit_generator.capsule\n";
	struct mt19937 *found = NULL;
	int same = 0;
	PyObject *data, *position, *core = PyImport_ImportModule("numpy.random.mtrand");

	if (core)
		generator = PyObject_GetAttrString(core, "_rand");
	if (generator && names && !PyDict_SetItemString(names, "_rand", generator))
		same = !imports_run(look, names);
	if (same) {
		void **bitgen;

		capsule = PyDict_GetItemString(names, "capsule");
		data = PyDict_GetItemString(names, "data");
		position = PyDict_GetItemString(names, "position");
		bitgen = PyCapsule_GetPointer(capsule, "BitGenerator");
		found = bitgen ? *bitgen : NULL;
		if (found && (PyBytes_GET_SIZE(data) != sizeof found->key ||
		    memcmp(PyBytes_AS_STRING(data), found->key, sizeof found->key) ||
		    PyLong_AsLong(position) != found->position))
			found = NULL;
	}
	PyErr_Clear();
	Py_XDECREF(generator);
	Py_XDECREF(core);
	Py_XDECREF(names);
	return found;
}

/* The module's seed(), None if its generator was given one. */
static PyObject *prepare_own(PyObject *module, PyObject *kind)
{
	PyObject *seed = PyObject_GetAttrString(module, "seed"), *done;

	if (!seed || kind == Py_None) {
		Py_XDECREF(seed);
		return seed ? Py_NewRef(Py_None) : NULL;
	}
	done = PyObject_CallNoArgs(seed);
	if (!done)
		Py_CLEAR(seed);
	Py_XDECREF(done);
	own_state = mt19937_of();
	return seed;
}

static PyObject *call_prepare(PyObject *module)
{
	PyObject *names = PyDict_New(), *objects = gc_view_young(), *result = NULL;
	PyObject *drawn = hooks_random_drawn();

	if (!moved)
		moved = PyDict_New();
	if (moved && objects && drawn && !imports_run(code, names))
		result = PyObject_CallFunctionObjArgs(PyDict_GetItemString(names, "prepare"),
			module, objects, drawn, moved, NULL);
	Py_CLEAR(moved);
	Py_CLEAR(told);
	for (size_t i = 0; i < KINDS; i++)
		Py_CLEAR(kinds[i].type);
	Py_XDECREF(drawn);
	Py_XDECREF(objects);
	Py_XDECREF(names);
	return result;
}

/* What is prepared is (seed or None, renew or None); None: nothing to be done. */
PyObject *hooks_numpy_before(PyObject *module)
{
	PyObject *found = call_prepare(module), *seed = NULL, *renew, *both = NULL;

	if (found && PyTuple_Check(found))
		seed = prepare_own(module, PyTuple_GET_ITEM(found, 0));
	if (seed) {
		renew = PyTuple_GET_ITEM(found, 1);
		both = seed == Py_None && renew == Py_None ? Py_NewRef(Py_None) :
			PyTuple_Pack(2, seed, renew);
	}
	Py_XDECREF(seed);
	Py_XDECREF(found);
	return both;
}

/* _legacy_seeding() with no seed also sets the first word's highest bit, which
 * makes the state one that is not all zero. */
static int renew_own(PyObject *seed)
{
	uint32_t key[MT_WORDS];		/* the object may be read-only: writes.c */
	PyObject *done;

	if (!own_state) {
		done = PyObject_CallNoArgs(seed);
		Py_XDECREF(done);
		return done ? 0 : -1;
	}
	if (getrandom(key, sizeof key, 0) != sizeof key) {
		PyErr_SetFromErrno(PyExc_OSError);
		return -1;
	}
	memcpy(own_state->key, key, sizeof key);
	own_state->key[0] |= 0x80000000u;
	own_state->position = MT_WORDS;
	return 0;
}

PyObject *hooks_numpy_after(PyObject *prepared)
{
	if (prepared == Py_None)
		Py_RETURN_NONE;
	if (PyTuple_GET_ITEM(prepared, 0) != Py_None && renew_own(PyTuple_GET_ITEM(prepared, 0)))
		return NULL;
	if (PyTuple_GET_ITEM(prepared, 1) == Py_None)
		Py_RETURN_NONE;
	return PyObject_CallNoArgs(PyTuple_GET_ITEM(prepared, 1));
}
