/*
 * The machine that an image is built on.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include "image.h"

/* Fills all of it. A boot id that can't be read stays empty: then every start
 * compares the CPU itself. */
void machine_read(struct image_cpu *cpu);

#endif
