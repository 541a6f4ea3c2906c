/*
 * One build from spec to image: the order of the steps, each of which is a
 * module of its own. Called by cmd_build.c.
 */
#ifndef BUILD_H
#define BUILD_H

#include "list.h"
#include "measure.h"

#include <stddef.h>
#include <stdint.h>

struct err;
struct progress;
struct spec;

/* Kinds of guards; index is enum image_guard_kind. */
#define BUILD_GUARD_KINDS 7

/* What was built, for the summary. */
struct build_result {
	char *image;		/* absolute path */
	char *python;		/* the interpreter's */
	char *version;		/* "3.11.2" */
	size_t modules;
	uint64_t file_size, mapped;	/* bytes */
	size_t segments, anonymous;	/* anonymous ones are in `segments` too */
	size_t reserves, files;
	size_t guards[BUILD_GUARD_KINDS];
	size_t variables;		/* that are guards */
	size_t hot_ranges, hot_pages;
	uint64_t packed, packed_size;	/* hot objects, their bytes: --pack */
	struct list needs;		/* of a start, besides guards */
	struct list warnings;
	struct measure_times times;	/* zeroes: not measured */
	double seconds;			/* that the build took */
};

/* Builds the image of the spec, which a command's run (--for) completes. Leaves nothing behind on failure.
 * build_free() in either case. */
int build_make(struct spec *spec, char *const *environment,
	       struct progress *progress, struct build_result *result,
	       struct err *err);

void build_free(struct build_result *result);

#endif
