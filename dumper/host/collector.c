/*
 * The collector as python3 has it when a program starts. Objects that it finds
 * to be garbage are finalised in the order of its lists, and these depend on
 * when it ran: so its counters go on from where python3's were, also those of
 * free lists, whose objects it does not count. How a version keeps them is in
 * versions/generations.c and free_lists.c.
 */
#include "arena.h"
#include "collector.h"
#include "cpython.h"
#include "frozen_objects.h"
#include "talk.h"
#include "versions/free_lists.h"
#include "versions/generations.h"

#include <string.h>

static int kept_generation;	/* where sys.modules is */
static PyObject *front;		/* stands where frozen objects would */
/* __main__ and its dict, and what they stood behind. Addresses. */
static PyObject *mains[2], *before_mains[2];

struct free_lists {
	int free[FREE_LISTS_MOST];
};

static int free_kinds;
static struct free_lists at_start;	/* of the program, in python3 */
static struct free_lists taken;		/* by a restore, as a rehearsal has seen */
static int rehearsing;

static struct free_lists free_now(void)
{
	struct free_lists now;

	free_kinds = free_lists_read(now.free);
	return now;
}

static struct free_lists add(struct free_lists a, int times, struct free_lists b)
{
	for (int i = 0; i < free_kinds; i++)
		a.free[i] += times * b.free[i];
	return a;
}

static int is_in(PyObject *object, int generation)
{
	PyObject *at = NULL;

	while ((at = cpython_next_object(generation, at)))
		if (at == object)
			return 1;
	return 0;
}

struct collector_pause collector_pause(void)
{
	struct collector_pause pause = { *generations_count(0), *generations_enabled(), { 0 } };

	*generations_enabled() = 0;
	free_lists_read(pause.free);
	return pause;
}

/* As long as they were: a shorter one would have more of the program's objects
 * counted, a longer one less. */
static void level(int kind, int was)
{
	PyObject *held[FREE_LISTS_KEPT];
	int now[FREE_LISTS_MOST], count = was < FREE_LISTS_KEPT ? was : FREE_LISTS_KEPT;

	free_lists_read(now);
	for (int i = now[kind]; i > was; i--)
		free_lists_take(kind);
	if (now[kind] >= was)
		return;
	for (int i = 0; i < count; i++)
		held[i] = free_lists_make(kind);
	for (int i = count; i-- > 0;)
		Py_XDECREF(held[i]);
}

void collector_go_on(struct collector_pause pause)
{
	int now[FREE_LISTS_MOST];

	for (int kind = free_lists_read(now); kind-- > 0;)
		level(kind, pause.free[kind]);
	*generations_count(0) = pause.count;
	*generations_enabled() = pause.was_enabled;
}

void collector_level(void)
{
	for (int kind = 0; kind < free_kinds; kind++)
		level(kind, at_start.free[kind]);
}

int collector_counted(struct collector_pause pause)
{
	return *generations_count(0) - pause.count;
}

void collector_take(struct collector_pause pause, int counted)
{
	*generations_count(0) = pause.count + counted;
	*generations_enabled() = pause.was_enabled;
}

/* Which of them is found first decides what of them is finalised first. */
static void keep_place(int which, PyObject *object)
{
	PyObject *at = NULL, *next;

	mains[which] = object;
	for (; (next = cpython_next_object(kept_generation, at)) && next != object; at = next)
		;
	before_mains[which] = next ? at : NULL;
}

void collector_keep(void)
{
	PyObject *main_module = PyImport_AddModule("__main__");

	kept_generation = CPYTHON_OLDEST;
	while (kept_generation > 0 && !is_in(PyImport_GetModuleDict(), kept_generation))
		kept_generation--;
	keep_place(0, main_module);
	keep_place(1, PyModule_GetDict(main_module));
	generations_keep();
	at_start = free_now();
}

/* Imports leave up to 2000 tuples of a size; a program that takes more than this
 * has the rest counted. */
#define FILL 100
#define NEAR 24	/* the most that a start takes of a kind */

struct filling {
	int kind, count;
	PyObject *held[FILL];
};

/* Rank by rank: the first that will be taken of each kind lie side by side. */
static void make(struct filling *fillings, int count, int first, int last)
{
	for (int rank = first; rank < last; rank++)
		for (struct filling *at = fillings; at < fillings + count; at++)
			at->held[rank] = rank < at->count ? free_lists_make(at->kind) : NULL;
}

/* Those that a start takes lie in the arena, which is not to be filled with all. */
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
	static struct filling fillings[FREE_LISTS_MOST];
	struct free_lists want = add(at_start, 1, taken);

	for (int kind = 0; kind < free_kinds; kind++)
		fillings[kind] = (struct filling){ kind, want.free[kind], { NULL } };
	fill(fillings, free_kinds);
}

static void show(PyObject *object, PyObject *behind)
{
	if (PyObject_GC_IsTracked(object))
		generations_move_behind(object, object, behind);
}

void collector_reset(PyObject *main_module)
{
	int was_enabled = *generations_enabled();

	*generations_enabled() = 0;	/* what is made here starts no collection */
	front = PyList_New(0);
	if (!front)
		talk_refuse("reset the collector: out of memory");
	fill_free_lists();
	cpython_move_objects(front, front, kept_generation,
		cpython_next_object(kept_generation, NULL));
	show(PyModule_GetDict(main_module), front);
	show(main_module, front);
	generations_put_back();
	*generations_enabled() = was_enabled;
}

void collector_rehearse(void)
{
	taken = free_now();
	rehearsing = 1;
}

void collector_start(void)
{
	generations_put_back_count();
	if (rehearsing)
		taken = add(taken, -1, free_now());
	rehearsing = 0;
}

int collector_is_as_frozen(void)
{
	return generations_last(CPYTHON_PERMANENT) == frozen_objects_last();
}

int collector_seeming_generation(void)
{
	return generations_has_collected_all() ? CPYTHON_OLDEST : kept_generation;
}

/* A collection puts what it finds alive in the order in which it finds it, from
 * the first of its list on. So what leads to the program's objects has to be
 * where it is in python3. */
void collector_show_roots(void)
{
	if (!collector_is_as_frozen())
		return;
	show(cpython_sys_dict(), front);
	show(PyImport_GetModuleDict(), front);
}

static int are_in_front(void)
{
	PyObject *next = cpython_next_object(kept_generation, front);

	return next == mains[0] && cpython_next_object(kept_generation, next) == mains[1];
}

/* gc.unfreeze() puts them behind the oldest generation (gcmodule.c). After a
 * gc.unfreeze() of the program's they are there already. What __main__ stood behind
 * may have been freed since. */
void collector_unfreeze(void)
{
	PyObject *first = cpython_next_object(CPYTHON_PERMANENT, NULL), *at = first;
	PyObject *last = frozen_objects_last();
	int found[2] = { 0, 0 }, as_frozen = are_in_front();

	for (; at && at != last; at = cpython_next_object(CPYTHON_PERMANENT, at))
		for (int i = 0; i < 2; i++)
			found[i] |= at == before_mains[i];
	if (!at)
		return;
	generations_move_behind(first, at, front);
	frozen_objects_leave();
	found[1] |= before_mains[1] == mains[0];
	for (int i = 0; i < 2; i++)
		if (as_frozen && found[i])
			generations_move_behind(mains[i], mains[i], before_mains[i]);
}
