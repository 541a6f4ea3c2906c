/*
 * The collector as a program sees it: frozen objects seem to be in its oldest
 * generation, though no collection of its own accord looks at them.
 */
#ifndef GC_VIEW_H
#define GC_VIEW_H

#include "cpython.h"

/* After the workload. */
void gc_view_keep(void);

/* gc.freeze(), for the host. */
void gc_view_freeze(void);

/* What came since the last gc_view_freeze() is the program's, too. */
void gc_view_note(void);

/* What collections look at: a new list, NULL with an exception set. Unlike
 * gc.get_objects(), audit hooks hear nothing of it. */
PyObject *gc_view_young(void);

/* The program called gc.freeze(), and gc.unfreeze() no more since. */
int gc_view_program_froze(void);

/* After the last gc_view_freeze(): in the image, the functions of gc are ours,
 * and the collector has not run since gc_view_keep(). */
void gc_view_replace(void);

#endif
