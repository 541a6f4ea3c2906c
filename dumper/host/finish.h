/*
 * The end of a restored process: all that python3 would finish, without a walk
 * over the frozen heap.
 */
#ifndef FINISH_H
#define FINISH_H

/* Notes what is frozen. The last thing that is done to Python's state before
 * rehearsals. */
void finish_prepare(void);

/* Stands in for Py_FinalizeEx in the image, whoever calls it (Py_Exit after
 * SystemExit, an extension): joins threads, runs atexit's functions, finalises
 * what was made since the restore, flushes the streams. 0, or -1 if the
 * streams could not be flushed. The first call does it, later ones return 0. */
int finish_python(void);

/* The process's exit status: 120 where finish_python fails; does not return
 * where a KeyboardInterrupt ended the program (dies by SIGINT). */
int finish_code(int code);

/* As finish_python, but can be taken back: no atexit function runs, and what
 * it sets is set back. */
void finish_rehearse(void);

void finish_release(void);

#endif
