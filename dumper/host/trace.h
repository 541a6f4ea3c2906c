/*
 * Finds out which code opens a descriptor.
 */
#ifndef TRACE_H
#define TRACE_H

/* From here on, watches Python code until descriptor `fd` is open; then tells
 * pydump the module, file and line, and ends the process. Slow. */
void trace_descriptor(int fd);

/* Nothing opened it: says so and ends the process. */
void trace_end(void) __attribute__((noreturn));

#endif
