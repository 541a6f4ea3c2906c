/*
 * The freeze: a forked child that stands still for pydump to read.
 */
#ifndef FREEZE_H
#define FREEZE_H

/* Forks; the child is brought to rest and stopped, pydump is told, and this
 * process waits for pydump and ends. */
void freeze(int immortal) __attribute__((noreturn));

#endif
