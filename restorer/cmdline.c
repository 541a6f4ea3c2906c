/*
 * python3's command line: Python/getopt.c and Modules/main.c of CPython. In the
 * short options -c and -m the value may follow at once (-cpass); both end the
 * interpreter's options.
 */
#include "cmdline.h"

#include <stddef.h>

#include "handoff.h"

const char *cmdline_read(int argc, char **argv, struct startup *startup)
{
	const char *first = argc > 0 ? argv[0] : NULL;

	startup->argc = argc;
	startup->argv = argv;
	startup->mode = STARTUP_STDIN;
	startup->what = NULL;
	startup->rest = 0;
	if (!first)
		return NULL;
	startup->mode = STARTUP_FILE;
	startup->what = first;
	startup->rest = 1;
	if (first[0] != '-' || !first[1])
		return NULL;
	if (first[1] != 'c' && first[1] != 'm')
		return first;
	startup->mode = first[1] == 'c' ? STARTUP_COMMAND : STARTUP_MODULE;
	startup->what = first + 2;
	if (*startup->what)
		return NULL;
	if (argc < 2)
		return first;
	startup->what = argv[1];
	startup->rest = 2;
	return NULL;
}
