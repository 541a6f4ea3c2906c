/*
 * sys.stdin, sys.stdout and sys.stderr over the freeze.
 */
#ifndef STREAMS_H
#define STREAMS_H

/* Remembers the stream objects that Python made at its start: whatever the
 * workload does with them, they are the same objects after the restore. */
void streams_keep(void);

/* Prepares their content for every common kind of descriptor: terminal, pipe,
 * device, file at its start. Before the freeze. */
void streams_prepare(void);

/* Puts the content in place that Python would have made for descriptors 0, 1
 * and 2 as they are now. Needs the GIL. */
void streams_resume(void);

/* Flushes the kept streams; what is written to them later stays in them. */
void streams_flush(void);

#endif
