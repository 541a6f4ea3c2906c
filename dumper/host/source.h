/*
 * Compiling what is to run, before the freeze.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <Python.h>

/* Code that python3 would make of the file each time; NULL where it has to be
 * compiled at each start: it is bytecode, or compiling it warns. Refuses what is
 * no Python. */
PyObject *source_compile_file(const char *name, PyObject *filename);

/* The same for what stands behind -c. */
PyObject *source_compile_command(const char *command);

/* Until source_end_rule() `action` ("error", "ignore") is taken for warnings of a
 * category, issued by code of this module (NULL: of any). */
void source_begin_rule(const char *action, PyObject *category, const char *module);
void source_end_rule(void);

#endif
