/*
 * GNU readline asks for its terminal at the restore, not at its import.
 */
#ifndef READLINE_H
#define READLINE_H

/* Before any import. */
void readline_watch(void);

/* After the restore, and before anything may use it: environment and locale
 * have to be the process's own. */
void readline_resume(void);

#endif
