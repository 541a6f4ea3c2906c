/*
 * PYIMAGE=auto|on|off: what a refusal leads to. PYIMAGE_FINALIZE=fast|full: how
 * a restored process ends. PYIMAGE_ENTRY=on|off: whether an image's entry is what
 * runs. PYIMAGE_KSM=0|1: whether its pages may be merged with others'. Pure.
 */
#ifndef MODE_H
#define MODE_H

struct environ_values;
struct reason;

enum mode_variable {
	MODE,		/* enum mode */
	MODE_FINALIZE,	/* enum mode_finalize, and so on */
	MODE_ENTRY,
	MODE_KSM,
	MODE_VARIABLES,
};

enum { MODE_BAD = -1 };	/* no such value */

enum mode {
	MODE_AUTO,	/* plain python3 instead */
	MODE_ON,	/* a message and EXIT_REFUSED */
	MODE_OFF,	/* always plain python3 */
};

enum mode_finalize {
	MODE_FINALIZE_FAST,	/* what was frozen is left as it is */
	MODE_FINALIZE_FULL,	/* as python3 ends */
};

enum mode_entry {
	MODE_ENTRY_ON,	/* where the image has one */
	MODE_ENTRY_OFF,	/* the image is an interpreter */
};

enum mode_ksm {
	MODE_KSM_OFF,
	MODE_KSM_ON,	/* pages of a restored process may be merged */
};

/* Exit codes of the restorer itself, as pyimage(1) lists them. */
enum {
	EXIT_USAGE = 2,
	EXIT_REFUSED = 70,
	EXIT_INPUT = 74,
};

/* What the variable's value (NULL: unset) names, of its enum; MODE_BAD. */
int mode_read(enum mode_variable variable, const char *value);

/* All of them, out of the environment. -1 and *reason where one is bad. */
int mode_check(const struct environ_values *values, struct reason *reason);

#endif
