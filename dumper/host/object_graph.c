/*
 * A list of nodes that is also the queue of the search, a hash table into it, and a
 * list of edges, in mappings of their own: the heaps are at rest when this is used.
 */
#define _GNU_SOURCE 1
#include "object_graph.h"

#include <string.h>
#include <sys/mman.h>

struct block {
	char *bytes;
	size_t size;
};

static struct object_graph graph;
static struct block nodes, edges, table, reversed[2];
static uint32_t mask;
static int failed;
static int counting;	/* no edges, and no nodes for what is new */

static int reserve(struct block *block, size_t size)
{
	size_t want = block->size ? block->size : 1 << 16;
	void *bytes;

	if (size <= block->size)
		return 0;
	while (want < size)
		want *= 2;
	bytes = block->size ? mremap(block->bytes, block->size, want, MREMAP_MAYMOVE) :
		mmap(NULL, want, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED)
		return -1;
	block->bytes = bytes;
	block->size = want;
	return 0;
}

static void drop(struct block *block)
{
	if (block->size)
		munmap(block->bytes, block->size);
	*block = (struct block){ NULL, 0 };
}

/* Its place in the table, or the free one where it belongs: an index + 1. */
static uint32_t *place(const PyObject *object)
{
	uint32_t *rows = (uint32_t *)(void *)table.bytes;
	size_t i = ((uintptr_t)object >> 4) * 0x9e3779b97f4a7c15ull >> 24;

	while (rows[i & mask] && graph.nodes[rows[i & mask] - 1].object != object)
		i++;
	return &rows[i & mask];
}

static int grow_table(void)
{
	uint32_t size = mask ? (mask + 1) * 2 : 1 << 16;

	drop(&table);
	if (reserve(&table, size * sizeof(uint32_t)))
		return -1;
	mask = size - 1;
	for (uint32_t i = 0; i < graph.count; i++)
		*place(graph.nodes[i].object) = i + 1;
	return 0;
}

/* Its index; what is new comes to the end of the queue. */
static uint32_t add(PyObject *object)
{
	uint32_t *row = place(object);

	if (*row)
		return *row - 1;
	if (graph.count * 2 >= mask) {
		if (grow_table()) {
			failed = 1;
			return 0;
		}
		row = place(object);
	}
	if (reserve(&nodes, (graph.count + 2) * sizeof *graph.nodes)) {
		failed = 1;
		return 0;
	}
	graph.nodes = (struct object_node *)(void *)nodes.bytes;
	graph.nodes[graph.count] = (struct object_node){ .object = object };
	*row = ++graph.count;
	return graph.count - 1;
}

/* What is known to the collector and not in the graph yet is new: its references are
 * counted, and none to it is asked for. */
static int is_new(PyObject *object)
{
	return counting && !*place(object) && PyObject_GC_IsTracked(object);
}

static void connect(PyObject *object)
{
	uint32_t to;

	if (!object || failed || is_new(object))
		return;
	to = add(object);
	if (failed || counting)
		return;
	if (reserve(&edges, (graph.edge_count + 1) * sizeof *graph.edges)) {
		failed = 1;
		return;
	}
	graph.edges = (uint32_t *)(void *)edges.bytes;
	graph.edges[graph.edge_count++] = to;
}

static int visit(PyObject *object, void *unused)
{
	uint32_t row;

	(void)unused;
	connect(object);
	row = object && !failed ? *place(object) : 0;
	if (row)
		graph.nodes[row - 1].seen++;
	return 0;
}

/* A new object's type, until its tp_traverse shows it. */
struct newcomer {
	PyObject *type;
};

/* Of a new object's: only what may hold others, out of the collector's sight. */
static int visit_from_new(PyObject *object, void *arg)
{
	struct newcomer *new = arg;

	if (object == new->type)
		new->type = NULL;
	if (object && !failed &&
	    (*place(object) || PyObject_IS_GC(object) || PyCode_Check(object)))
		visit(object, NULL);
	return 0;
}

/* Objects/codeobject.c: a code object is out of the collector's sight. */
static void connect_code(PyCodeObject *code)
{
	connect(code->co_consts);
	connect(code->co_names);
	connect(code->co_exceptiontable);
	connect(code->co_filename);
	connect(code->co_name);
	connect(code->co_qualname);
	connect(code->co_linetable);
	connect(code->co_localsplusnames);
	connect(code->co_localspluskinds);
}

/* dict_traverse() leaves out keys where all are strings. */
static void connect_keys(PyObject *dict)
{
	PyObject *key, *value;
	Py_ssize_t i = 0;

	while (PyDict_Next(dict, &i, &key, &value))
		connect(key);
}

/* type_traverse() leaves out what can't be part of a cycle; of static types, whose
 * dicts are the interpreter's from 3.12 on, it shows nothing. */
static void connect_type(PyTypeObject *type)
{
	PyHeapTypeObject *heap = (PyHeapTypeObject *)type;

	if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
		connect(heap->ht_name);
		connect(heap->ht_qualname);
		connect(heap->ht_slots);
		return;
	}
	connect(cpython_class_dict(type));
	connect(type->tp_mro);
	connect(type->tp_bases);
}

static void connect_hidden(PyObject *object)
{
	connect((PyObject *)Py_TYPE(object));
	if (PyCode_Check(object))
		connect_code((PyCodeObject *)object);
	else if (PyDict_Check(object))
		connect_keys(object);
	else if (PyType_Check(object))
		connect_type((PyTypeObject *)object);
	else if (Py_TYPE(object) == &PyMethodDescr_Type ||
		 Py_TYPE(object) == &PyClassMethodDescr_Type ||
		 Py_TYPE(object) == &PyWrapperDescr_Type ||
		 Py_TYPE(object) == &PyGetSetDescr_Type ||
		 Py_TYPE(object) == &PyMemberDescr_Type)
		connect(((PyDescrObject *)object)->d_name);
}

static void add_known(int generation)
{
	PyObject *object = NULL;

	while ((object = cpython_next_object(generation, object)) && !failed)
		add(object);
}

/* An instance of a type from heap holds it. Not each tp_traverse that was written
 * before 3.9 says so. */
static void visit_new(PyObject *object)
{
	PyTypeObject *type = Py_TYPE(object);
	struct newcomer new = { (PyObject *)type };

	type->tp_traverse(object, visit_from_new, &new);
	if (new.type && (type->tp_flags & Py_TPFLAGS_HEAPTYPE))
		visit_from_new(new.type, &new);
}

static void count_new(int generation)
{
	PyObject *object = NULL;

	while ((object = cpython_next_object(generation, object)) && !failed)
		visit_new(object);
}

static void go_on(uint32_t at)
{
	PyObject *object = graph.nodes[at].object;

	graph.nodes[at].first = graph.edge_count;
	if (PyObject_IS_GC(object) && Py_TYPE(object)->tp_traverse)
		Py_TYPE(object)->tp_traverse(object, visit, NULL);
	connect_hidden(object);
}

static const struct object_graph *make(void)
{
	failed = grow_table();
	if (!failed)
		add_known(CPYTHON_PERMANENT);
	for (int i = CPYTHON_OLDEST; i >= 0; i--)
		(counting ? count_new : add_known)(i);
	for (uint32_t at = 0; at < graph.count && !failed; at++)
		go_on(at);
	if (failed || !graph.count) {
		object_graph_drop();
		return NULL;
	}
	graph.nodes[graph.count].first = graph.edge_count;
	return &graph;
}

const struct object_graph *object_graph_make(void)
{
	counting = 0;
	return make();
}

const struct object_graph *object_graph_count(void)
{
	counting = 1;
	return make();
}

long object_graph_find(const PyObject *object)
{
	return (long)*place(object) - 1;
}

/* Sorted by counting. */
int object_graph_reverse(uint32_t **start, uint32_t **from)
{
	uint32_t count = graph.count, *first, *all;

	if (reserve(&reversed[0], (count + 2) * sizeof *first) ||
	    reserve(&reversed[1], (graph.edge_count + 1) * sizeof *all))
		return -1;
	first = (uint32_t *)(void *)reversed[0].bytes;
	all = (uint32_t *)(void *)reversed[1].bytes;
	for (uint32_t i = 0; i < graph.edge_count; i++)
		first[graph.edges[i] + 2]++;
	for (uint32_t i = 2; i < count + 2; i++)
		first[i] += first[i - 1];
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t e = graph.nodes[i].first; e < graph.nodes[i + 1].first; e++)
			all[first[graph.edges[e] + 1]++] = i;
	*start = first;
	*from = all;
	return 0;
}

void object_graph_drop(void)
{
	drop(&nodes);
	drop(&edges);
	drop(&table);
	drop(&reversed[0]);
	drop(&reversed[1]);
	memset(&graph, 0, sizeof graph);
	mask = 0;
}
