/*
 * Which variables of the environment an image depends on: what the workload read
 * (the host's report), what is asked for (--guard-env, --no-guard-env) and what was
 * let in for the loader and libraries (--keep-env). The restorer compares them at
 * each start (restorer/variable.c).
 */
#ifndef VARIABLES_H
#define VARIABLES_H

#include "list.h"

#include <stdint.h>

struct err;
struct report;
struct spec;

struct variable {
	char *name;		/* "PREFIX*": all that begin with PREFIX */
	char *value;		/* in the build's environment; NULL: it was not set */
	char *reader;		/* who read it first; NULL: nobody was seen */
	int guard;		/* it is compared; else it is only reported */
	int language;		/* only by whether it chooses a language */
	int was_set;		/* when it was first read */
};

struct variables {
	struct variable *items;	/* sorted by name */
	size_t count;
	size_t room;
	size_t guards;
	char *whole;		/* who read the whole environment; or NULL */
	int whole_guard;	/* then nothing may be added to it */
};

/* Makes the list. Refuses more guards than the format holds. `environment` is the
 * build's, NULL-terminated. variables_free() in either case. */
int variables_make(const struct report *report, const struct spec *spec,
		   char *const *environment, struct variables *variables,
		   struct err *err);

/* Warnings for the summary: variables that are guards, were not set while building,
 * but are in the caller's environment, so that the image would not start in it. */
void variables_warn(const struct variables *variables, char *const *caller,
		    struct list *warnings);

/* Length of PREFIX where the name is "PREFIX*", else 0. */
size_t variables_prefix(const char *name);

void variables_free(struct variables *variables);

#endif
