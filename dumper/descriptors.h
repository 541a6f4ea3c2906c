/*
 * The descriptors that the frozen process has open. An image can hold those
 * on regular files that are only read or only appended to, on /dev/null, and on the
 * random devices.
 */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct err;
struct openfile_source;

struct descriptor {
	int fd;
	int flags;		/* as in struct image_file */
	char *path;
	struct timespec mtime;
	uint64_t size;
	uint64_t offset;
	uint64_t inode;
	unsigned device;	/* as in struct image_file */
	size_t original;	/* index of the one that it is a copy of, by dup(2);
				   its own: of none */
};

struct descriptors {
	struct descriptor *items;	/* ascending */
	size_t count;
	size_t room;
	int culprit;		/* after a refusal: the descriptor; else -1 */
};

/* Reads /proc/PID/fd. 0, 1 and 2 don't count. Refuses the lowest other one that
 * is not a regular file, or is in a state that opening it again would not bring
 * back, and says what it is. descriptors_free() in either case. */
int descriptors_read(const struct openfile_source *source,
		     struct descriptors *descriptors, struct err *err);

void descriptors_free(struct descriptors *descriptors);

#endif
