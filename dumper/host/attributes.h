/*
 * What a process is besides its memory: an image does not hold it.
 */
#ifndef ATTRIBUTES_H
#define ATTRIBUTES_H

/* Gives each signal that the builder ignored its default, before Python starts. */
void attributes_hear_signals(void);

/* Remembers it, before the workload. */
void attributes_keep(void);

/* Refuses, by name, where the workload changed any of it: the restored process
 * would silently have its parent's. */
void attributes_check(void);

#endif
