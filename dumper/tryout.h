/*
 * What a finished image goes through before it gets its name: it is tried, its hot
 * pages are learned and entered, it is measured.
 */
#ifndef TRYOUT_H
#define TRYOUT_H

#include "list.h"
#include "measure.h"

#include <stddef.h>

struct err;
struct meta;
struct output;
struct plan;
struct progress;
struct spec;

struct tryout {
	const struct spec *spec;
	const char *python;	/* the plain interpreter */
	const struct list *environment;	/* of the build */
	const struct plan *plan;
	const struct meta *meta;
	struct output *output;	/* whose temporary file is the image */
	struct progress *progress;
};

struct tryout_result {
	size_t hot_ranges, hot_pages;
	struct measure_times times;
	struct list warnings;
};

/* Does all of it, and patches the file. An image that does not run is refused;
 * times that can't be measured are a warning, or zeroes. tryout_free() in either
 * case. */
int tryout_run(const struct tryout *tryout, struct tryout_result *result, struct err *err);

void tryout_free(struct tryout_result *result);

#endif
