/*
 * What `pydump info` shows of an image besides the format's own fields. Pure.
 */
#ifndef DESCRIBE_H
#define DESCRIBE_H

struct list;
struct report;
struct spec;
struct variables;

/* Adds "KEY=VALUE" lines: pyimage(5), the report note. */
void describe(const struct spec *spec, const struct report *report,
	      const struct variables *variables, struct list *out);

#endif
