/*
 * A dump: from a workload to an unfinished file that holds its image. The steps are
 * modules of their own; build.c has two dumps made with --pack, else one.
 */
#ifndef DUMP_H
#define DUMP_H

#include "descriptors.h"
#include "elfout.h"
#include "identity.h"
#include "interpreter.h"
#include "list.h"
#include "maps.h"
#include "memory.h"
#include "meta.h"
#include "output.h"
#include "plan.h"
#include "target.h"
#include "variables.h"

#include <stddef.h>
#include <time.h>

struct err;
struct progress;
struct spec;

/* Everything that is open or allocated while a dump is made. */
struct dump {
	/* the caller's, who sets the others to DUMP_NONE */
	const struct spec *spec;
	struct progress *progress;
	struct list environment;	/* of the interpreter */
	const char *gather;	/* file in which hot objects are learned, or NULL */
	/* dump_open() */
	struct output output;
	struct interpreter interpreter;
	/* dump_make() */
	struct timespec start;
	struct list temporary;	/* files that imports left */
	struct target target;
	struct descriptors descriptors;
	struct maps maps;
	struct memory_ranges zero;
	struct plan plan;
	struct identity identity;
	struct variables variables;
	char *content;		/* of all segments that are in the file */
	size_t content_size;
	char **contents;	/* for each segment where it begins, or NULL */
	struct meta meta;
	struct elfout elfout;
};

#define DUMP_NONE .output = {.fd = -1}, .target = TARGET_NONE

/* Finds the interpreter, begins the file. */
int dump_open(struct dump *dump, struct err *err);

/* All of it: the image is in dump->output's unfinished file then, untried. */
int dump_make(struct dump *dump, struct err *err);

/* At any time. What is not finished goes, the environment too. */
void dump_free(struct dump *dump);

#endif
