/*
 * The descriptor that awscrt keeps open on /dev/urandom.
 */
#ifndef HOOKS_AWSCRT_H
#define HOOKS_AWSCRT_H

/* Closes it, in the process that is frozen. */
void hooks_awscrt_freeze(void);

/* Opens it again. NULL; or why python3 has to run instead. */
const char *hooks_awscrt_resume(void);

#endif
