/*
 * Running a program as python3 does, and telling pydump what it imports.
 */
#ifndef RECORD_H
#define RECORD_H

/* Instead of a build: runs the interpreter with its arguments. Returns its exit
 * status. */
int record_run(int argc, char **argv, char **unset);

#endif
