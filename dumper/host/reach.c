/*
 * A hash table of objects with the references to each that nothing in the
 * table accounts for.
 */
#include "reach.h"
#include "frozen_objects.h"

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
	return 0;
}

static int traverse(PyObject *object, visitproc visit)
{
	traverseproc function = Py_TYPE(object)->tp_traverse;

	return function ? function(object, visit, NULL) : 0;
}

static int forget_of(PyObject *object, void *unused)
{
	(void)unused;
	if (!find(object)->object)	/* else reach_end does it: __main__ */
		traverse(object, forget);
	return 0;
}

void reach_forget_frozen(void)
{
	frozen_objects_each(forget_of, NULL);
}

int reach_end(int (*held)(PyObject *object, void *data), void *data)
{
	int result = 0;

	for (size_t i = 0; i <= mask; i++)
		if (nodes[i].object)
			traverse(nodes[i].object, forget);
	for (size_t i = 0; i <= mask && !result; i++) {
		if (!nodes[i].object || nodes[i].refs <= 0)
			continue;
		push(nodes[i].object, NULL);
		while (height && !result) {
			const struct node *node = stack[--height];

			if (node->wanted)
				result = held(node->object, data);
			traverse(node->object, push);
		}
	}
	free(nodes);
	free(stack);
	return result;
}
