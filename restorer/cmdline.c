/*
 * python3's command line: Modules/main.c and Python/initconfig.c of CPython.
 */
#include "cmdline.h"

#include <stddef.h>

#include "handoff.h"

void cmdline_entry(int argc, char **argv, uint32_t mode, const char *what,
	struct startup *startup)
{
	startup->argc = argc;
	startup->argv = argv;
	startup->rest = 0;
	startup->mode = mode;
	startup->what = what;
	startup->by_entry = 1;
}

const char *cmdline_read(int argc, char **argv, struct startup *startup)
{
	struct python_words words;

	startup->argc = argc;
	startup->argv = argv;
	startup->by_entry = 0;
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
