/*
 * Why something failed, on its way up to main, which alone prints it. Every
 * fallible function of pydump takes a struct err as its last argument and
 * sets it exactly once; callers may put words in front.
 */
#ifndef ERR_H
#define ERR_H

/* pydump's exit statuses; the man page lists them. */
enum err_status {
	ERR_NONE = 0,
	ERR_REFUSED = 1,	/* a build was refused, a check failed */
	ERR_USAGE = 2,
	ERR_IO = 74,		/* the system said no: a file, a disk, memory */
};

struct err {
	enum err_status status;
	char *text;		/* no trailing newline; NULL: nothing is set */
};

/* Sets err to the message and the status. Always returns -1. */
int err_set(struct err *err, enum err_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with status ERR_IO and ": " + what errno means behind it. */
int err_sys(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Puts the text and ": " in front of a message that is set. Returns -1. */
int err_prefix(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Puts a line behind a message that is set. Returns -1. */
int err_add(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Frees the message; err can be used again. */
void err_clear(struct err *err);

#endif
