/*
 * colorama.init(), which many programs call while they are imported, asks whether the
 * standard streams are terminals, and wraps those that are none.
 */
#ifndef HOOKS_COLORAMA_H
#define HOOKS_COLORAMA_H

/* Whether this question is init()'s, and only that: called with no opinion of its own
 * on what to strip and convert. Then an answer "no" is renewed by a row of
 * hooks_modules.c. */
int hooks_colorama_asks(void);

#endif
