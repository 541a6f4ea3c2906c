/*
 * The host's last message: which process is frozen and what stands in the
 * image instead of its bytes. Pure: bytes in, struct out, every count bounded.
 */
#ifndef FROZEN_H
#define FROZEN_H

#include "memory.h"

struct control_protect;
struct err;

struct frozen {
	pid_t pid;
	uint64_t handoff;	/* address of struct handoff */
	uint64_t entry;
	struct memory_patch *patches;	/* point into the message */
	size_t patch_count;
	struct control_protect *protects;	/* owned */
	size_t protect_count;
};

/* Reads the body of a CONTROL_FROZEN, which must outlive the struct.
 * frozen_free() in either case. */
int frozen_parse(const char *data, size_t size, struct frozen *frozen,
		 struct err *err);

void frozen_free(struct frozen *frozen);

#endif
