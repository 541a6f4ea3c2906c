/*
 * What libc and the kernel know of the process: written down before the
 * freeze for the code that enters the image.
 */
#ifndef LIBC_STATE_H
#define LIBC_STATE_H

#include <stdint.h>

/* At the start of main: where the kernel put arguments and environment. */
void libc_state_keep(char **argv, char **envp);

/* In the image, words in data that are `from` are `to`: a function's address in
 * GOTs, say. Not the word at `except`. Before libc_state_save(). */
void libc_state_redirect(uint64_t from, uint64_t to, const void *except);

/* In the process that is frozen, as the last thing: fills the handoff, and
 * patches what points into the stack, the vDSO, Py_FinalizeEx. */
void libc_state_save(void);

#endif
