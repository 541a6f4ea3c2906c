/*
 * Runs of the finished image, before it gets its name: does it restore, which
 * pages does a start dirty?
 */
#ifndef TRIAL_H
#define TRIAL_H

#include "list.h"
#include "memory.h"

#include <sys/types.h>

struct err;
struct plan;

struct trial {
	const char *image;	/* the file */
	const char *python;	/* the plain interpreter */
	struct list environment;/* the clean one with PYIMAGE=on, but without
				   PYTHON*: the image has what they stood for */
	struct list plain;	/* the clean one, for the interpreter */
	int wait;		/* ms for a run */
	int as_python;		/* arguments are python3's, also where there is an
				   entry; no hooks are called */
};

/* The strings are the caller's; trial_free() frees the rest. */
void trial_init(struct trial *trial, const char *image, const char *python,
		const struct list *environment);

#define TRIAL_WAIT 60000	/* ms for a run, unless somebody sets it */

/* The command line and environment of a run: of `-c pass` where `arguments` is
 * NULL, else of the image's entry with these. Adds to both lists. */
void trial_command(const struct trial *trial, const struct list *arguments,
		   struct list *command, struct list *environment);

/* Runs `-c pass`. What it says on stderr becomes part of the error. */
int trial_run(const struct trial *trial, struct err *err);

/* Runs `-c pass`, or the image's entry with these arguments, and calls `look` while
 * the process holds still, to which it has to come in time: at its end, or, of `-c pass`
 * without a `variable`, where the program begins.
 * `variable` is one more of its environment, or NULL. A command may end with any
 * status. */
typedef int trial_look(pid_t pid, void *data, struct err *err);
int trial_hold(const struct trial *trial, const struct list *arguments,
	       const char *variable, trial_look *look, void *data, struct err *err);

/* Finds the pages of the plan's file-backed writable segments that are dirty in
 * each of a few starts: at most IMAGE_MAX_HOT ranges, the caller's to free. A start
 * of `-c pass` is looked at where the program begins; the image's entry with these
 * arguments at its end, python3's own, to which it has to come, with any status. */
int trial_learn(const struct trial *trial, const struct plan *plan,
		const struct list *arguments, struct memory_ranges *hot, struct err *err);

/* Keeps the longest `limit` ranges, in ascending order. */
void trial_limit(struct memory_ranges *ranges, size_t limit);

void trial_free(struct trial *trial);

#endif
