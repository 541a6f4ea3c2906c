/*
 * The kernel's vDSO: its functions found by name, whatever kernel it is, and
 * system calls for those that it lacks. Pure, but for the calls themselves.
 */
#ifndef VDSO_H
#define VDSO_H

#include <stdint.h>

#include "handoff.h"

/* Fills all slots with the addresses of functions that have the C calling
 * convention and return a negative errno. `vdso` is AT_SYSINFO_EHDR's value, or
 * NULL. One walk over its symbols; nothing outside its own first segment is
 * read. */
void vdso_resolve(const void *vdso, uint64_t slots[HANDOFF_VDSO_COUNT]);

#endif
