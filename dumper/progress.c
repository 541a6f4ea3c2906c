/*
 * The progress line; see progress.h.
 */
#include "progress.h"

#include "alloc.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEFAULT_WIDTH 80

enum progress_mode progress_choose(int fd, int quiet, int verbose)
{
	if (quiet)
		return PROGRESS_SILENT;
	if (verbose)
		return PROGRESS_LOG;
	return isatty(fd) ? PROGRESS_LINE : PROGRESS_SILENT;
}

void progress_init(struct progress *progress, FILE *stream, enum progress_mode mode)
{
	struct winsize size;

	*progress = (struct progress){
		.stream = stream, .mode = mode, .width = DEFAULT_WIDTH,
	};
	if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col)
		progress->width = size.ws_col;
}

/* The text comes from the process being frozen: nothing of it may steer the
 * terminal. */
static void make_plain(char *text)
{
	text[strcspn(text, "\n")] = '\0';
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

void progress_show(struct progress *progress, const char *format, ...)
{
	va_list args;
	char *text;

	if (progress->mode == PROGRESS_SILENT)
		return;
	va_start(args, format);
	text = alloc_vprint(format, args);
	va_end(args);
	make_plain(text);
	if (progress->mode == PROGRESS_LINE)
		/* carriage return, erase to the end of the line */
		fprintf(progress->stream, "\r\033[K%.*s", progress->width - 1, text);
	else
		fprintf(progress->stream, "pydump: %s\n", text);
	fflush(progress->stream);
	progress->shown = progress->mode == PROGRESS_LINE;
	free(text);
}

void progress_clear(struct progress *progress)
{
	if (!progress->shown)
		return;
	fputs("\r\033[K", progress->stream);
	fflush(progress->stream);
	progress->shown = 0;
}
