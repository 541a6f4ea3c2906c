/*
 * An entry that is a module: python3 -m would look for it in the working folder
 * first.
 */
#ifndef SHADOW_H
#define SHADOW_H

struct startup;

/* Before the freeze: the entry's name, with dots; or NULL. */
void shadow_prepare(const char *name);

/* The file that python3 would find there instead, else NULL. Of a start, before
 * anything of Python's is changed. */
const char *shadow_find(const struct startup *startup);

/* Whether the working folder holds a module of this name, which has no dots. */
int shadow_has(const char *name);

#endif
