/*
 * Makes the process what the kernel and libc take it for. After the commit
 * point: nothing in here can be taken back.
 */
#ifndef REPAIR_H
#define REPAIR_H

#include <stdint.h>

struct handoff;
struct image_header;
struct stack;

/* Repairs everything that lies between the kernel and Python, in handoff and in
 * what it points to; copies the hot pages first. Fills the tid and `ignored` of
 * handoff.startup. `meta` is a meta part whose tables are sound. */
void repair_process(const void *meta, const struct image_header *header,
	struct handoff *handoff, const struct stack *stack);

#endif
