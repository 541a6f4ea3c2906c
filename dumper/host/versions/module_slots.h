/*
 * What a module that the host defines says of itself.
 */
#ifndef MODULE_SLOTS_H
#define MODULE_SLOTS_H

#include "cpython.h"

/* The slots of a module that any interpreter may import, and that no code fills. */
extern PyModuleDef_Slot module_slots[];

#endif
