/*
 * The parts of Modules/main.c that have to do with the prompt: pymain_header,
 * pymain_import_readline, pymain_run_startup, pymain_run_interactive_hook,
 * pymain_run_stdin, pymain_repl.
 */
#include "repl.h"
#include "cpython.h"
#include "handoff.h"
#include "module_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_isolated(const struct startup *s)
{
	return !!(s->options.flags & PYTHON_ISOLATED);
}

/* A command, a module or a file, and not standard input. */
static int runs_code(const struct startup *s)
{
	return s->mode != STARTUP_STDIN &&
		!(s->mode == STARTUP_FILE && strcmp(s->what, "-") == 0);
}

static int is_interactive(const struct startup *s)
{
	return s->options.interactive || isatty(0);
}

/* A variable of python3's, as it is by now. */
static const char *variable(const struct startup *s, const char *name)
{
	const char *value = s->options.flags & PYTHON_NO_ENVIRONMENT ? NULL : getenv(name);

	return value && *value ? value : NULL;
}

static void import_quietly(const char *name)
{
	PyObject *module = PyImport_ImportModule(name);

	if (!module)
		PyErr_Clear();
	Py_XDECREF(module);
}

void repl_import_readline(const struct startup *s)
{
	if ((!s->options.inspect && runs_code(s)) || is_isolated(s) || !isatty(0))
		return;
	import_quietly("readline");
	import_quietly("rlcompleter");
}

void repl_header(const struct startup *s)
{
	if (s->options.quiet || runs_code(s) || !is_interactive(s))
		return;
	fprintf(stderr, "Python %s on %s\n", Py_GetVersion(), Py_GetPlatform());
	if (cpython_config()->site_import)
		fprintf(stderr, "Type \"help\", \"copyright\", \"credits\" or \"license\" "
			"for more information.\n");
}

/* The file that PYTHONSTARTUP names: errors are printed, SystemExit ends it. */
static void run_startup_file(const struct startup *s)
{
	const char *name = variable(s, "PYTHONSTARTUP");
	PyCompilerFlags flags = { .cf_flags = 0, .cf_feature_version = PY_MINOR_VERSION };
	PyObject *path = name ? PyUnicode_DecodeFSDefault(name) : NULL;
	FILE *file = NULL;

	if (!name)
		return;
	if (path && PySys_Audit("cpython.run_startup", "O", path) == 0) {
		if (PySys_Audit("open", "Osi", path, "r", 0) == 0)
			file = fopen(name, "re");
		PyErr_Clear();
		if (!file) {
			int error = errno;

			PySys_WriteStderr("Could not open PYTHONSTARTUP\n");
			errno = error;
			PyErr_SetFromErrnoWithFilenameObjects(PyExc_OSError, path, NULL);
		}
	}
	Py_XDECREF(path);
	if (!file) {
		PyErr_Print();
		return;
	}
	PyRun_SimpleFileExFlags(file, name, 0, &flags);
	PyErr_Clear();
	fclose(file);
}

static void run_interactive_hook(void)
{
	PyObject *hook = PySys_GetObject("__interactivehook__"), *result = NULL;

	if (!hook)
		return;
	Py_INCREF(hook);
	if (PySys_Audit("cpython.run_interactivehook", "O", hook) == 0)
		result = PyObject_CallNoArgs(hook);
	Py_DECREF(hook);
	if (!result) {
		PySys_WriteStderr("Failed calling sys.__interactivehook__\n");
		PyErr_Print();
	}
	Py_XDECREF(result);
}

static int run_loop(void)
{
	PyCompilerFlags flags = { .cf_flags = 0, .cf_feature_version = PY_MINOR_VERSION };

	return PyRun_AnyFileExFlags(stdin, "<stdin>", 0, &flags) != 0;
}

/* 3.13 has another prompt on a terminal, written in Python. */
static int is_basic(const struct startup *s)
{
	return !cpython_prompt_is_module() || !isatty(0) ||
		variable(s, "PYTHON_BASIC_REPL");
}

/* main.c's pymain_start_pyrepl(), in 3.13 pymain_start_pyrepl_no_main() */
static int start_console(int with_startup)
{
	PyObject *module = PyImport_ImportModule("_pyrepl.main"), *console, *done = NULL;
	PyObject *none = PyTuple_New(0), *names = cpython_prompt_names(with_startup);
	int status = 0;

	if (!module)
		fprintf(stderr, "Could not import _pyrepl.main\n");
	console = module ? PyObject_GetAttrString(module, "interactive_console") : NULL;
	if (module && !console)
		fprintf(stderr, "Could not access _pyrepl.main.interactive_console\n");
	if (console && none && names) {
		*cpython_unhandled_interrupt() = 0;
		done = PyObject_Call(console, none, names);
		if (!done && PyErr_Occurred() == PyExc_KeyboardInterrupt)
			*cpython_unhandled_interrupt() = 1;
	}
	if (!done)
		status = module_failed();
	Py_XDECREF(done);
	Py_XDECREF(names);
	Py_XDECREF(none);
	Py_XDECREF(console);
	Py_XDECREF(module);
	return status;
}

static int run_prompt(const struct startup *s)
{
	PyObject *module;

	if (!is_basic(s) && cpython_prompt_is_in_main())
		return start_console(0);
	module = is_basic(s) ? NULL : PyImport_ImportModule("_pyrepl");
	if (!module)	/* main.c leaves the exception, too */
		return run_loop();
	return module_run("_pyrepl", 0, 0);
}

static int run_prompt_after(const struct startup *s, int code)
{
	if (cpython_prompt_is_module() && PySys_Audit("cpython.run_stdin", NULL) < 0)
		return code;
	return is_basic(s) ? run_loop() : start_console(1) != 0;
}

int repl_run_stdin(const struct startup *s)
{
	if (is_interactive(s)) {
		cpython_set_inspect(0);	/* from here on SystemExit ends the process */
		run_startup_file(s);
		run_interactive_hook();
	}
	if (Py_MakePendingCalls() < 0 || PySys_Audit("cpython.run_stdin", NULL) < 0) {
		PyErr_Print();
		return 1;
	}
	return run_prompt(s);
}

/* A program may ask for the prompt by setting the variable. */
int repl_inspect(const struct startup *s, int code)
{
	const int *inspect = &cpython_config()->inspect;

	if (!*inspect && variable(s, "PYTHONINSPECT"))
		cpython_set_inspect(1);
	if (!*inspect || !is_interactive(s) || !runs_code(s))
		return code;
	cpython_set_inspect(0);
	run_interactive_hook();
	return run_prompt_after(s, code);
}
