/*
 * The environment, looked through once: the variables that the restorer needs
 * and those that change what python3, ld.so or malloc do from their start on,
 * which an image that already started can't honour. Pure.
 */
#ifndef ENVIRON_H
#define ENVIRON_H

#include "python_options.h"

struct environ_values {
	const char *foreign;	/* "NAME=VALUE": the first variable that is not
				   empty and that an image can't honour, or NULL */
	const char *module;	/* likewise, of those that modules of Python's read,
				   whatever -E says */
	const char *python;	/* likewise, of those that -E makes python3 ignore */
	struct python_options options;	/* what the other ones of these ask for */
	/* The first value of each, or NULL where it is not set. */
	const char *lc_all, *lc_ctype, *lang;
	const char *tz;
	const char *home;
	const char *mode;	/* PYIMAGE */
	const char *verbose;	/* PYIMAGE_VERBOSE */
	const char *finalize;	/* PYIMAGE_FINALIZE */
	const char *entry;	/* PYIMAGE_ENTRY */
	const char *ksm;	/* PYIMAGE_KSM */
	const char *hold;	/* PYIMAGE_HOLD */
};

/* Fills all of `values`. */
void environ_read(char **envp, struct environ_values *values);

/* Adds what the variables ask for to what the command line asked for; nothing
 * under -E. Returns the one that an image can't honour, or NULL. */
const char *environ_ask(const struct environ_values *values,
	struct python_options *options);

/* The locale that setlocale(LC_CTYPE, "") would take by these variables: the
 * first that is not empty, else "C". */
const char *environ_locale(const struct environ_values *values);

/* Whether an image frozen under the LC_CTYPE locale `frozen` (its environment's,
 * "C" if none was set) would start the same under these variables. `by_lc_all`:
 * it came from LC_ALL. That matters for the legacy locale only: CPython coerces
 * it to C.UTF-8 (PEP 538) unless LC_ALL asked for it. */
int environ_same_locale(const struct environ_values *values, const char *frozen,
	int by_lc_all);

/* What of enum startup_locale the variables stand for. */
unsigned int environ_kind_of_locale(const struct environ_values *values);

/* Whether tzset() has to run again in an image frozen under TZ=`frozen` (""
 * if it was unset). Sets *`local` to whether /etc/localtime counts. */
int environ_timezone_changed(const struct environ_values *values, const char *frozen,
	int *local);

#endif
