/*
 * sys.stdin, sys.stdout and sys.stderr over the freeze.
 */
#ifndef STREAMS_H
#define STREAMS_H

#include <Python.h>

struct python_options;

/* Remembers the stream objects that Python made at its start: whatever the
 * workload does with them, they are the same objects after the restore. */
void streams_keep(void);

/* After hooks_watch(): hears what the workload asks of them. */
void streams_watch(void);

/* Where the workload gave one another encoding, error handler or buffering
 * (reconfigure()), each one that is made from here on gets it, too. */
void streams_note_changes(void);

/* Prepares their content for every common kind of descriptor: terminal, pipe,
 * device, file at its start. Before the freeze. */
void streams_prepare(void);

/* Puts the content in place that Python would have made for descriptors 0, 1
 * and 2 as they are now, under these options. NULL; or the reason why plain
 * python3 has to run instead: it refuses to start, or the frozen modules know of
 * other streams. Needs the GIL. */
const char *streams_resume(const struct python_options *options);

/* Flushes the kept streams without a word about failures, as their
 * deallocation does in python3. */
void streams_flush(void);

/* Whether the object is one of the kept streams, their buffers or raw files. */
int streams_is_kept(const PyObject *object);

void streams_release(void);

#endif
