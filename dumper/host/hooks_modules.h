/*
 * Modules that make something at their import which belongs to one process, and have
 * a few lines of Python to make it again.
 */
#ifndef HOOKS_MODULES_H
#define HOOKS_MODULES_H

/* Before the freeze. */
void hooks_modules_before(void);

/* Whether one of them has this name. */
int hooks_modules_know(const char *module);

/* In the restored process, when all of Python's view of it is there. -1 with an
 * exception set. */
int hooks_modules_resume(void);

void hooks_modules_release(void);

#endif
