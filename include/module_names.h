/*
 * The names in a folder that an import could find there: what both pydump and the
 * restorer make a guard of. Pure; freestanding.
 */
#ifndef MODULE_NAMES_H
#define MODULE_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* getdents64(2)'s types that tell it is no folder; others may be one. */
static inline int module_names_is_file(unsigned char type)
{
	return type == 1 /* FIFO */ || type == 8 /* regular */ || type == 12 /* socket */;
}

static inline int module_names_ends(const char *name, size_t length, const char *suffix,
	size_t size)
{
	if (length <= size)
		return 0;
	for (size_t i = 0; i < size; i++)
		if (name[length - size + i] != suffix[i])
			return 0;
	return 1;
}

/* Whether import could take the entry: importlib.machinery's suffixes, or a folder
 * whose name is an identifier (no dot; ".git" is none), as __pycache__ is, but that
 * comes and goes with every run of python3. */
static inline int module_names_counts(const char *name, size_t length, unsigned char type)
{
	if (module_names_ends(name, length, ".py", 3) ||
	    module_names_ends(name, length, ".pyc", 4) ||
	    module_names_ends(name, length, ".so", 3))
		return 1;
	if (module_names_is_file(type) ||
	    (length == 11 && module_names_ends(name, length, "_pycache__", 10)))
		return 0;
	for (size_t i = 0; i < length; i++)
		if (name[i] == '.')
			return 0;
	return 1;
}

/* Of one entry; the guard's number is the sum over those that count, since a
 * folder's order means nothing. FNV-1a. */
static inline uint64_t module_names_hash(const char *name, size_t length)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3u;
	return hash;
}

#endif
