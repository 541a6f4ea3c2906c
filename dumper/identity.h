/*
 * The guards of an image: which files it was made from, and what tells that
 * they changed. Decides by the freshness that was asked for; knows stat(2) and
 * asks dpkg.c who owns what. The restorer holds the other half (guard.c).
 *
 * A wrong guard runs old code or falls back for nothing, so the rules are in
 * one table-like place and each has its test:
 *
 *	shared library or other mapped file	the file, always
 *	module that dpkg owns			its folder, only if dpkg ran
 *	module below site-/dist-packages	its folder
 *	other module, other file read		the file, or that it is absent
 *	file looked for in the working folder	that it is absent, always
 *	folder of sys.path			the folder, or that it is absent
 *	folder of the script			names of modules in it
 *	pyvenv.cfg beside and above python	the file, or that it is absent
 *	/etc/localtime				never stale: tzset()
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "image.h"
#include "list.h"
#include "spec.h"

#include <stddef.h>
#include <time.h>

struct err;
struct maps;
struct report;

/* Where dpkg keeps its records; another one in tests. */
#define IDENTITY_DPKG "/var/lib/dpkg"

struct identity_guard {
	uint32_t kind;		/* enum image_guard_kind */
	uint32_t flags;		/* IMAGE_GUARD_BY_DPKG */
	char *path;
	struct timespec mtime;
	uint64_t size;
};

struct identity {
	struct identity_guard *guards;	/* DPKG first, then by kind and path */
	size_t count;
	size_t room;
	struct list names;	/* top-level modules from site folders, sorted */
};

/* What the image is made from. */
struct identity_source {
	const struct report *report;
	const struct maps *maps;
	const char *python;	/* as it is exec'ed */
	const char *host;	/* the host's path: mapped, but no guard */
	enum spec_freshness freshness;
	struct timespec start;	/* the build began then (CLOCK_REALTIME) */
	const char *dpkg;	/* IDENTITY_DPKG */
	char *const *environment;	/* for dpkg-query */
};

/* Makes the guards and names. Refuses where a file changed after the start.
 * identity_free() in either case. */
int identity_make(const struct identity_source *source, struct identity *identity,
		  struct err *err);

/* Looks again at every file that has a guard: refuses where one changed since
 * identity_make(). */
int identity_check(const struct identity *identity, struct err *err);

/* The kind as a word, for people and JSON; "unknown" for other numbers. */
const char *identity_kind_name(uint32_t kind);

void identity_free(struct identity *identity);

#endif
