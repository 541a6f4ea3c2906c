/*
 * The way to immortal objects and back. Which: lasting.h. How: counts.h.
 */
#include "immortal.h"
#include "closers.h"
#include "counts.h"
#include "cpython.h"
#include "lasting.h"
#include "talk.h"
#include "versions/free_lists.h"

#include <sys/mman.h>

/* What is immortal and known to the collector, with the references to each that
 * tp_traverse does not show: what C holds. */
struct row {
	PyObject *object;
	Py_ssize_t hidden;
};

static struct row *rows;
static size_t count;

static int is_due(const struct object_node *node)
{
	return (node->marks & LASTING) && !counts_are_immortal(node->object);
}

static size_t count_due(const struct object_graph *graph)
{
	size_t due = 0;

	for (uint32_t i = 0; i < graph->count; i++)
		due += is_due(&graph->nodes[i]) && PyObject_IS_GC(graph->nodes[i].object);
	return due;
}

static void make(const struct object_graph *graph)
{
	for (uint32_t i = 0; i < graph->count; i++) {
		const struct object_node *node = &graph->nodes[i];

		if (!is_due(node))
			continue;
		if (PyObject_IS_GC(node->object))
			rows[count++] = (struct row){ node->object,
				Py_REFCNT(node->object) - (Py_ssize_t)node->seen };
		counts_make_immortal(node->object);
	}
}

static void settle_code(const struct object_graph *graph)
{
	for (uint32_t i = 0; i < graph->count; i++)
		if (PyCode_Check(graph->nodes[i].object) &&
		    counts_settle_code((PyCodeObject *)graph->nodes[i].object))
			talk_refuse("make objects immortal: out of memory");
}

void immortal_make(void)
{
	const struct object_graph *graph;
	size_t size;

	graph = object_graph_make();
	if (!graph || lasting_find(graph))
		talk_refuse("make objects immortal: out of memory");
	size = count_due(graph) * sizeof *rows;
	rows = mmap(NULL, size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0);
	if (rows == MAP_FAILED)
		talk_refuse("make objects immortal: out of memory");
	make(graph);
	settle_code(graph);
	object_graph_drop();
}

int immortal_any(void)
{
	return count > 0;
}

static void free_nothing(void *unused, void *block)
{
	(void)unused;
	(void)block;
}

/* A reference from what tp_traverse does not show, made since the restore, is not
 * counted: whoever gives it back finds the object as it was left, and no other. */
static void use_no_memory_again(void)
{
	static const PyMemAllocatorDomain domains[] = { PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ };

	for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
		cpython_replace_free(domains[i], free_nothing);
	free_lists_close();
}

/* An instance holds its type (PyType_GenericAlloc() of Objects/typeobject.c). Those that
 * the collector does not know can't be counted, and C code that frees one may look at
 * its type (pybind11's map, which a type's own end changes): such types stay immortal. */
static int has_instances_unseen(PyObject *object)
{
	PyTypeObject *type = (PyTypeObject *)object;

	return PyType_Check(object) && (type->tp_flags & Py_TPFLAGS_HEAPTYPE) &&
		!PyType_IS_GC(type) && closers_has_code(type);
}

/* What the program has let go, and nobody holds: 1 until all have their counts. */
static void give_back(struct row *row, const struct object_graph *graph)
{
	long found = object_graph_find(row->object);
	Py_ssize_t seen = found < 0 ? 0 : graph->nodes[found].seen;

	row->hidden += seen;
	counts_set(row->object, row->hidden > 0 ? row->hidden : 1);
}

void immortal_end(void)
{
	const struct object_graph *graph = count ? object_graph_count() : NULL;

	if (!graph)
		return;
	for (size_t i = 0; i < count; i++)
		if (!has_instances_unseen(rows[i].object))
			give_back(&rows[i], graph);
	object_graph_drop();
	use_no_memory_again();
	for (size_t i = 0; i < count; i++)
		if (rows[i].hidden <= 0)
			Py_DECREF(rows[i].object);
	count = 0;
}
