/*
 * pydump's commands: each parses its own options, calls a module that does
 * the work, and reports on stdout. main.c has the table of them.
 */
#ifndef CMD_H
#define CMD_H

struct err;

/* argv[0] is the command's name. Return 0, or -1 with the error set. */
int cmd_build(int argc, char **argv, struct err *err);
int cmd_info(int argc, char **argv, struct err *err);

/* Writes stdout out; fails where not all of it arrived. */
int cmd_flush(struct err *err);

#endif
