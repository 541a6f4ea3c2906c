/*
 * The Python side of a restore.
 */
#ifndef RESUME_H
#define RESUME_H

struct startup;

/* Looks up and prepares all that resume_python will need. After the workload,
 * before rehearsals. `program` is the plain interpreter's path, `options` what
 * of its command line is part of the image, `entry` what the image runs, each
 * with a NULL at its end. */
void resume_prepare(const char *program, char **options, char **entry);

/* What Python keeps about its process, made new: streams, environment, thread
 * id, signals, random state, argv. `rehearse`: leaves libc alone. */
void resume_python(const struct startup *startup, int rehearse);

/* Sets back what a rehearsal set. */
void resume_forget(void);

/* handoff.resume: the whole way from the entry to the exit. */
void resume_process(struct startup *startup) __attribute__((noreturn));

void resume_release(void);

#endif
