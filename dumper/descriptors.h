/*
 * The descriptors that the frozen process has open. An image can hold those
 * on regular files that are only read or only appended to.
 */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct err;

struct descriptor {
	int fd;
	int flags;		/* O_RDONLY or O_WRONLY|O_APPEND, and O_CLOEXEC */
	char *path;
	struct timespec mtime;
	uint64_t size;
	uint64_t offset;
};

struct descriptors {
	struct descriptor *items;	/* ascending */
	size_t count;
	size_t room;
	int culprit;		/* after a refusal: the descriptor; else -1 */
};

/* Reads /proc/PID/fd. 0, 1 and 2 don't count. Refuses any other that is not a
 * regular file, and says what it is. descriptors_free() in either case. */
int descriptors_read(pid_t pid, struct descriptors *descriptors, struct err *err);

/* Reads "pos:" and "flags:" out of the text of a fdinfo file. Returns 0 or -1. */
int descriptors_parse_info(const char *text, uint64_t *offset, int *flags);

void descriptors_free(struct descriptors *descriptors);

#endif
