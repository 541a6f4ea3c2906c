/*
 * What pydump and the host say to each other over the socket whose number is
 * in the host's environment (CONTROL_ENV). Each message is a control_head and
 * `length` bytes. "Strings" are NUL-terminated, one behind the other, each
 * "key=value".
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdint.h>

#define CONTROL_ENV "PYDUMP_CONTROL"
#define CONTROL_MAX (64u << 20)	/* longest message taken */

enum control_type {
	/* pydump to host: strings. In order: import=MODULE, warmup=PATH,
	 * option=WORD (of python3's command line), entry=WORD (behind those: what
	 * the image runs), function=MODULE:FUNCTION (that the entry calls),
	 * argv0=NAME (sys.argv[0] of every start, where that is known),
	 * plain=PATH (of the interpreter, where argv[0] is an image in its
	 * place: venv.h),
	 * stack=SOFT:HARD (decimal, RLIMIT_STACK to go back to), trace=FD
	 * (report which code opens this descriptor, then stop),
	 * trace_mapping=SIZE (which code made a mapping of so many bytes),
	 * io=strict|local|network (what the workload may touch),
	 * gather=PATH (of a file as in allocations.h),
	 * no_immortal=1 (reference counts stay as they are),
	 * unset=NAME (variables that were only for starting the host),
	 * recorded=NAME TAB LOADER TAB ORIGIN (what a run of the command imported,
	 * as CONTROL_RECORD told it), pattern=FLAGS TAB str|bytes TAB HEX (likewise:
	 * regular expressions that re is to have), record=1 (instead of a build: run the
	 * interpreter with its arguments and tell what it imports) */
	CONTROL_SPEC = 1,
	/* host to pydump: one line of text for the progress display */
	CONTROL_PROGRESS = 2,
	/* host to pydump: why it can't be frozen, for the user; may have many
	 * lines (a traceback). The host exits afterwards. */
	CONTROL_REFUSED = 3,
	/* host to pydump: strings. version=3.11.2, hexversion=N,
	 * executable=PATH, prefix=PATH, locale=NAME, locale_by_lc_all=0|1,
	 * immortal=0|1 (frozen objects are), user_site_suffix=TEXT,
	 * user_site=PATH (only if it is on sys.path),
	 * timezone=TEXT, path=FOLDER (each of sys.path in order),
	 * module=NAME (each of sys.modules) followed by origin=PATH where it
	 * has one, read=PATH for further files that were read or looked
	 * for (a name alone: in the working folder), unbuffered=FD (each
	 * descriptor on a random device that nobody reads ahead), and
	 * variable=FLAGS NAME (of the environment, read by the workload; three
	 * letters or dashes: g its value may have been kept, e not only to
	 * choose a language by it, s it was set) followed by reader=TEXT,
	 * temporary=MODULE PATH (made by tempfile for this module) */
	CONTROL_REPORT = 4,
	/* host to pydump: struct control_frozen, then its patches */
	CONTROL_FROZEN = 5,
	/* host to pydump: one line of text, a warning for the user */
	CONTROL_WARNING = 6,
	/* host to pydump, while it records: one string each.
	 * import=NAME TAB LOADER TAB ORIGIN, gone=NAME (it did not stay),
	 * pattern=FLAGS TAB str|bytes TAB HEX (re has compiled and kept it) */
	CONTROL_RECORD = 7,
};

struct control_head {
	uint32_t type;
	uint32_t length;
};

/* Bytes that stand in the image instead of those in the frozen process: words
 * that pointed into its stack, the stubs in its vDSO. Followed by `length`
 * bytes, then padding to a multiple of 8. */
struct control_patch {
	uint64_t address;
	uint64_t length;
};

struct control_frozen {
	int32_t pid;		/* of the stopped process */
	uint32_t patches;	/* count of struct control_patch behind this */
	uint64_t handoff;	/* address of struct handoff */
	uint64_t entry;		/* address of image_entry */
	uint32_t protects;	/* count of struct control_protect behind those */
	uint32_t reserved;
};

/* The mapping that holds the address has another protection in the image than
 * in the frozen process. */
struct control_protect {
	uint64_t address;
	uint64_t protection;	/* PROT_READ | PROT_WRITE or PROT_EXEC */
};

#endif
