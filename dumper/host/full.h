/*
 * The end as python3 has it: Py_FinalizeEx itself, over all objects.
 */
#ifndef FULL_H
#define FULL_H

/* In the image Py_FinalizeEx is a jump to `instead`. The last thing before the
 * freeze. */
void full_replace(int (*instead)(void));

/* Takes the jump out again, gives up all that the host holds of Python's
 * objects, puts frozen ones back under the collector's eye, and finalises. What
 * Py_FinalizeEx returns; 1, and nothing done, if its code can't be put back. */
int full_finish(void);

#endif
