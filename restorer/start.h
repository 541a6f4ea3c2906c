/*
 * pyimage's own beginning and end, in arch/: there is no libc that calls main.
 */
#ifndef START_H
#define START_H

#include <stdint.h>

/* Called by _start with the stack pointer that the kernel gave: at argc. */
_Noreturn void start_main(uint64_t *stack);

/* Jumps to an image's entry: see enter.h. */
_Noreturn void start_jump(uint64_t entry, uint64_t *stack, uint64_t skip);

#endif
