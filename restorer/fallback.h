/*
 * What happens instead of a restore: plain python3 with the same arguments, or
 * a message and EXIT_REFUSED. Only before the commit point.
 */
#ifndef FALLBACK_H
#define FALLBACK_H

#include "mode.h"

struct image_prefix;
struct reason;

/* What the user asked to run. */
struct program {
	const char *image;	/* as named on the command line */
	const char *python;	/* the plain interpreter; NULL while unknown */
	const char *name;	/* its argv[0]; NULL: its path */
	const struct image_prefix *prefix;	/* set with it: has its options and
						   the image's entry */
	char **argv;		/* the image's place, then its arguments, NULL */
	char **envp;
	enum mode mode;
	int verbose;		/* PYIMAGE_VERBOSE: say why */
	int entry_off;		/* PYIMAGE_ENTRY=off: not the image's entry */
};

/* Runs the plain interpreter, or says why it can't and exits. */
_Noreturn void fallback_run(const struct program *program);

/* The image can't be used: does what the mode asks for. */
_Noreturn void fallback_refuse(const struct program *program, const struct reason *reason);

/* The same where nothing may run instead: a message, and exit with `status`. */
_Noreturn void fallback_die(const struct program *program, const struct reason *reason,
	int status);

#endif
