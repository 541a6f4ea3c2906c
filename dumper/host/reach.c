/*
 * A hash table of objects with the references to each that nothing in the
 * table accounts for.
 */
#include "reach.h"

#include <stdint.h>
#include <stdlib.h>

struct node {
	PyObject *object;
	Py_ssize_t refs;
	int wanted, seen;
};

static struct node *nodes, **stack;
static size_t mask, height;

int reach_begin(Py_ssize_t count)
{
	size_t size = 64;

	while (size < (size_t)count * 2)
		size *= 2;
	mask = size - 1;
	height = 0;
	nodes = calloc(size, sizeof *nodes);
	stack = calloc((size_t)count + 1, sizeof *stack);
	if (nodes && stack)
		return 0;
	free(nodes);
	free(stack);
	return -1;
}

/* Its place, or the free one where it belongs. */
static struct node *find(const PyObject *object)
{
	size_t at = ((uintptr_t)object >> 4) * 0x9e3779b97f4a7c15ull >> 20;

	while (nodes[at & mask].object && nodes[at & mask].object != object)
		at++;
	return &nodes[at & mask];
}

void reach_add(PyObject *object, Py_ssize_t known, int wanted)
{
	struct node *node = find(object);

	if (node->object)
		return;
	node->object = object;
	node->refs = Py_REFCNT(object) - known;
	node->wanted = wanted;
}

void reach_forget(PyObject *object)
{
	struct node *node = find(object);

	if (node->object)
		node->refs--;
}

static int forget(PyObject *object, void *unused)
{
	(void)unused;
	reach_forget(object);
	return 0;
}

static int push(PyObject *object, void *unused)
{
	struct node *node = find(object);

	(void)unused;
	if (!node->object || node->seen)
		return 0;
	node->seen = 1;
	stack[height++] = node;
	return node->wanted;	/* ends tp_traverse */
}

static int traverse(PyObject *object, visitproc visit)
{
	traverseproc function = Py_TYPE(object)->tp_traverse;

	return function ? function(object, visit, NULL) : 0;
}

int reach_end(void)
{
	int found = 0;

	for (size_t i = 0; i <= mask; i++)
		if (nodes[i].object)
			traverse(nodes[i].object, forget);
	for (size_t i = 0; i <= mask && !found; i++) {
		if (!nodes[i].object || nodes[i].refs <= 0)
			continue;
		found = push(nodes[i].object, NULL);
		while (height && !found)
			found = traverse(stack[--height]->object, push);
	}
	free(nodes);
	free(stack);
	return found;
}
