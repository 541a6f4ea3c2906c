/*
 * The host's report of what it imported and how it is configured, as a
 * struct. Pure: text in, struct out.
 */
#ifndef REPORT_H
#define REPORT_H

#include "list.h"

#include <stdint.h>

struct err;

struct report_module {
	char *name;
	char *origin;		/* NULL: built in, frozen, or a namespace */
};

/* A variable that the workload read. */
struct report_variable {
	char *name;		/* "*": all there are */
	char *reader;		/* who did first, for people; or NULL */
	int counts;		/* its value may have been kept */
	int exact;		/* for more than choosing a language */
	int was_set;
};

struct report {
	char *version;		/* "3.11.2" */
	char *executable;	/* sys.executable */
	char *prefix;
	char *locale;		/* LC_CTYPE in effect */
	char *user_site_suffix;	/* behind $HOME */
	char *user_site;	/* absolute, NULL: not on sys.path */
	char *timezone;		/* TZ, "" if unset */
	uint32_t hexversion;
	int locale_by_lc_all;
	int immortal;		/* frozen objects are */
	struct list path;	/* sys.path */
	struct list read;	/* further files */
	struct list unbuffered;	/* descriptors on random devices */
	struct list needs;	/* of a start, for people */
	struct list temporary;	/* "MODULE PATH": see temporary.h */
	struct report_variable *variables;
	size_t variable_count;
	size_t variable_room;
	struct list modules_in;	/* the folder of the script that is the entry */
	struct report_module *modules;
	size_t count;
	size_t room;
};

/* Reads the strings of a CONTROL_REPORT (`size` bytes, NUL-terminated each).
 * Keys it does not know are skipped. report_free() in either case. */
int report_parse(const char *data, size_t size, struct report *report,
		 struct err *err);

void report_free(struct report *report);

#endif
