/*
 * What a process of an image has written to the image's memory: pages that it has
 * copies of, and words of them that differ from the file.
 */
#ifndef CHANGED_H
#define CHANGED_H

#include "memory.h"

#include <stdint.h>
#include <sys/types.h>

struct err;
struct plan;

/* Adds the pages of the plan's file-backed writable segments that the process has
 * written to, ascending. */
int changed_pages(pid_t pid, const struct plan *plan, struct memory_ranges *pages,
		  struct err *err);

/* Calls `found` with the address of each word (8 bytes) on these pages that is another
 * one than in the image, ascending. Pages that can't be read are left out. */
typedef void changed_found(uint64_t address, void *data);
int changed_words(pid_t pid, const struct plan *plan, const char *image,
		  changed_found *found, void *data, struct err *err);

#endif
