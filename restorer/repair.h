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

/* Repairs everything that lies between the kernel and Python: see facts in
 * docs/design.md. Fills startup's tid and ignored. */
void repair_process(const void *meta, const struct image_header *header,
	struct handoff *handoff, const struct stack *stack);

#endif
