/*
 * The lists, counters and statistics of the generational collector (gcmodule.c,
 * gc.c, pycore_gc.h): three generations that gc.collect() looks at, and one that
 * it does not.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_pystate.h>

#include "versions/generations.h"

#include <string.h>

#if PY_VERSION_HEX >= 0x030f0000
/* 3.15: a ring of the last few of each generation, on the heap, for profilers that
 * look from outside. */
typedef struct gc_stats statistics;
#else
typedef struct gc_generation_stats statistics[NUM_GENERATIONS];
#endif

static struct {
	int counts[NUM_GENERATIONS];
	statistics stats;
	Py_ssize_t total, pending;
} kept;

static struct _gc_runtime_state *collector(void)
{
	return &PyInterpreterState_Get()->gc;
}

static statistics *now(void)
{
#if PY_VERSION_HEX >= 0x030f0000
	return collector()->generation_stats;
#else
	return &collector()->generation_stats;
#endif
}

static PyGC_Head *generation_list(int generation)
{
	struct _gc_runtime_state *gc = collector();

	return generation == CPYTHON_PERMANENT ? &gc->permanent_generation.head :
		&gc->generations[generation].head;
}

PyObject *cpython_next_object(int generation, PyObject *object)
{
	PyGC_Head *list = generation_list(generation);
	PyGC_Head *next = _PyGCHead_NEXT(object ? _Py_AS_GC(object) : list);

	return next == list ? NULL : (PyObject *)(next + 1);
}

PyObject *generations_last(int generation)
{
	PyGC_Head *list = generation_list(generation);
	PyGC_Head *last = _PyGCHead_PREV(list);

	return last == list ? NULL : (PyObject *)(last + 1);
}

static void link_heads(PyGC_Head *one, PyGC_Head *next)
{
	_PyGCHead_SET_NEXT(one, next);
	_PyGCHead_SET_PREV(next, one);
}

static void move(PyGC_Head *from, PyGC_Head *to, PyGC_Head *next)
{
	link_heads(_PyGCHead_PREV(from), _PyGCHead_NEXT(to));
	link_heads(_PyGCHead_PREV(next), from);
	link_heads(to, next);
}

void cpython_move_objects(PyObject *first, PyObject *last, int generation,
	PyObject *before)
{
	PyGC_Head *next = before ? _Py_AS_GC(before) : generation_list(generation);

	if (_Py_AS_GC(first) != next)
		move(_Py_AS_GC(first), _Py_AS_GC(last), next);
}

void generations_move_behind(PyObject *first, PyObject *last, PyObject *behind)
{
	PyGC_Head *next = _PyGCHead_NEXT(_Py_AS_GC(behind));

	if (_Py_AS_GC(first) != next)
		move(_Py_AS_GC(first), _Py_AS_GC(last), next);
}

int *generations_enabled(void)
{
	return &collector()->enabled;
}

int *generations_count(int generation)
{
	return &collector()->generations[generation].count;
}

void generations_keep(void)
{
	struct _gc_runtime_state *gc = collector();

	for (int i = 0; i < NUM_GENERATIONS; i++)
		kept.counts[i] = gc->generations[i].count;
	memcpy(&kept.stats, now(), sizeof kept.stats);
	kept.total = gc->long_lived_total;
	kept.pending = gc->long_lived_pending;
}

void generations_put_back(void)
{
	struct _gc_runtime_state *gc = collector();

	for (int i = 0; i < NUM_GENERATIONS; i++)
		gc->generations[i].count = kept.counts[i];
	memcpy(now(), &kept.stats, sizeof kept.stats);
	gc->long_lived_total = kept.total;
	gc->long_lived_pending = kept.pending;
}

void generations_put_back_count(void)
{
	collector()->generations[0].count = kept.counts[0];
}

/* gc.c of 3.15, gc_record_stats(): each entry counts on from the one before. */
static Py_ssize_t full_collections(statistics *of)
{
#if PY_VERSION_HEX >= 0x030f0000
	const struct gc_old_stats_buffer *oldest = &of->old[CPYTHON_OLDEST - 1];

	return oldest->items[oldest->index].collections;
#else
	return (*of)[CPYTHON_OLDEST].collections;
#endif
}

int generations_has_collected_all(void)
{
	return full_collections(now()) > full_collections(&kept.stats);
}
