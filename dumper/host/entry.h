/*
 * The image's entry: what it runs instead of what its command line names.
 */
#ifndef ENTRY_H
#define ENTRY_H

#include <Python.h>

struct startup;

/* Reads the words of the entry ("-m MODULE", "-c CODE" or a file; none: the
 * image has none), as they stand in the image's prefix, into the handoff.
 * `function` is MODULE:FUNCTION where CODE calls one, else NULL. */
void entry_keep(char **words, char *function);

/* The file that is the entry, else NULL. */
const char *entry_file(void);

/* Before the workload: what python3 -m imports first, and where the module is.
 * sys.argv is then the program's, less its arguments; `argv0` is its first item
 * where that is known. */
void entry_begin(const char *argv0);

/* After the workload: that the entry is there and can be run. Compiles it. What
 * can't be is a refusal. */
void entry_prepare(void);

/* Adds the files of the entry to the report, by put(key, value). */
void entry_report(void (*put)(const char *key, const char *value));

/* Whether the entry is compiled, so that entry_run() is what runs it. Else it is
 * run like any other command, module or file. */
int entry_is_ready(const struct startup *startup);

/* Runs the entry's code in __main__ as python3 does, and prints the exception that
 * it ends by. `command` is the text of -c, with its end of line. The exit status. */
int entry_run(const struct startup *startup, const char *command);

/* Makes runpy find the module where entry_find() found it, once. 0 or -1. */
int entry_lend_module(void);

void entry_release(void);

#endif
