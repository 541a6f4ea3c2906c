/*
 * What a start asks of python3 (include/python_options.h), done to an
 * interpreter that has started long ago.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "cpython.h"

struct python_options;

/* Before the interpreter starts: reads the words of --python-option into
 * handoff.options. Refuses what pydump should not have let through. */
void options_keep(char **words);

/* The words that the interpreter is started with: without those that each
 * restore does by itself. A list that ends with NULL and lives for ever. */
char **options_for_start(char **words);

/* Before the freeze. */
void options_prepare(void);

/* In a restored process, before its streams are made: CPython's config, its
 * global variables, sys.flags and what site and sys say of them. 0, or -1 with
 * an exception set. Not to be called where nothing is asked for. */
int options_resume(const struct python_options *options);

#endif
