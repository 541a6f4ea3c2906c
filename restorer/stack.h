/*
 * The stack as the kernel lays it out for a new program: argc, the arguments,
 * the environment, the auxiliary vector. Pure.
 */
#ifndef STACK_H
#define STACK_H

#include <stdint.h>

struct stack {
	uint64_t *start;	/* where the stack pointer was: argc */
	int argc;
	int envc;
	char **argv;
	char **envp;
	uint64_t (*auxv)[2];	/* type, value; ends with type 0 */
};

/* Takes apart what `start` points to. */
void stack_read(uint64_t *start, struct stack *stack);

/* The auxiliary vector's value of this type; 0 where there is none. */
uint64_t stack_aux(const struct stack *stack, uint64_t type);

/* The same as a pointer: to the string or bytes on the stack, or NULL. */
const void *stack_pointer(const struct stack *stack, uint64_t type);

#endif
