/*
 * Runs the command of --for once in the plain interpreter, with the host in it to
 * tell what it imports.
 */
#ifndef RECORD_H
#define RECORD_H

#include "list.h"

struct err;
struct interpreter;
struct progress;
struct spec;

struct record {
	struct list modules;	/* "NAME TAB LOADER TAB ORIGIN", in the order in
				   which the run began them */
	struct list patterns;	/* regular expressions: "FLAGS TAB str|bytes TAB HEX" */
	int status;		/* its wait status */
	char *said;		/* what it wrote to stdout and stderr */
};

/* Runs it: in `environment`, in the caller's folder, its input is /dev/null; with
 * -v its output goes to stderr as it comes. Refuses what can't be started or is
 * killed by a signal; any exit status is the caller's to judge. record_free() in
 * either case. */
int record_run(const struct spec *spec, const struct interpreter *interpreter,
	       const struct list *environment, struct progress *progress,
	       struct record *record, struct err *err);

/* The command line of the plain interpreter for it. */
void record_command(const struct spec *spec, const char *python, struct list *out);

/* Takes one string of a CONTROL_RECORD; what it does not know is passed over. */
void record_take(struct record *record, const char *text);

void record_free(struct record *record);

#endif
