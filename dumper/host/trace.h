/*
 * Finds out which code opens a descriptor, or makes a mapping.
 */
#ifndef TRACE_H
#define TRACE_H

/* From here on, watches which Python code opens descriptor `fd`. Slow. */
void trace_descriptor(int fd);

/* From here on notes which Python code makes a mapping of that many bytes. */
void trace_mapping(unsigned long long size);

/* Tells pydump module, file and line of whoever opened the descriptor that is
 * open now, or made the last such mapping, and ends the process. */
void trace_end(void) __attribute__((noreturn));

#endif
