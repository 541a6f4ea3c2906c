/*
 * The entry of an image. Linked into the host, so a part of every image.
 */
#ifndef ENTER_H
#define ENTER_H

#include <stdint.h>

struct handoff;

/* The image's struct handoff; defined by the host. Hidden: reached without the
 * global offset table. */
extern struct handoff handoff __attribute__((visibility("hidden")));

/* e_entry. The kernel or pyimage jumps here with the stack pointer at argc.
 * From pyimage, rdx is IMAGE_ENTER_SKIP + the number of leading arguments that
 * are not the program's ("pyimage IMAGE": 2); the kernel sets rdx to 0, which
 * stands for 1. */
void image_entry(void);

/* Called by image_entry() with the stack pointer and rdx as they were. */
_Noreturn void enter_main(uint64_t *stack, uint64_t skip);

#define IMAGE_ENTER_SKIP 0x70796d00ul

#endif
