/*
 * Guards of thread stacks that are no mapping of their own.
 */
#ifndef GUARD_PAGES_H
#define GUARD_PAGES_H

#include <stdint.h>

/* Whether the page at the address is such a guard, by its entry in pagemap. It is
 * a mapping without access then, as a guard was before. */
int guard_pages_made_plain(uint64_t address, uint64_t entry);

#endif
