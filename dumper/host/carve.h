/*
 * Blocks of malloc's that lie side by side, whoever frees them later, and how.
 */
#ifndef CARVE_H
#define CARVE_H

#include <stddef.h>

/* Reserves memory for blocks of so many bytes together, each rounded up by
 * gather_chunk_size(). More than there is room for is no error. */
void carve_reserve(unsigned part, size_t bytes);

/* The next block, as malloc(3) would return it; or NULL. One thread at once. */
void *carve(unsigned part, size_t size);

#endif
