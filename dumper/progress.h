/*
 * What pydump is at, on stderr: on a terminal one line that is rewritten, with
 * -v every step on a line of its own, else nothing.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdio.h>

enum progress_mode {
	PROGRESS_SILENT,
	PROGRESS_LINE,
	PROGRESS_LOG,
};

struct progress {
	FILE *stream;
	enum progress_mode mode;
	int width;		/* columns of the terminal */
	int shown;		/* a line stands there */
};

/* Chooses the mode for a descriptor and the options -q and -v. */
enum progress_mode progress_choose(int fd, int quiet, int verbose);

void progress_init(struct progress *progress, FILE *stream, enum progress_mode mode);

/* Shows a step. Only its first line is taken; control characters are not. */
void progress_show(struct progress *progress, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Takes the line off the terminal again, before anything else is printed. */
void progress_clear(struct progress *progress);

#endif
