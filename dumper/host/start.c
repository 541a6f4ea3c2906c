/*
 * Starts CPython by the embedding API, with what Modules/main.c's pymain_init
 * uses, so that nothing in it tells the process from a plain python3.
 */
#include "start.h"
#include "cpython.h"
#include "talk.h"

static void must(PyStatus status)
{
	if (PyStatus_Exception(status))
		talk_refuse("start the interpreter: %s: %s",
			status.func ? status.func : "CPython",
			status.err_msg ? status.err_msg : "it wants to exit");
}

void start_python(char *program)
{
	char *argv[] = { program, NULL };
	const char *refusal = cpython_refusal();
	PyPreConfig pre;
	PyConfig config;

	if (refusal)
		talk_refuse("%s: %s", program, refusal);
	PyPreConfig_InitPythonConfig(&pre);
	must(Py_PreInitializeFromBytesArgs(&pre, 1, argv));
	PyConfig_InitPythonConfig(&config);
	must(PyConfig_SetBytesArgv(&config, 1, argv));
	must(Py_InitializeFromConfig(&config));
	PyConfig_Clear(&config);
}
