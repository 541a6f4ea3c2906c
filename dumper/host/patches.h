/*
 * Bytes that stand in the image instead of those in the frozen process
 * (CONTROL_FROZEN). The process itself is not changed.
 */
#ifndef PATCHES_H
#define PATCHES_H

#include <stddef.h>
#include <stdint.h>

void patches_add(uint64_t address, const void *bytes, size_t length);
void patches_add_word(uint64_t address, uint64_t word);

/* The function at `address` jumps to another of its kind. */
void patches_add_jump(uint64_t address, uint64_t target);

/* The mapping that holds this address has protection PROT_* in the image. */
void patches_protect(uint64_t address, int protection);

/* The message that tells pydump all of it; `length` receives its size. */
void *patches_message(int pid, uint64_t handoff, uint64_t entry, size_t *length);

#endif
