/*
 * The name of the process, as ps(1) shows it and pkill(1) looks for it. The kernel
 * takes it from the file that is executed (begin_new_exec() of fs/exec.c): of a
 * script that is the script's own name. Only enter.c calls this, after the commit
 * point: exec names the fallback.
 */
#ifndef COMM_H
#define COMM_H

struct program;
struct stack;

/* Gives the process the name that python3's would have; with `entry`, that of the
 * program which the image is. `by_kernel`: it is the image that was executed, or a
 * script whose first line names it; else pyimage. */
void comm_set(const struct program *program, const struct stack *stack, int by_kernel,
	int entry);

#endif
