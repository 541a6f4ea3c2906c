/*
 * An immortal object never ends, and never lets go what it holds. So, in this order:
 *
 * 1. Strings, bytes, numbers and code last, wherever they are: nothing tells when
 *    they go (but for a weak reference to code). Large ones do not, for their memory.
 * 2. From the modules on, what their names, and those of their classes, say lasts:
 *    modules, classes, functions, methods, what they refer to for good (closures,
 *    code, bases), and tuples and the like that hold nothing else. What is found by
 *    way of a list, a dict or an instance does not: that may be emptied or dropped.
 * 3. Never what has a finalizer, a weak reference or work to do when it is freed, and
 *    no function, tuple or cell by which such a thing is reached: it ends when they
 *    do. Modules and classes are where this stops: they let it go by name.
 *
 * docs/design.md says what is left of python3's ways. Knows the graph, and nothing of
 * how an object is made immortal.
 */
#define _GNU_SOURCE 1
#include "lasting.h"
#include "closers.h"
#include "counts.h"

#include <sys/mman.h>

enum kind {
	OTHER,			/* may be changed, dropped, or is not known */
	LEAF,
	MODULE,
	CLASS,
	NAMES,			/* the dict of one of those */
	FUNCTION,
	CELL,
	HOLDER,			/* holds the same for good */
};

#define PERMANENT 2u	/* found from the modules by what is for good */
#define TAINTED 4u	/* something ends with it */
#define BAD 8u		/* a holder of what does not last */

#define LARGE 32768

static const struct object_graph *graph;
static struct object_node *nodes;
static uint32_t *start, *from;		/* who refers to it */
static uint32_t *queue, length;

static size_t size_of(PyObject *object)
{
	size_t size = (size_t)Py_TYPE(object)->tp_basicsize;

	if (PyLong_CheckExact(object))
		return size + (size_t)_PyLong_NumBits(object) / 8;
	if (PyBytes_CheckExact(object))
		return size + (size_t)PyBytes_GET_SIZE(object);
	if (PyUnicode_CheckExact(object))
		return size + (size_t)PyUnicode_GET_LENGTH(object) *
			(size_t)PyUnicode_KIND(object);
	return size;
}

static int is_leaf(PyObject *object)
{
	return (PyUnicode_CheckExact(object) || PyBytes_CheckExact(object) ||
		PyLong_CheckExact(object) || PyFloat_CheckExact(object) ||
		PyComplex_CheckExact(object) || PyCode_Check(object)) &&
		size_of(object) < LARGE;
}

static int is_holder(PyObject *object)
{
	PyTypeObject *const types[] = {
		&PyTuple_Type, &PyFrozenSet_Type, &PyProperty_Type, &PyStaticMethod_Type,
		&PyClassMethod_Type, &PySlice_Type, &PyRange_Type, &PyMethod_Type,
		&PyCFunction_Type, &PyCMethod_Type, &PyMethodDescr_Type,
		&PyClassMethodDescr_Type, &PyWrapperDescr_Type, &PyGetSetDescr_Type,
		&PyMemberDescr_Type, &Py_GenericAliasType,
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (Py_TYPE(object) == types[i])
			return 1;
	return 0;
}

static enum kind kind_of(PyObject *object)
{
	if (is_leaf(object))
		return LEAF;
	if (PyModule_Check(object))
		return MODULE;
	if (PyType_Check(object))
		return CLASS;
	if (PyFunction_Check(object))
		return FUNCTION;
	if (PyCell_Check(object))
		return CELL;
	return is_holder(object) ? HOLDER : OTHER;
}

/* The dict of a module or class, a borrowed reference. */
static PyObject *names_of(PyObject *object)
{
	return PyModule_Check(object) ? PyModule_GetDict(object) :
		cpython_class_dict((PyTypeObject *)object);
}

static void tell_kinds(void)
{
	for (uint32_t i = 0; i < graph->count; i++)
		nodes[i].kind = kind_of(nodes[i].object);
	for (uint32_t i = 0; i < graph->count; i++) {
		PyObject *dict = nodes[i].kind == MODULE || nodes[i].kind == CLASS ?
			names_of(nodes[i].object) : NULL;
		long found = dict ? object_graph_find(dict) : -1;

		if (found >= 0)
			nodes[found].kind = NAMES;
	}
}

static int has_weak_references(PyObject *object)
{
	return PyType_SUPPORTS_WEAKREFS(Py_TYPE(object)) &&
		*PyObject_GET_WEAKREFS_LISTPTR(object);
}

/* Whether a program could tell that it is gone. */
static int ends_visibly(PyObject *object)
{
	PyTypeObject *type = Py_TYPE(object);

	if (has_weak_references(object) || type->tp_del)
		return 1;
	if (!type->tp_finalize)
		return closers_is(type);
	if (cpython_is_generator(object))
		return cpython_generator_runs(object);
	return !PyObject_IS_GC(object) || !PyObject_GC_IsFinalized(object);
}

static void put(uint32_t i, uint32_t mark)
{
	if (nodes[i].marks & mark)
		return;
	nodes[i].marks |= mark;
	queue[length++] = i;
}

static int lets_go_by_name(const struct object_node *node)
{
	return node->kind == MODULE || node->kind == CLASS || node->kind == NAMES;
}

/* The way from a finalizer back to what it ends with. */
static void taint(void)
{
	length = 0;
	for (uint32_t i = 0; i < graph->count; i++)
		if (!lets_go_by_name(&nodes[i]) && ends_visibly(nodes[i].object))
			put(i, TAINTED);
	for (uint32_t at = 0; at < length; at++)
		for (uint32_t r = start[queue[at]]; r < start[queue[at] + 1]; r++)
			if (!lets_go_by_name(&nodes[from[r]]))
				put(from[r], TAINTED);
}

static void put_module(PyObject *name, PyObject *module)
{
	long i = PyModule_Check(module) ? object_graph_find(module) : -1;

	(void)name;
	if (i >= 0)
		put((uint32_t)i, PERMANENT);
}

static void find_permanent(void)
{
	PyObject *name, *module;
	Py_ssize_t position = 0;

	length = 0;
	while (PyDict_Next(PyImport_GetModuleDict(), &position, &name, &module))
		put_module(name, module);
	for (uint32_t at = 0; at < length; at++) {
		const struct object_node *node = &nodes[queue[at]];

		for (uint32_t e = node[0].first; e < node[1].first; e++)
			if (nodes[graph->edges[e]].kind != OTHER &&
			    !(nodes[graph->edges[e]].marks & TAINTED))
				put(graph->edges[e], PERMANENT);
	}
}

static int is_sound(const struct object_node *node)
{
	return counts_are_immortal(node->object) || (!(node->marks & TAINTED) &&
		(node->kind == LEAF || (node->marks & PERMANENT)));
}

/* Holders of what does not last do not last. */
static void spoil(void)
{
	length = 0;
	for (uint32_t i = 0; i < graph->count; i++)
		if (!is_sound(&nodes[i]))
			put(i, BAD);
	for (uint32_t at = 0; at < length; at++)
		for (uint32_t r = start[queue[at]]; r < start[queue[at] + 1]; r++)
			if (nodes[from[r]].kind == HOLDER)
				put(from[r], BAD);
}

/* __main__ is made anew; and sys and sys.modules are shown to the collector at the
 * end (collector_show_roots()), which takes what is immortal out of its sight. */
static void leave_out(void)
{
	PyObject *main_module = PyImport_AddModule("__main__");
	PyObject *sys = PyDict_GetItemString(PyImport_GetModuleDict(), "sys");
	PyObject *const objects[] = {
		main_module, main_module ? PyModule_GetDict(main_module) : NULL,
		sys && PyModule_Check(sys) ? PyModule_GetDict(sys) : NULL,
		PyImport_GetModuleDict(),
	};

	for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
		long found = objects[i] ? object_graph_find(objects[i]) : -1;

		if (found >= 0)
			nodes[found].marks &= ~LASTING;
	}
}

int lasting_find(const struct object_graph *all)
{
	size_t size = all->count * sizeof *queue;

	graph = all;
	nodes = all->nodes;
	queue = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (queue == MAP_FAILED || object_graph_reverse(&start, &from))
		return -1;
	tell_kinds();
	taint();
	find_permanent();
	spoil();
	for (uint32_t i = 0; i < graph->count; i++)
		if (!(nodes[i].marks & BAD))
			nodes[i].marks |= LASTING;
	leave_out();
	munmap(queue, size);
	return 0;
}
