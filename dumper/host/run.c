/*
 * Modules/main.c's pymain_run_python with public calls. Py_RunMain itself can't
 * be used: it takes its orders from a PyConfig that was read before the freeze
 * and writes all over it. Errors and SystemExit are handled where CPython
 * handles them (PyErr_Print); the Py_FinalizeEx that this may call is ours
 * (finish.h).
 */
#include "run.h"
#include "collector.h"
#include "command.h"
#include "cpython.h"
#include "entry.h"
#include "handoff.h"
#include "main_file.h"
#include "module_run.h"
#include "path0.h"
#include "repl.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *program;

void run_prepare(const char *name)
{
	program = name;
	path0_prepare();
	command_prepare();
}

/* initconfig.c, config_parse_cmdline(): the command gets an end of line. */
static PyObject *decode_command(const char *command)
{
	wchar_t *wide = Py_DecodeLocale(command, NULL);
	PyObject *text = wide ? PyUnicode_FromWideChar(wide, -1) : NULL;
	PyObject *line = text ? PyUnicode_FromFormat("%U\n", text) : NULL;

	PyMem_RawFree(wide);
	Py_XDECREF(text);
	return line;
}

static int run_command(const struct startup *s)
{
	PyCompilerFlags flags = { .cf_flags = PyCF_IGNORE_COOKIE,
		.cf_feature_version = PY_MINOR_VERSION };
	PyObject *text = decode_command(s->what), *bytes;
	int result;

	if (text && PySys_Audit("cpython.run_command", "O", text) < 0)
		return module_failed();
	bytes = text ? PyUnicode_AsUTF8String(text) : NULL;
	Py_XDECREF(text);
	if (!bytes) {
		PySys_WriteStderr("Unable to decode the command from the command line:\n");
		return module_failed();
	}
	cpython_dedent(PyBytes_AsString(bytes));	/* nobody else has it */
	if (entry_is_ready(s))
		result = entry_run(s, PyBytes_AsString(bytes));
	else
		result = command_run(PyBytes_AsString(bytes), &flags);
	Py_DECREF(bytes);
	return result;
}

/* Whether it is a folder or a zip file, for which sys.path has an importer. */
static int is_importable(PyObject *filename)
{
	PyObject *importer = PyImport_GetImporter(filename);

	if (!importer) {
		PySys_WriteStderr("Failed checking if argv[0] is an import path entry\n");
		return -1;
	}
	Py_DECREF(importer);
	return importer != Py_None;
}

/* The end of the line stays, for the lines' numbers. */
static void skip_first_line(FILE *file)
{
	int c;

	while ((c = getc(file)) != EOF)
		if (c == '\n') {
			ungetc(c, file);
			break;
		}
}

static int cannot_open(PyObject *filename)
{
	int error = errno;

	PyErr_Clear();
	PySys_FormatStderr("%s: can't open file %R: [Errno %d] %s\n", program,
		filename, error, strerror(error));
	return 2;
}

static int run_file(const char *name, PyObject *filename, int skip_line)
{
	/* _Py_fopen_obj() */
	int heard = PySys_Audit("open", "Osi", filename, "rb", 0);
	FILE *file = heard ? NULL : fopen(name, "rbe");
	struct stat st;

	if (!file)
		return cannot_open(filename);
	if (skip_line)
		skip_first_line(file);
	if (fstat(fileno(file), &st) == 0 && S_ISDIR(st.st_mode)) {
		PySys_FormatStderr("%s: %R is a directory, cannot continue\n", program,
			filename);
		fclose(file);
		return 1;
	}
	if (Py_MakePendingCalls() < 0) {
		fclose(file);
		return module_failed();
	}
	return main_file_run(file, name, filename);
}

/* initconfig.c, config_run_filename_abspath: __file__ is absolute, argv[0] is
 * as given. */
static const char *absolute(const char *name, char *buffer, size_t size)
{
	char folder[PATH_MAX];

	if (name[0] == '/' || !getcwd(folder, sizeof folder))
		return name;
	if (!*name || strcmp(name, ".") == 0)
		snprintf(buffer, size, "%s", folder);
	else
		snprintf(buffer, size, "%s/%s", folder, name);
	return buffer;
}

/* run_file() for the image's entry, which need not be read. */
static int run_entry_file(const struct startup *s, PyObject *filename)
{
	if (PySys_Audit("open", "Osi", filename, "rb", 0) < 0)
		return cannot_open(filename);
	if (Py_MakePendingCalls() < 0)
		return module_failed();
	return entry_run(s, NULL);
}

static int run_script(const struct startup *s, const char *name, PyObject *filename)
{
	if (PySys_Audit("cpython.run_file", "O", filename) < 0)
		return module_failed();
	if (entry_is_ready(s))
		return run_entry_file(s, filename);
	return run_file(name, filename, !!(s->options.flags & PYTHON_SKIP_LINE));
}

static int run_what(const struct startup *s)
{
	switch (s->mode) {
	case STARTUP_COMMAND:
		return run_command(s);
	case STARTUP_MODULE:
		return module_run(s->what, 1, entry_is_ready(s));
	default:
		return repl_run_stdin(s);
	}
}

/* pymain_run_python() for a file, or for a folder or zip file. */
static int run_path(const struct startup *s)
{
	size_t size = PATH_MAX + strlen(s->what) + 2;
	char *buffer = malloc(size);	/* kept: the file's name in tracebacks */
	const char *name = buffer ? absolute(s->what, buffer, size) : s->what;
	PyObject *filename = PyUnicode_DecodeFSDefault(name);
	int importable = filename ? is_importable(filename) : -1, result;

	if (importable < 0)
		return module_failed();
	repl_import_readline(s);
	if (importable ? path0_insert(filename) : path0_add(s)) {
		result = module_failed();
	} else {
		repl_header(s);
		result = importable ? module_run("__main__", 0, 0) :
			run_script(s, name, filename);
	}
	Py_DECREF(filename);
	return result;
}

int run_startup(const struct startup *s)
{
	int code;

	collector_start();
	cpython_begin_main();
	if (s->mode == STARTUP_FILE && strcmp(s->what, "-")) {
		code = run_path(s);
	} else {
		repl_import_readline(s);
		if (path0_add(s)) {
			code = module_failed();
		} else {
			repl_header(s);
			code = run_what(s);
		}
	}
	code = repl_inspect(s, code);
	cpython_end_main();
	return code;
}

void run_release(void)
{
	path0_release();
	command_release();
}
