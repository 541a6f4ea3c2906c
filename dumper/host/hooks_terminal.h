/*
 * Who is known to ask whether the standard streams are terminals, and to be told anew
 * by a row of hooks_modules.c.
 */
#ifndef HOOKS_TERMINAL_H
#define HOOKS_TERMINAL_H

/* Whether that one asks now, and gets this answer. */
int hooks_terminal_renews(int is_terminal);

#endif
