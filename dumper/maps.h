/*
 * The mappings of a process, out of /proc/PID/smaps. Knows the kernel's text
 * format and nothing of what an image takes from them (that is plan.c).
 */
#ifndef MAPS_H
#define MAPS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

enum maps_protection {
	MAPS_READ = 4,
	MAPS_WRITE = 2,
	MAPS_EXECUTE = 1,
};

enum maps_kind {
	MAPS_ANONYMOUS,		/* also "[anon:name]" */
	MAPS_FILE,
	MAPS_HEAP,
	MAPS_STACK,
	MAPS_VDSO,
	MAPS_KERNEL,		/* vvar, vsyscall and their kin */
	MAPS_UNKNOWN,		/* another name in brackets */
};

enum maps_flag {
	MAPS_SHARED = 1,
	MAPS_DELETED = 2,	/* the file has no name any more */
	MAPS_WIPED = 4,		/* VmFlags wf: emptied in a forked child */
	MAPS_DROPPABLE = 8,	/* VmFlags dp: the kernel may drop its pages */
	MAPS_DEVICE = 16,	/* VmFlags io or pf: memory of a device */
};

struct mapping {
	uint64_t start, end;
	uint64_t offset;	/* in the file */
	uint64_t inode;
	uint64_t populated;	/* bytes present or swapped out */
	unsigned protection;	/* enum maps_protection */
	unsigned flags;		/* enum maps_flag */
	enum maps_kind kind;
	char *name;		/* path, "[heap]", ...; "" for none */
};

struct maps {
	struct mapping *items;	/* ascending, without overlaps */
	size_t count;
	size_t room;
};

/* Reads the text of an smaps (or maps) file. maps_free() in either case. */
int maps_parse(const char *text, struct maps *maps, struct err *err);

/* Reads /proc/PID/smaps. maps_free() in either case. */
int maps_read(pid_t pid, struct maps *maps, struct err *err);

/* The mapping that holds the address, or NULL. */
struct mapping *maps_find(const struct maps *maps, uint64_t address);

void maps_free(struct maps *maps);

#endif
