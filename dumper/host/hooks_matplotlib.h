/*
 * The files that matplotlib looks for its settings in.
 */
#ifndef HOOKS_MATPLOTLIB_H
#define HOOKS_MATPLOTLIB_H

/* Calls put("read", path) for each, there or not, if it was imported. A name alone
 * is looked for in the working folder. Refuses where an import read what belongs
 * to the build alone. */
void hooks_matplotlib_files(void (*put)(const char *key, const char *value));

#endif
