/*
 * Rehearsals. Knows what resume, run and finish do only by their headers.
 */
#include "rehearse.h"
#include "collector.h"
#include "command.h"
#include "cpython.h"
#include "finish.h"
#include "handoff.h"
#include "imports.h"
#include "resume.h"
#include "path0.h"
#include "run.h"
#include "streams.h"
#include "talk.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* __main__ as the interpreter made it: what "pass" adds goes again. */
static PyObject *pristine;

static void reset_main(void)
{
	PyObject *dict = PyModule_GetDict(PyImport_AddModule("__main__"));

	path0_forget();
	command_forget();
	PyDict_Clear(dict);
	PyDict_Update(dict, pristine);
}

void rehearse(int times)
{
	char *argv[] = { (char *)"-c", (char *)"pass", NULL };
	struct startup startup = {
		.mode = STARTUP_COMMAND, .argc = 2, .rest = 2, .argv = argv,
		.what = "pass", .hold = -1, .tid = (int)syscall(SYS_gettid),
	};

	if (!pristine)
		pristine = PyDict_Copy(PyModule_GetDict(PyImport_AddModule("__main__")));
	for (int i = 0; i < times; i++) {
		collector_rehearse();
		streams_resume(&startup.options);
		resume_python(&startup, 1);
		if (run_startup(&startup))
			talk_refuse("rehearse the restore: the trivial program failed");
		finish_rehearse();
		resume_forget();
		reset_main();
	}
}

void rehearse_release(void)
{
	Py_CLEAR(pristine);
}
