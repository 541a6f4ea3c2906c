/*
 * Gathers hot objects: a draft of the image is watched while it runs, which tells the
 * allocations whose blocks are written (include/allocations.h); the next dump puts
 * these side by side.
 */
#ifndef GATHER_H
#define GATHER_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct gather_file;
struct gather_hot;
struct list;
struct plan;
struct trial;

struct gather {
	struct gather_file *file;	/* shared with the host of this dump */
	int fd;				/* of it; -1: none */
	char *path;			/* for the host to open it by */
	struct gather_hot *found;	/* in this dump, in any order */
	size_t count, room;
	int astride;			/* zone.h: what only the command writes may lie so */
	int pythons;			/* only pages full of Python's blocks are watched */
};

/* Makes the file for a dump. What the dump before has found becomes its keys.
 * gather_free() in either case. */
int gather_begin(struct gather *gather, struct err *err);

/* How many objects have a place in this dump, and their bytes. */
void gather_size(const struct gather *gather, uint64_t *objects, uint64_t *size);

/* Runs the image that is laid out so, as trial_command() has it, and adds the blocks
 * that it writes to what is found, those of former runs excepted. `tier` says which
 * part of the zone they are to lie in. */
int gather_watch(struct gather *gather, const struct trial *trial,
		 const struct plan *plan, const struct list *arguments, unsigned tier,
		 struct err *err);

void gather_free(struct gather *gather);

#endif
