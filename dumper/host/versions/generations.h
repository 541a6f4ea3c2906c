/*
 * The generations of the collector, for collector.c; the walk over their lists is
 * in cpython.h. What is frozen lies in the permanent one.
 */
#ifndef GENERATIONS_H
#define GENERATIONS_H

#include "cpython.h"

/* The last object of a generation, borrowed; NULL if it has none. */
PyObject *generations_last(int generation);

/* Moves a run of objects from its generation to right behind an object of any. */
void generations_move_behind(PyObject *first, PyObject *last, PyObject *behind);

/* Whether collections run by themselves; what a generation counts up to its
 * threshold. */
int *generations_enabled(void);
int *generations_count(int generation);

/* Notes counters and statistics; puts them back, or the counter of the youngest
 * alone. */
void generations_keep(void);
void generations_put_back(void);
void generations_put_back_count(void);

/* Whether there was a full collection since they were noted. */
int generations_has_collected_all(void);

#endif
