/*
 * What libc and the kernel know of the process: written down before the
 * freeze for the code that enters the image.
 */
#ifndef LIBC_STATE_H
#define LIBC_STATE_H

/* At the start of main: where the kernel put arguments and environment. */
void libc_state_keep(char **argv, char **envp);

/* In the process that is frozen, as the last thing: fills the handoff, and
 * patches what points into the stack, the vDSO, Py_FinalizeEx. */
void libc_state_save(void);

#endif
