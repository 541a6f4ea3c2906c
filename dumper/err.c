/*
 * Error messages; see err.h. Knows nothing of what failed.
 */
#include "err.h"

#include "alloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void put(struct err *err, enum err_status status, char *text)
{
	free(err->text);
	err->text = text;
	err->status = status;
}

int err_set(struct err *err, enum err_status status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(err, status, alloc_vprint(format, args));
	va_end(args);
	return -1;
}

int err_sys(struct err *err, const char *format, ...)
{
	int number = errno;
	va_list args;
	char *what;

	va_start(args, format);
	what = alloc_vprint(format, args);
	va_end(args);
	put(err, ERR_IO, alloc_print("%s: %s", what, strerror(number)));
	free(what);
	return -1;
}

int err_prefix(struct err *err, const char *format, ...)
{
	va_list args;
	char *prefix;

	va_start(args, format);
	prefix = alloc_vprint(format, args);
	va_end(args);
	put(err, err->status, alloc_print("%s: %s", prefix, err->text ? err->text : ""));
	free(prefix);
	return -1;
}

int err_add(struct err *err, const char *format, ...)
{
	va_list args;
	char *line;

	va_start(args, format);
	line = alloc_vprint(format, args);
	va_end(args);
	put(err, err->status, alloc_print("%s\n%s", err->text ? err->text : "", line));
	free(line);
	return -1;
}

void err_clear(struct err *err)
{
	free(err->text);
	err->text = NULL;
	err->status = ERR_NONE;
}
