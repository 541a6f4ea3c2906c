/*
 * python3's command line: Modules/main.c and Python/initconfig.c of CPython.
 */
#include "cmdline.h"

#include <stddef.h>

#include "handoff.h"

const char *cmdline_read(int argc, char **argv, struct startup *startup)
{
	struct python_words words;

	startup->argc = argc;
	startup->argv = argv;
	python_read_words(argc, argv, PYTHON_HONOURED, &startup->options, &words);
	if (words.refused)
		return words.refused;
	startup->rest = words.at;
	startup->what = words.value;
	if (words.letter) {
		startup->mode = words.letter == 'c' ? STARTUP_COMMAND : STARTUP_MODULE;
	} else if (words.at < argc) {
		startup->mode = STARTUP_FILE;
		startup->what = argv[words.at];
		startup->rest = words.at + 1;
	} else {
		startup->mode = STARTUP_STDIN;
	}
	return NULL;
}
