/*
 * The Python modules pyimage and snapshot_restore_py, built into the interpreter
 * of an image.
 */
#ifndef PYIMAGE_H
#define PYIMAGE_H

/* Before Py_Initialize. */
void pyimage_add(void);

/* After it: from now on they can be imported. Nothing else tells of them. */
void pyimage_show(void);

/* Before the freeze: notes the time, for info(). */
void pyimage_freeze(void);

#endif
