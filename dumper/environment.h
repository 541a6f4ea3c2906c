/*
 * The clean environment that a build runs in: a few of the caller's variables
 * and those that --keep-env lets in, so that an image depends on no others.
 */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

struct list;

/* Fills the list with NAME=VALUE strings out of the caller's environment
 * (a NULL-terminated array) and the keep list. */
void environment_clean(char *const *caller, const struct list *keep,
		       struct list *out);

/* Sets NAME to a value, in place of a former one. */
void environment_set(struct list *environment, const char *name, const char *value);

/* The value of NAME in the list, or NULL. */
const char *environment_get(char *const *environment, const char *name);

/* Whether the loader or libraries read variables of this name at their start. */
int environment_is_foreign(const char *name);

#endif
