/*
 * Which way to end: how much of python3's finalisation could anybody see?
 */
#ifndef VISIBLE_H
#define VISIBLE_H

#include <Python.h>

enum ending {
	ENDING_QUIET,	/* nothing runs or is written */
	ENDING_FILES,	/* files are closed, in no order that shows */
	ENDING_CODE,	/* the program's own code runs, and all of that when
			   __main__ and what was imported since go */
	ENDING_FULL,	/* something that runs is held by what was frozen */
};

/* Before the freeze. */
void visible_prepare(void);
void visible_release(void);

/* `names`: of those in sys.modules that go. */
enum ending visible_judge(PyObject *names);

/* Whether there are still objects whose end runs code. */
int visible_rest(void);

#endif
