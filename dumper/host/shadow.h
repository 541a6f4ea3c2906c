/*
 * Modules that python3 imports for a start, and looks for in the working folder
 * first: an entry that is one, what -c needs.
 */
#ifndef SHADOW_H
#define SHADOW_H

struct startup;

/* Before the freeze: the entry's name, with dots; or NULL. */
void shadow_prepare(const char *name);

/* The file that python3 would find there instead, else NULL. Of a start, before
 * anything of Python's is changed. */
const char *shadow_find(const struct startup *startup);

/* The file there that is a module of this name, which has no dots, else NULL. */
const char *shadow_of(const char *name);

#endif
