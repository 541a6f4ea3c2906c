/*
 * Replaces sys.getallocatedblocks() and sys._debugmallocstats() in the image, by
 * their rows in sys's method table, and _PyMem_GetCurrentAllocatorName, which
 * _testcapi calls. The latter two compare the allocators with pymalloc's functions
 * (Objects/obmalloc.c), and the arena's are none of these.
 */
#include "heap_view.h"
#include "arena.h"
#include "cpython.h"
#include "imports.h"
#include "patches.h"
#include "talk.h"

#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

static PyMethodDef *blocks_row, *stats_row;
static PyCFunction count_blocks, print_stats;
static long long blocks_before, hidden;
static PyMemAllocatorEx raw;
static const char *allocator_name;

static PyMethodDef *row_of(const char *name)
{
	PyObject *function = PySys_GetObject(name);

	if (!function || !PyCFunction_Check(function))
		talk_refuse("prepare sys.%s: it is not CPython's any more", name);
	return ((PyCFunctionObject *)function)->m_ml;
}

/* The arena's are counted first: the number itself may come to lie there, and 3.14 keeps
 * an int that is let go. */
static PyObject *count_all(PyObject *self, long long *blocks)
{
	PyObject *count;

	*blocks = (long long)arena_blocks();
	count = count_blocks(self, NULL);
	if (count)
		*blocks += PyLong_AsLongLong(count);
	return count;
}

long long heap_view_count(void)
{
	long long blocks;
	PyObject *count = count_all(NULL, &blocks);

	if (!count)
		talk_refuse("count Python's memory blocks: %s", imports_traceback());
	Py_DECREF(count);
	return blocks;
}

void heap_view_show(long long blocks)
{
	hidden -= blocks;
}

static PyObject *show_blocks(PyObject *self, PyObject *unused)
{
	long long blocks;
	PyObject *count = count_all(self, &blocks);

	(void)unused;
	Py_XDECREF(count);
	return count ? PyLong_FromLongLong(blocks - hidden) : NULL;
}

static PyObject *show_stats(PyObject *self, PyObject *unused)
{
	PyMemAllocatorEx before[ARENA_DOMAINS];
	PyObject *result;

	arena_step_aside(before);
	result = print_stats(self, unused);
	arena_step_back(before);
	return result;
}

/* What it was before the arena came, if nothing but the arena did. */
static const char *current_name(void)
{
	PyMemAllocatorEx before[ARENA_DOMAINS], now;
	int ours = arena_step_aside(before);

	arena_step_back(before);
	PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &now);
	return ours && memcmp(&now, &raw, sizeof now) == 0 ? allocator_name : NULL;
}

void heap_view_keep(void)
{
	blocks_row = row_of("getallocatedblocks");
	stats_row = row_of("_debugmallocstats");
	count_blocks = blocks_row->ml_meth;
	print_stats = stats_row->ml_meth;
	blocks_before = heap_view_count();
}

void heap_view_replace(void)
{
	const char *(*name_of)(void) = (const char *(*)(void))dlsym(RTLD_DEFAULT,
		"_PyMem_GetCurrentAllocatorName");
	PyMemAllocatorEx before[ARENA_DOMAINS];

	hidden = heap_view_count() - blocks_before;
	patches_add_word((uint64_t)&blocks_row->ml_meth, (uint64_t)show_blocks);
	patches_add_word((uint64_t)&stats_row->ml_meth, (uint64_t)show_stats);
	PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &raw);
	arena_step_aside(before);
	allocator_name = name_of ? name_of() : NULL;
	arena_step_back(before);
	if (name_of && allocator_name)
		patches_add_jump((uint64_t)name_of, (uint64_t)current_name);
}
