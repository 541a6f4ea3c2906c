/*
 * The host's end of the control socket (include/control.h).
 */
#ifndef TALK_H
#define TALK_H

#include <stddef.h>

/* What pydump asks for; strings live as long as the process. */
struct talk_spec {
	char **imports;		/* NULL-terminated */
	char **warmups;		/* NULL-terminated */
	char **unset;		/* NULL-terminated */
	char **options;		/* of python3's command line; NULL-terminated */
	char **entry;		/* what the image runs, as words behind those;
				   NULL-terminated */
	char *plain;		/* the interpreter, where argv[0] is no way to run it
				   (include/venv.h); or NULL */
	char *function;		/* MODULE:FUNCTION that the entry calls, or NULL */
	char *argv0;		/* sys.argv[0] of every start, or NULL */
	unsigned long long stack_soft, stack_hard;
	int trace;		/* descriptor to find the opener of, or -1 */
	int no_immortal;	/* reference counts stay as they are */
	const char *io;		/* the policy's name */
	char *gather;		/* file of include/allocations.h, or NULL */
	char **recorded;	/* "NAME TAB LOADER TAB ORIGIN"; NULL-terminated */
	char **patterns;	/* patterns.h; NULL-terminated */
	int record;		/* run the interpreter and tell what it imports */
	unsigned long long trace_mapping;	/* size of the one to find the maker of, or 0 */
};

/* The socket that the environment names, moved to a high number. -1 if this
 * process was not started by pydump. */
int talk_open(void);

/* Reads the spec. Ends the process where pydump is gone. */
void talk_read_spec(struct talk_spec *spec);

/* One line for the progress display. */
void talk_progress(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* One line for the user, whatever becomes of the build. */
void talk_warn(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* Refuses: tells pydump why and ends this process. */
void talk_refuse(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/* A message of any type (enum control_type). Ends the process on failure. */
void talk_send(unsigned type, const void *data, size_t length);

/* The same from a program that may have closed the socket: then nothing is sent. */
void talk_try_send(unsigned type, const void *data, size_t length);

/* Waits until pydump closes its end or says anything. */
void talk_wait(void);

void talk_close(void);

#endif
