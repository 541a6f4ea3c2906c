/*
 * Regular expressions that a command compiles as it runs, which module re keeps.
 */
#ifndef PATTERNS_H
#define PATTERNS_H

#include "cpython.h"

/* Recording: calls tell() with "FLAGS TAB str|bytes TAB HEX" for each that re has kept
 * since the last call. The text is tell()'s, and may be NULL; an exception may be set
 * then. */
void patterns_look(void (*tell)(PyObject *text));

/* Building: has re compile and keep those of the lines (NULL-terminated), each where
 * that neither warns nor fails: what does, the program is to hear of. Refuses a line
 * that is not as above. */
void patterns_compile(char **lines);

#endif
