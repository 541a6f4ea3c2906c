/*
 * The Python side of a restore.
 */
#ifndef RESUME_H
#define RESUME_H

struct startup;
struct talk_spec;

/* Looks up and prepares all that resume_python will need. After the workload,
 * before rehearsals. `program` is the plain interpreter's argv[0]; of the spec, which
 * must live on, it takes how to run that instead of the image. */
void resume_prepare(const char *program, const struct talk_spec *spec);

/* What Python keeps about its process, made new: streams, environment, thread
 * id, signals, random state, argv. `rehearse`: leaves libc alone. */
void resume_python(const struct startup *startup, int rehearse);

/* Sets back what a rehearsal set. */
void resume_forget(void);

/* handoff.resume: the whole way from the entry to the exit. */
void resume_process(struct startup *startup) __attribute__((noreturn));

void resume_release(void);

#endif
