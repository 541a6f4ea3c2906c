/*
 * What the workload asked of the standard streams by reconfigure(), also where they
 * were so already: in the restored process they may not be.
 */
#ifndef STREAM_WISHES_H
#define STREAM_WISHES_H

#include <Python.h>

/* Between hooks_watch() and hooks_before(); text[fd] is the stream of a descriptor. */
void stream_wishes_watch(PyObject *io_module, PyObject *const text[3]);

/* Whether a call of reconfigure() for this descriptor named the setting. */
int stream_wishes_has(int fd, const char *setting);

#endif
