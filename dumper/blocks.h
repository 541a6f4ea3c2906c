/*
 * The blocks of memory that a build had, by their addresses: the table of
 * include/allocations.h, which its host has written.
 */
#ifndef BLOCKS_H
#define BLOCKS_H

#include <stdint.h>

struct gather_file;
struct gather_key;

/* The key of the block, in use or free again, that holds the address, and where it
 * begins; or NULL. */
const struct gather_key *blocks_find(struct gather_file *file, uint64_t address,
				     uint64_t *start);

/* Whether known blocks, with `pythons` Python's alone, fill the page: the kernel may
 * write into what else lies there, a buffer of a C library's, and it has no handler of
 * faults. */
int blocks_fill(struct gather_file *file, uint64_t page, int pythons);

/* Whether a block may reach into the page. */
int blocks_any(struct gather_file *file, uint64_t page);

#endif
