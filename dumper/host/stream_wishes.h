/*
 * What the workload asked of the standard streams by reconfigure(), also where they
 * were so already: in the restored process they may not be.
 */
#ifndef STREAM_WISHES_H
#define STREAM_WISHES_H

#include <Python.h>

/* The settings, by their names as arguments and attributes. */
#define STREAM_WISHES 4
extern const char *const stream_wishes_names[STREAM_WISHES];

/* Between watch_start() and watch_end(); text[fd] is the stream of a descriptor. */
void stream_wishes_watch(PyObject *io_module, PyObject *const text[3]);

/* Whether a call of reconfigure() for this descriptor named the setting. */
int stream_wishes_has(int fd, size_t setting);

#endif
