/*
 * Which way to end: how much of python3's finalisation could anybody see?
 */
#ifndef VISIBLE_H
#define VISIBLE_H

#include <Python.h>

enum ending {
	ENDING_QUIET,	/* nothing runs or is written */
	ENDING_FILES,	/* files are closed; one for writing at most is held by
			   what was frozen, so that no order shows */
	ENDING_CODE,	/* and the program's own code runs, all of it when __main__
			   and what was imported since go */
	ENDING_FULL,	/* something that runs is held by what was frozen, or by
			   C's state, or nobody can tell */
};

/* Before the freeze. */
void visible_prepare(void);
void visible_release(void);

/* `names`: of those in sys.modules that go. */
enum ending visible_judge(PyObject *names);

/* Whether there are still objects whose end runs code. */
int visible_rest(void);

#endif
