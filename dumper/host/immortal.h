/*
 * Reference counts that are never written (PEP 683, 3.12+): most of what is alive at
 * the freeze.
 */
#ifndef IMMORTAL_H
#define IMMORTAL_H

/* Last of all before the freeze: makes immortal what may be, where
 * counts_can_be_immortal(). */
void immortal_make(void);

/* Whether it made any. */
int immortal_any(void);

/* Before Py_FinalizeEx, when no other thread will run any more: gives them counts
 * again, that it may destroy them. From here on Python's memory is not used again, which
 * makes a count that is too low harmless. */
void immortal_end(void);

#endif
