/*
 * The objects of the interpreter and who refers to whom, as far as tp_traverse and
 * the few fields known here tell. Exists for the short time in between; its memory is
 * not the heap's, which stays as it is.
 */
#ifndef OBJECT_GRAPH_H
#define OBJECT_GRAPH_H

#include "cpython.h"

#include <stdint.h>

struct object_node {
	PyObject *object;
	uint32_t first;		/* of its edges */
	uint32_t seen;		/* references that tp_traverse showed */
	uint32_t kind, marks;	/* the caller's */
};

/* Node i refers to the nodes edges[nodes[i].first] up to nodes[i + 1].first; there is
 * one node more than `count`, for the last one's end. */
struct object_graph {
	struct object_node *nodes;
	uint32_t *edges;
	uint32_t count, edge_count;
};

/* Everything that the collector knows, and what is reached from it. NULL without
 * memory. Nothing of Python's is called, made or changed. */
const struct object_graph *object_graph_make(void);

/* The same after a restore, for `seen` alone: without edges, and without nodes for
 * what the collector had since, of which there may be any number. */
const struct object_graph *object_graph_count(void);

/* Its index, or -1. */
long object_graph_find(const PyObject *object);

/* For each node the nodes that refer to it: those of i are at from[start[i]] up to
 * start[i + 1]. Go with the graph. -1 without memory. */
int object_graph_reverse(uint32_t **start, uint32_t **from);

void object_graph_drop(void);

#endif
