/*
 * Sections by which debuggers find their way in another process: they look for them in
 * the files that are mapped there. An image is mapped instead of these files, so it
 * needs their sections.
 */
#ifndef ELFDEBUG_H
#define ELFDEBUG_H

#include <stddef.h>
#include <stdint.h>

#define ELFDEBUG_MOST 4

struct maps;

struct elfdebug {
	struct {
		const char *name;	/* of static memory */
		uint64_t address, size;	/* in the process */
	} sections[ELFDEBUG_MOST];
	size_t count;
};

/* What the files of these mappings have of such sections. A file that can't be read, or
 * is no ELF file, has none. */
void elfdebug_find(const struct maps *maps, struct elfdebug *found);

#endif
