/*
 * What has to go when pydump is interrupted: an unfinished file, processes
 * that it started. The only place with signal handlers.
 */
#ifndef CLEANUP_H
#define CLEANUP_H

#include <sys/types.h>

/* From now on SIGINT, SIGTERM and SIGHUP clean up and then end pydump by that
 * signal; one that the caller has ignored stays so. */
void cleanup_install(void);

/* The file to unlink. The path is copied; NULL forgets it. */
void cleanup_set_path(const char *path);

/* Processes to kill. At most CLEANUP_PROCESSES at a time. */
#define CLEANUP_PROCESSES 8
void cleanup_add_process(pid_t pid);
void cleanup_forget_process(pid_t pid);

#endif
