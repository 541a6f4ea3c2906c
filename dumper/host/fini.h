/*
 * Destructors of shared libraries at exit.
 */
#ifndef FINI_H
#define FINI_H

/* Notes which libraries are frozen, and which of them have destructors of
 * their own. Before the freeze. */
void fini_prepare(void);

/* For __libc_start_main, in place of ld.so's _dl_fini: in a restored process
 * runs the destructors that do something. */
void fini_run(void);

/* ld.so's function that fini_run() stands for. */
void fini_keep(void (*rtld_fini)(void));

/* This process is not to be frozen: it ends as any other. */
void fini_leave(void);

#endif
