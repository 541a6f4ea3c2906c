/*
 * What a build is asked to do: the options of `pydump build` as a struct.
 * Knows the command line and nothing of how the build is done.
 */
#ifndef SPEC_H
#define SPEC_H

#include "list.h"

struct err;

/* Which guards an image gets; see identity.h. */
enum spec_freshness {
	SPEC_DPKG,		/* dpkg's records vouch for what it owns */
	SPEC_STAT,		/* every file that was frozen */
	SPEC_LIBS,		/* shared libraries and the interpreter */
	SPEC_NONE,
};

struct spec {
	struct list imports;	/* modules, in order */
	struct list warmups;	/* files to run, absolute paths, in order */
	struct list keep_env;	/* NAME or NAME=VALUE */
	struct list guard_env;	/* NAME: guards whether imports read them or not */
	struct list no_guard_env;	/* NAME, or "*": only reported */
	struct list options;	/* of python3: words, in order */
	struct list command;	/* of --for, with its arguments; or empty */
	struct list recorded;	/* what its run imported: record.h */
	char *output;		/* as given */
	char *python;		/* as given: a version or a path; NULL: default */
	char *entry;		/* as given; a script's path is made absolute; or NULL */
	struct list entry_words;	/* it as python3's words: entry.h */
	char *function;		/* MODULE:FUNCTION that it calls, or NULL */
	char *argv0;		/* sys.argv[0] of every start, or NULL */
	enum spec_freshness freshness;
	int has_command;	/* --for was given */
	int measure;		/* run the command again, to compare times */
	int json;
	int quiet;
	int verbose;
	int help;		/* only --help was asked for */
};

/* Reads the options of `pydump build`; argv[0] is "build". Returns 0, or -1
 * with an error of status ERR_USAGE. spec_free() in either case. */
int spec_parse(int argc, char **argv, struct spec *spec, struct err *err);

/* The name of a freshness, as in --freshness. */
const char *spec_freshness_name(enum spec_freshness freshness);

void spec_free(struct spec *spec);

#endif
