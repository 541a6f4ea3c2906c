/*
 * The initial stack: System V ABI, x86-64 supplement, "Initial Stack and
 * Register State". Linked into pyimage and into every image.
 */
#include "stack.h"

#include <stddef.h>

void stack_read(uint64_t *start, struct stack *stack)
{
	char **end;

	stack->start = start;
	stack->argc = (int)*start;
	stack->argv = (char **)(start + 1);
	stack->envp = stack->argv + stack->argc + 1;
	for (end = stack->envp; *end; end++)
		;
	stack->envc = (int)(end - stack->envp);
	stack->auxv = (uint64_t (*)[2])(void *)(end + 1);
}

uint64_t stack_aux(const struct stack *stack, uint64_t type)
{
	for (uint64_t (*entry)[2] = stack->auxv; (*entry)[0]; entry++)
		if ((*entry)[0] == type)
			return (*entry)[1];
	return 0;
}

const void *stack_pointer(const struct stack *stack, uint64_t type)
{
	return (const void *)(uintptr_t)stack_aux(stack, type);
}
