/*
 * The collector as python3 has it when a program starts. Objects that it finds
 * to be garbage are finalised in the order of its lists, and these depend on
 * when it ran: so its counters go on from where python3's were, also those of
 * free lists, whose objects it does not count. Facts are from gcmodule.c and
 * pycore_gc.h of 3.11 to 3.13.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_pystate.h>

#include "arena.h"
#include "collector.h"
#include "frozen_objects.h"
#include "talk.h"

#include <string.h>

#define GC_OF(object) ((PyGC_Head *)(void *)(object) - 1)

static struct _gc_runtime_state *gc_state(void)
{
	return &PyInterpreterState_Get()->gc;
}

static struct {
	int generation;		/* where sys.modules is */
	int counts[NUM_GENERATIONS];
	struct gc_generation_stats stats[NUM_GENERATIONS];
	Py_ssize_t total, pending;
} kept;

static PyObject *front;		/* stands where frozen objects would */

#if PY_VERSION_HEX < 0x030c0000
/* How many tuples of each size, lists and dicts are free: an object that comes from
 * a free list is none that the collector counts. */
struct free_lists {
	int tuples[PyTuple_NFREELISTS], lists, dicts;
};

static struct free_lists at_start;	/* of the program, in python3 */
static struct free_lists taken;		/* by a restore, as a rehearsal has seen */
static int rehearsing;

static struct free_lists free_now(void)
{
	PyInterpreterState *interp = PyInterpreterState_Get();
	struct free_lists now = { .lists = interp->list.numfree,
		.dicts = interp->dict_state.numfree };

	memcpy(now.tuples, interp->tuple.numfree, sizeof now.tuples);
	return now;
}

static struct free_lists add(struct free_lists a, int times, struct free_lists b)
{
	for (int i = 0; i < PyTuple_NFREELISTS; i++)
		a.tuples[i] += times * b.tuples[i];
	a.lists += times * b.lists;
	a.dicts += times * b.dicts;
	return a;
}
#endif

static int is_in(PyObject *object, PyGC_Head *head)
{
	for (PyGC_Head *at = _PyGCHead_NEXT(head); at != head; at = _PyGCHead_NEXT(at))
		if (at == GC_OF(object))
			return 1;
	return 0;
}

struct collector_pause collector_pause(void)
{
	struct _gc_runtime_state *gc = gc_state();
	struct collector_pause pause = { gc->generations[0].count, gc->enabled };

	gc->enabled = 0;
	return pause;
}

void collector_go_on(struct collector_pause pause)
{
	gc_state()->generations[0].count = pause.count;
	gc_state()->enabled = pause.was_enabled;
}

void collector_keep(void)
{
	struct _gc_runtime_state *gc = gc_state();

	kept.generation = NUM_GENERATIONS - 1;
	while (kept.generation > 0 && !is_in(PyImport_GetModuleDict(),
			&gc->generations[kept.generation].head))
		kept.generation--;
	for (int i = 0; i < NUM_GENERATIONS; i++)
		kept.counts[i] = gc->generations[i].count;
	memcpy(kept.stats, gc->generation_stats, sizeof kept.stats);
	kept.total = gc->long_lived_total;
	kept.pending = gc->long_lived_pending;
#if PY_VERSION_HEX < 0x030c0000
	at_start = free_now();
#endif
}

/* Takes [first, last] out of their list and puts them behind `to`. */
static void move_behind(PyGC_Head *first, PyGC_Head *last, PyGC_Head *to)
{
	PyGC_Head *before = _PyGCHead_PREV(first), *after = _PyGCHead_NEXT(last);
	PyGC_Head *next = _PyGCHead_NEXT(to);

	_PyGCHead_SET_NEXT(before, after);
	_PyGCHead_SET_PREV(after, before);
	_PyGCHead_SET_NEXT(to, first);
	_PyGCHead_SET_PREV(first, to);
	_PyGCHead_SET_NEXT(last, next);
	_PyGCHead_SET_PREV(next, last);
}

#if PY_VERSION_HEX < 0x030c0000
static PyObject *make_tuple(int size)
{
	return PyTuple_New(size);
}

static PyObject *make_list(int unused)
{
	(void)unused;
	return PyList_New(0);
}

static PyObject *make_dict(int unused)
{
	(void)unused;
	return PyDict_New();
}

/* Imports leave up to 2000 tuples of a size; a program that takes more than this
 * has the rest counted. */
#define FILL 100
#define NEAR 24	/* the most that a start takes of a kind */

struct filling {
	PyObject *(*make)(int size);
	int size, count;
	PyObject *held[FILL];
};

/* Rank by rank: the first that will be taken of each kind lie side by side. */
static void make(struct filling *fillings, int count, int first, int last)
{
	for (int rank = first; rank < last; rank++)
		for (struct filling *at = fillings; at < fillings + count; at++)
			at->held[rank] = rank < at->count ? at->make(at->size) : NULL;
}

/* Those that a start takes lie in the arena, which has no room for all. */
static void fill(struct filling *fillings, int count)
{
	PyMemAllocatorEx allocators[ARENA_DOMAINS];

	arena_step_aside(allocators);
	make(fillings, count, NEAR, FILL);
	arena_step_back(allocators);
	make(fillings, count, 0, NEAR);
	for (int rank = FILL; rank-- > 0;)
		for (struct filling *at = fillings; at < fillings + count; at++)
			Py_XDECREF(at->held[rank]);
}

/* Until they are as long as the program is to find them. */
static void fill_free_lists(void)
{
	static struct filling fillings[PyTuple_NFREELISTS + 2];
	struct free_lists want = add(at_start, 1, taken);
	int count = 0;

	fillings[count++] = (struct filling){ make_list, 0, want.lists, { NULL } };
	fillings[count++] = (struct filling){ make_dict, 0, want.dicts, { NULL } };
	for (int i = 0; i < PyTuple_NFREELISTS; i++)
		fillings[count++] = (struct filling){ make_tuple, i + 1, want.tuples[i], { NULL } };
	fill(fillings, count);
}
#else
static void fill_free_lists(void)
{
}
#endif

static void show(PyObject *object, PyGC_Head *behind)
{
	if (PyObject_GC_IsTracked(object))
		move_behind(GC_OF(object), GC_OF(object), behind);
}

void collector_reset(PyObject *main_module)
{
	struct _gc_runtime_state *gc = gc_state();
	int was_enabled = gc->enabled;

	gc->enabled = 0;	/* what is made here starts no collection */
	front = PyList_New(0);
	if (!front)
		talk_refuse("reset the collector: out of memory");
	fill_free_lists();
	show(front, &gc->generations[kept.generation].head);
	show(PyModule_GetDict(main_module), GC_OF(front));
	show(main_module, GC_OF(front));
	for (int i = 0; i < NUM_GENERATIONS; i++)
		gc->generations[i].count = kept.counts[i];
	memcpy(gc->generation_stats, kept.stats, sizeof kept.stats);
	gc->long_lived_total = kept.total;
	gc->long_lived_pending = kept.pending;
	gc->enabled = was_enabled;
}

void collector_rehearse(void)
{
#if PY_VERSION_HEX < 0x030c0000
	taken = free_now();
	rehearsing = 1;
#endif
}

void collector_start(void)
{
	gc_state()->generations[0].count = kept.counts[0];
#if PY_VERSION_HEX < 0x030c0000
	if (rehearsing)
		taken = add(taken, -1, free_now());
	rehearsing = 0;
#endif
}

int collector_is_as_frozen(void)
{
	return _PyGCHead_PREV(&gc_state()->permanent_generation.head) ==
		GC_OF(frozen_objects_last());
}

int collector_seeming_generation(void)
{
	const int oldest = NUM_GENERATIONS - 1;

	return gc_state()->generation_stats[oldest].collections >
		kept.stats[oldest].collections ? oldest : kept.generation;
}

/* A collection puts what it finds alive in the order in which it finds it, from
 * the first of its list on. So what leads to the program's objects has to be
 * where it is in python3. */
void collector_show_roots(void)
{
	if (!collector_is_as_frozen())
		return;
	show(PyInterpreterState_Get()->sysdict, GC_OF(front));
	show(PyImport_GetModuleDict(), GC_OF(front));
}

/* gc.unfreeze() puts them behind the oldest generation (gcmodule.c). After a
 * gc.unfreeze() of the program's they are there already. */
void collector_unfreeze(void)
{
	PyGC_Head *head = &gc_state()->permanent_generation.head, *at = _PyGCHead_NEXT(head);
	PyGC_Head *last = GC_OF(frozen_objects_last());

	while (at != head && at != last)
		at = _PyGCHead_NEXT(at);
	if (at != head)
		move_behind(_PyGCHead_NEXT(head), at, GC_OF(front));
}
