/*
 * A TOML file's top level as a list of values. Python's own tomllib reads it.
 */
#ifndef TOML_H
#define TOML_H

#include "buffer.h"

#include <stddef.h>

struct err;

enum toml_type {
	TOML_STRING,
	TOML_BOOLEAN,		/* text is "true" or "false" */
	TOML_ITEM,		/* a string of an array: one value for each */
	TOML_EMPTY,		/* an array without items */
	TOML_OTHER,		/* anything else */
};

struct toml_value {
	const char *key;
	enum toml_type type;
	const char *text;	/* of TOML_OTHER and TOML_EMPTY: what it is, for
				   messages */
};

struct toml {
	struct toml_value *values;	/* in the file's order */
	size_t count, room;
	struct buffer text;	/* that the values point into */
};

/* Reads it; `name` is for messages. ERR_USAGE with the line where it is no TOML,
 * ERR_IO where it can't be read. toml_free() in either case. */
int toml_read(const char *path, const char *name, struct toml *toml, struct err *err);

void toml_free(struct toml *toml);

#endif
