/*
 * What the interpreter has as its standard streams while an image is built. Imports
 * may ask whether they are terminals and keep the answer, so it must not depend on
 * where pydump was started: input is /dev/null, and both outputs are pydump's standard
 * error, by a pipe where that is a terminal. Or all three are a terminal of their own.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

struct err;
struct progress;

struct console {
	int output;		/* what it writes comes from here; -1: it goes there by itself */
	int theirs[2];		/* for descriptor 0, and for 1 and 2 */
};

#define CONSOLE_NONE {.output = -1, .theirs = {-1, -1}}

/* console_close() in either case. */
int console_open(struct console *console, int terminal, struct err *err);

/* In pydump, once the child has its descriptors. */
void console_started(struct console *console);

/* Passes on what comes until `other` can be read, or `wait` milliseconds are over. */
void console_pass(struct console *console, struct progress *progress, int other, int wait);

/* Passes on what is there, and closes all. */
void console_close(struct console *console);

#endif
