/*
 * Notes what Python code reads of os.environ (reads.h). While the workload runs,
 * the dict below it is behind an object that looks who asks; afterwards the dict
 * itself is there again.
 */
#ifndef READS_OS_H
#define READS_OS_H

#include <stddef.h>

/* Between the two phases of the start: what site, .pth files and sitecustomize
 * read counts, too. */
void reads_os_watch(void);

/* Puts everything back. */
void reads_os_end(void);

/* Notes a variable under the Python code that is running. Needs the GIL. */
void reads_os_note(const char *name, size_t length, int is_set);

#endif
