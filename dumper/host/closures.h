/*
 * C callbacks that libffi made before the freeze (ctypes, PyGObject).
 */
#ifndef CLOSURES_H
#define CLOSURES_H

/* In the image, their pages are code that is never written to again, and libffi
 * starts with none. In the process that is frozen, as one of the last things. */
void closures_seal(void);

#endif
