/*
 * Whether this machine is one that the image's code can run on.
 */
#ifndef PROCESSOR_H
#define PROCESSOR_H

#include <stdint.h>

struct image_cpu;
struct reason;

/* Compares with what the image was built on; hwcap2 is AT_HWCAP2 of the
 * auxiliary vector. 0, or -1 and the reason. */
int processor_check(const struct image_cpu *built, uint64_t hwcap2, struct reason *reason);

#endif
