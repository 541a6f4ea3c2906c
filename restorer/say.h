/*
 * Messages to stderr, each in one write(2), and the reason of a refusal.
 */
#ifndef SAY_H
#define SAY_H

/* Why something can't be done: "what: why", and then the error's text where
 * `error` is not 0. What points to must live on; any but `what` may be left. */
struct reason {
	const char *what;	/* the thing, or what was tried on it */
	const char *why;	/* or NULL */
	const char *detail;	/* a name or path after `why`, or NULL */
	long error;		/* negative errno, or 0 */
	const char *advice;	/* what the user can do, or NULL */
};

/* Sets all of `reason`; returns -1. */
int say_reason(struct reason *reason, const char *what, const char *why, long error);

/* Writes the strings up to a NULL to `fd` in one piece, cut off at 4 KiB. */
void say_text(int fd, const char *const *strings);

/* "pyimage: IMAGE: what: why detail: error; advice; after" and a newline, to
 * stderr; `image` and `after` may be NULL. */
void say_refusal(const char *image, const struct reason *reason, const char *after);

/* "pyimage: IMAGE: text\n" to stderr. */
void say_line(const char *image, const char *text);

#endif
