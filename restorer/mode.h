/*
 * PYIMAGE=auto|on|off: what a refusal leads to. Pure.
 */
#ifndef MODE_H
#define MODE_H

enum mode {
	MODE_AUTO,	/* plain python3 instead */
	MODE_ON,	/* a message and EXIT_REFUSED */
	MODE_OFF,	/* always plain python3 */
	MODE_BAD,	/* no such mode */
};

/* Exit codes of the restorer itself, as pyimage(1) lists them. */
enum {
	EXIT_USAGE = 2,
	EXIT_REFUSED = 70,
	EXIT_INPUT = 74,
};

/* The mode that the variable's value (NULL: unset) names. */
enum mode mode_read(const char *value);

#endif
