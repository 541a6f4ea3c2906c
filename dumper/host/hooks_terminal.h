/*
 * Who is known to ask whether the standard streams are terminals, and to be told anew
 * by a row of hooks_modules.c.
 */
#ifndef HOOKS_TERMINAL_H
#define HOOKS_TERMINAL_H

#include <Python.h>

/* Whether that one asks now, and gets this answer. */
int hooks_terminal_renews(int is_terminal);

/* Whether who asks now for the terminal's type, which is not told, is known. */
int hooks_terminal_renews_type(void);

/* A list of the objects that keep such answers, or NULL; a new reference. Empty from then
 * on. */
PyObject *hooks_terminal_keepers(void);

#endif
