/*
 * Which frozen objects may be immortal: those whose end no program could see, and
 * what a program keeps until its own end.
 */
#ifndef LASTING_H
#define LASTING_H

#include "object_graph.h"

/* A mark of each node that is such. */
#define LASTING 1u

/* 0, or -1 without memory. `graph` is object_graph_make()'s. */
int lasting_find(const struct object_graph *graph);

#endif
