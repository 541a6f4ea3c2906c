/*
 * CPython's collector over the freeze.
 */
#ifndef COLLECTOR_H
#define COLLECTOR_H

#include "versions/free_lists.h"

#include <Python.h>

/* What the host itself does in between makes and frees objects that the collector
 * does not count; those that are left have to be freed in another pause. */
struct collector_pause {
	int count, was_enabled;
	int free[FREE_LISTS_MOST];
};
struct collector_pause collector_pause(void);
void collector_go_on(struct collector_pause pause);

/* In a pause, once it was noted how it stood: as many are free as then. */
void collector_level(void);

/* How many objects it has counted in a pause; ends it with what python3 would have
 * counted, and free lists as they are. */
int collector_counted(struct collector_pause pause);
void collector_take(struct collector_pause pause, int counted);

/* Notes how it stands, when all is imported. */
void collector_keep(void);

/* After the last gc.freeze(): the collector is as it was, with __main__ in its sight. */
void collector_reset(PyObject *main_module);

/* A rehearsal begins: from here to collector_start() is what a restore does. */
void collector_rehearse(void);

/* The program starts: what the restore made does not count. */
void collector_start(void);

/* Whether gc.freeze() and unfreeze() were not called since. */
int collector_is_as_frozen(void);

/* The generation where most frozen objects would be in python3: where they were
 * when all was imported, until a full collection. */
int collector_seeming_generation(void);

/* Puts sys.modules and the names of sys in its sight. */
void collector_show_roots(void);

/* Puts all that was frozen in its sight, before what was made later. */
void collector_unfreeze(void);

#endif
