/*
 * The arguments behind the image, as python3 reads them. Only the forms that
 * an image can honour; every other option is a reason to fall back. Pure.
 */
#ifndef CMDLINE_H
#define CMDLINE_H

struct startup;

/* Reads argv[0..argc), which ends with NULL and doesn't hold the image's name:
 * nothing, -c CMD, -m MODULE, FILE or -, then the program's own arguments.
 * Sets mode, what, rest, argc and argv of `startup`. Returns NULL, or the first
 * argument that an image can't honour. */
const char *cmdline_read(int argc, char **argv, struct startup *startup);

#endif
