/*
 * The order in which libraries are destroyed.
 */
#ifndef LIBRARY_ORDER_H
#define LIBRARY_ORDER_H

#include <link.h>
#include <stddef.h>

/* Libraries from `first` on, as ld.so has loaded them, in an order in which each comes
 * before those that it needs: an array from malloc(3) of `*count`, or NULL without
 * memory or where there are none. */
struct link_map **library_order(struct link_map *first, size_t *count);

#endif
