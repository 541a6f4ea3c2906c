/*
 * Files and folders that imports made by module tempfile.
 */
#ifndef TEMPORARY_H
#define TEMPORARY_H

#include <stdio.h>

/* Before the workload. */
void temporary_watch(void);

/* Puts a string for each into the report (CONTROL_REPORT). */
void temporary_put(FILE *stream);

#endif
