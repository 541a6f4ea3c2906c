/*
 * The command of --for: finds the script that it is, and takes from its first line
 * which interpreter runs it with which options.
 */
#ifndef COMMAND_H
#define COMMAND_H

struct err;
struct spec;

/* Looks spec->command up as execvp(3) does in this environment, and sets the
 * spec's entry, its python (unless --python was given) and, in front of those of
 * --python-option, its options. ERR_REFUSED: there is no such command, or it is
 * no Python script. Without a command does nothing. */
int command_find(struct spec *spec, char *const *environment, struct err *err);

#endif
