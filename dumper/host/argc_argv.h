/*
 * Py_GetArgcArgv() in the image: the words of the process that runs.
 */
#ifndef ARGC_ARGV_H
#define ARGC_ARGV_H

/* At the freeze. */
void argc_argv_replace(void);

#endif
