/*
 * The arguments behind the image, as python3 reads them; what it can't honour
 * is a reason to fall back (include/python_options.h). Pure.
 */
#ifndef CMDLINE_H
#define CMDLINE_H

#include <stdint.h>

struct startup;

/* Reads argv[0..argc), which ends with NULL and doesn't hold the image's name:
 * options, then nothing, -c CMD, -m MODULE, FILE or -, then the program's own
 * arguments. Sets mode, what, rest, argc and argv of `startup` and adds to its
 * options. Returns NULL, or the first argument that an image can't honour. */
const char *cmdline_read(int argc, char **argv, struct startup *startup);

/* For an image with an entry: all of argv[0..argc) are the program's, what runs
 * is the image's. */
void cmdline_entry(int argc, char **argv, uint32_t mode, const char *what,
	struct startup *startup);

#endif
