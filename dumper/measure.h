/*
 * How long the image takes, and the interpreter for the same: in turns, so that
 * both see the same state of the machine.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include "list.h"

struct err;
struct trial;

/* Medians in microseconds, start to end; 0: not measured. */
struct measure_times {
	double image;
	double python;
	double command_image;	/* the command of --for */
	double command_python;
};

/* What python3 is to import, to be compared with a start of the image. */
struct measure_imports {
	const struct list *named;	/* by -i */
	const struct list *recorded;	/* record.h; what of it raises is passed over */
};

/* Measures starts of the image and of the interpreter, with these options of its,
 * importing the modules. */
int measure_start(const struct trial *trial, const struct list *options,
		  const struct measure_imports *imports, struct measure_times *times,
		  struct err *err);

/* Measures the command itself: `plain` in the interpreter, the image with
 * `arguments` as it will be run. Refuses where they end differently. */
int measure_command(const struct trial *trial, const struct list *plain,
		    const struct list *arguments, struct measure_times *times,
		    struct err *err);

#endif
