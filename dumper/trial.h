/*
 * Runs of the finished image, before it gets its name: does it restore, which
 * pages does every run dirty, how long does a start take?
 */
#ifndef TRIAL_H
#define TRIAL_H

#include "list.h"
#include "memory.h"

struct err;
struct plan;

struct trial {
	const char *image;	/* the file */
	const char *python;	/* the plain interpreter */
	struct list environment;/* the clean one with PYIMAGE=on, but without
				   PYTHON*: the image has what they stood for */
	struct list plain;	/* the clean one, for the interpreter */
};

/* Medians in microseconds, start to end. */
struct trial_times {
	double image;
	double python;
	double command_image;	/* the command of --for; 0: not measured */
	double command_python;
};

/* What python3 is to import, to be compared with a start of the image. */
struct trial_imports {
	const struct list *named;	/* by -i */
	const struct list *recorded;	/* record.h; what of it raises is passed over */
};

/* The strings are the caller's; trial_free() frees the rest. */
void trial_init(struct trial *trial, const char *image, const char *python,
		const struct list *environment);

/* Runs `-c pass`. What it says on stderr becomes part of the error. */
int trial_run(const struct trial *trial, struct err *err);

/* Finds the pages of the plan's file-backed writable segments that are dirty
 * at the end of every run: at most IMAGE_MAX_HOT ranges, the caller's to
 * free. */
int trial_learn(const struct trial *trial, const struct plan *plan,
		struct memory_ranges *hot, struct err *err);

/* Measures starts of the image and of the interpreter, with these options of its,
 * importing the modules. */
int trial_measure(const struct trial *trial, const struct list *options,
		  const struct trial_imports *imports, struct trial_times *times,
		  struct err *err);

/* Measures the command itself: `plain` in the interpreter, the image with
 * `arguments` as it will be run. Refuses where they end differently. */
int trial_measure_command(const struct trial *trial, const struct list *plain,
			  const struct list *arguments, struct trial_times *times,
			  struct err *err);

/* Keeps the longest `limit` ranges, in ascending order. */
void trial_limit(struct memory_ranges *ranges, size_t limit);

void trial_free(struct trial *trial);

#endif
