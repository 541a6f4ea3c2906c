/*
 * awscrt's log, whose start makes a thread.
 */
#ifndef HOOKS_AWSCRT_H
#define HOOKS_AWSCRT_H

/* Puts off what imports ask of the log. */
void hooks_awscrt_watch(void);

/* Asks for it, in the order of the imports. -1 with an exception set. */
int hooks_awscrt_resume(void);

void hooks_awscrt_release(void);

#endif
