/*
 * Finds out which code opens a descriptor.
 */
#ifndef TRACE_H
#define TRACE_H

/* From here on, watches which Python code opens descriptor `fd`. Slow. */
void trace_descriptor(int fd);

/* Tells pydump module, file and line of whoever opened the descriptor that is
 * open now, and ends the process. */
void trace_end(void) __attribute__((noreturn));

#endif
