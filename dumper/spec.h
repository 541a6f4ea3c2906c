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

/* What imports and warm-up files may touch while building. */
enum spec_io {
	SPEC_IO_LOCAL,		/* files */
	SPEC_IO_STRICT,		/* nothing that import itself does not read */
	SPEC_IO_NETWORK,	/* everything */
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
	struct list patterns;	/* and compiled */
	char *output;		/* as given */
	char *python;		/* as given: a version or a path; NULL: default */
	char *entry;		/* as given; a script's path is made absolute; or NULL */
	struct list entry_words;	/* it as python3's words: entry.h */
	char *function;		/* MODULE:FUNCTION that it calls, or NULL */
	char *argv0;		/* sys.argv[0] of every start, or NULL */
	char *venv;		/* --venv: a virtual environment's folder, or NULL */
	enum spec_freshness freshness;
	char *base;		/* folder of relative paths; NULL: the working one */
	enum spec_io io;
	int install;		/* put the image behind its bin/python */
	int uninstall;		/* put back what was there; nothing is built */
	int has_command;	/* --for was given */
	int terminal;		/* imports have one of their own */
	int no_immortal;	/* reference counts stay as they are */
	int measure;		/* run the command again, to compare times */
	int pack;		/* dump more than once, hot objects side by side */
	int json;
	int quiet;
	int verbose;
	int help;		/* only --help was asked for */
};

/* How an option is given on the command line, and in a file of --spec. */
enum spec_kind {
	SPEC_FLAG,		/* no argument; true or false */
	SPEC_TEXT,		/* one argument, the last one counts; a string */
	SPEC_TEXTS,		/* may be repeated; strings in an array */
	SPEC_COMMAND,		/* all behind "--"; strings in an array */
	SPEC_FILE,		/* --spec itself: not in a file */
	SPEC_HELP,		/* not in a file */
};

/* The one table of options: spec_read.c makes getopt's of it, and takes a file's
 * keys by it. */
struct spec_option {
	const char *name;	/* long; NULL ends the table */
	char letter;		/* or 0 */
	enum spec_kind kind;
	size_t flag;		/* offset in struct spec of the int of a flag */
	/* takes one value; ERR_USAGE */
	int (*take)(struct spec *spec, const char *text, struct err *err);
};

extern const struct spec_option spec_options[];

/* Reads the options of `pydump build`; argv[0] is "build". Returns 0, or -1
 * with an error of status ERR_USAGE, or ERR_IO for a file of --spec that can't be
 * read. spec_free() in either case. */
int spec_parse(int argc, char **argv, struct spec *spec, struct err *err);

/* A relative path of a --spec file begins at that file's folder; to be freed. */
char *spec_resolve(const struct spec *spec, const char *path);

/* Adds a word to the command of --for. */
int spec_add_word(struct spec *spec, const char *text, struct err *err);

/* The name of a freshness, as in --freshness. */
const char *spec_freshness_name(enum spec_freshness freshness);

/* The name of a policy, as in --io. */
const char *spec_io_name(enum spec_io io);

void spec_free(struct spec *spec);

#endif
