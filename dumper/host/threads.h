/*
 * Threads that are there at the freeze, of Python's and of libraries', and what
 * they are doing. An image holds one thread.
 */
#ifndef THREADS_H
#define THREADS_H

/* To be called before any other pthread_atfork(3): from here on each fork notes
 * which threads the prepare handlers left. */
void threads_watch(void);

/* Whether the last fork, or threads_look(), found other threads. */
int threads_left(void);

/* Looks now, at this process. */
void threads_look(void);

/* What is found is noted no more: in the process that is frozen. */
void threads_unwatch(void);

/* Names those that are still there, each with its stack, and refuses. Returns
 * where none is: one that was just ending. */
void threads_refuse(void);

#endif
