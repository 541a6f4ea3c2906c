/*
 * One descriptor of a process, as /proc tells it, and whether opening the same
 * file again would bring it back. Called by descriptors.c.
 */
#ifndef OPENFILE_H
#define OPENFILE_H

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

struct err;
struct list;

/* Whose descriptors, and what else is known of them. */
struct openfile_source {
	pid_t pid;		/* the frozen process */
	pid_t parent;		/* of which it was forked, or 0: record locks are
				   not inherited, so the workload's are this one's */
	struct timespec start;	/* of the build: what is read must be older */
	const struct list *unbuffered;	/* numbers that may be on a random device */
};

/* What is read out of a fdinfo file. */
struct openfile_info {
	uint64_t offset;
	int flags;
	int locked;		/* flock(2), fcntl(2) locks and leases */
};

/* All that is known of one descriptor. */
struct openfile {
	const struct openfile_source *source;
	int fd;
	char link[4096 + 32];
	struct stat status;
	unsigned long filesystem;	/* its magic number */
	struct openfile_info info;
	int parent_locks;
};

/* Fills in what lies behind `source` and `fd`, which are set. Returns 0 or -1. */
int openfile_look(struct openfile *file, struct err *err);

/* What it is, for "is open on ...", where an image can't hold it; else NULL. */
const char *openfile_refusal(const struct openfile *file);

/* 3 where it is open on /dev/null; 8 or 9 where it reads /dev/random or /dev/urandom,
 * and nothing reads it ahead, as the host vouches; else 0. */
unsigned openfile_device(const struct openfile *file);

/* Reads "pos:", "flags:" and "lock:" of a fdinfo file's text. Returns 0 or -1. */
int openfile_parse_info(const char *text, struct openfile_info *info);

#endif
