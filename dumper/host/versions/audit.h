/*
 * C's audit hooks, of all interpreters.
 */
#ifndef AUDIT_H
#define AUDIT_H

/* Where the runtime keeps the first of its list: a pointer to an entry. */
void *audit_list(void);

#endif
