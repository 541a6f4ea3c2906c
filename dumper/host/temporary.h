/*
 * Files and folders that imports made by module tempfile.
 */
#ifndef TEMPORARY_H
#define TEMPORARY_H

#include "cpython.h"

#include <stdio.h>

/* An audit event while the workload runs. */
void temporary_hear(const char *event, PyObject *arguments);

/* Puts a string for each into the report (CONTROL_REPORT). */
void temporary_put(FILE *stream);

#endif
