/*
 * Modules/main.c's pymain_run_python with public calls. Py_RunMain itself can't
 * be used: it takes its orders from a PyConfig that was read before the freeze
 * and writes all over it. Errors and SystemExit are handled where CPython
 * handles them (PyErr_Print); the Py_FinalizeEx that this may call is ours
 * (finish.h).
 */
#include "run.h"
#include "cpython.h"
#include "handoff.h"
#include "talk.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static PyObject *path;		/* sys.path */
static const char *program;

static const char stand_in[] = "<script>";
static Py_ssize_t place;	/* of the script's folder in sys.path */

void run_reserve_path0(void)
{
	PyObject *text = PyUnicode_FromString(stand_in);

	path = PySys_GetObject("path");
	if (!text || !path || PyList_Insert(path, 0, text))
		talk_refuse("prepare sys.path");
	Py_DECREF(text);
}

void run_release_path0(void)
{
	PyObject *text = PyUnicode_FromString(stand_in);
	PyObject *list = PySys_GetObject("path");
	PyObject *cache = PySys_GetObject("path_importer_cache");

	place = list && text ? PySequence_Index(list, text) : -1;
	if (place >= 0)
		PySequence_DelItem(list, place);
	else
		place = 0;	/* the workload took it out */
	if (cache && PyDict_GetItem(cache, text))
		PyDict_DelItem(cache, text);
	PyErr_Clear();
	Py_XDECREF(text);
}

void run_forget(void)
{
	PySequence_DelItem(path, place);
}

void run_prepare(const char *name)
{
	program = name;
	path = PySys_GetObject("path");
	Py_XINCREF(path);
}

/* The exception that is set, printed; 1, or what SystemExit says: PyErr_Print
 * ends the process for that. */
static int failed(void)
{
	PyErr_Print();
	return 1;
}

/* pathconfig.c, _PyPathConfig_ComputeSysPath0: for a file its folder, after one
 * symbolic link and realpath. NULL: leave sys.path alone. */
static char *folder_of(const char *file, char *buffer)
{
	char link[PATH_MAX + 1], joined[2 * PATH_MAX + 2];
	ssize_t n = readlink(file, link, PATH_MAX);
	char *slash;

	if (n > 0) {
		const char *last = strrchr(file, '/');

		link[n] = 0;
		if (link[0] == '/' || (strchr(link, '/') && !last))
			file = link;
		else if (strchr(link, '/') && strlen(file) < PATH_MAX) {
			snprintf(joined, sizeof joined, "%.*s/%s",
				(int)(last - file), file, link);
			file = joined;
		}
	}
	if (!realpath(file, buffer))
		snprintf(buffer, PATH_MAX, "%.*s", PATH_MAX - 1, file);
	slash = strrchr(buffer, '/');
	if (!slash)
		buffer[0] = 0;
	else if (slash > buffer)
		*slash = 0;
	else
		slash[1] = 0;
	return buffer;
}

/* Functions of their own: their buffers must not make the stack deeper for -c. */
__attribute__((noinline)) static PyObject *path0_of_module(void)
{
	char buffer[PATH_MAX + 1];

	return getcwd(buffer, sizeof buffer) ? PyUnicode_DecodeFSDefault(buffer) : Py_None;
}

__attribute__((noinline)) static PyObject *path0_of_file(const char *file)
{
	char buffer[PATH_MAX + 1];

	return PyUnicode_DecodeFSDefault(folder_of(file, buffer));
}

static int add_path0(const struct startup *s)
{
	PyObject *text;
	int bad;

	if (s->mode == STARTUP_MODULE)
		text = path0_of_module();
	else if (s->mode == STARTUP_FILE)
		text = path0_of_file(s->what);
	else
		text = PyUnicode_FromString("");
	if (text == Py_None)
		return 0;	/* no working folder: leave sys.path alone */
	bad = !text || PyList_Insert(path, place, text);
	Py_XDECREF(text);
	return bad ? -1 : 0;
}

static int run_command(const char *command)
{
	PyCompilerFlags flags = { .cf_flags = PyCF_IGNORE_COOKIE,
		.cf_feature_version = PY_MINOR_VERSION };
	wchar_t *wide = Py_DecodeLocale(command, NULL);
	PyObject *text = wide ? PyUnicode_FromWideChar(wide, -1) : NULL;
	PyObject *bytes;
	int result;

	PyMem_RawFree(wide);
	if (text && PySys_Audit("cpython.run_command", "O", text) < 0)
		return failed();
	bytes = text ? PyUnicode_AsUTF8String(text) : NULL;
	if (bytes)
		cpython_register_command(text);
	Py_XDECREF(text);
	if (!bytes) {
		PySys_WriteStderr("Unable to decode the command from the command line:\n");
		return failed();
	}
	result = PyRun_SimpleStringFlags(PyBytes_AsString(bytes), &flags);
	Py_DECREF(bytes);
	return result != 0;
}

/* runpy does it; `set_argv0` as for -m. */
static int run_module(const char *name, int set_argv0)
{
	PyObject *runpy, *text = PyUnicode_DecodeFSDefault(name), *result;

	if (text && PySys_Audit("cpython.run_module", "O", text) < 0)
		return failed();
	runpy = PyImport_ImportModule("runpy");
	if (!runpy) {
		fprintf(stderr, "Could not import runpy module\n");
		return failed();
	}
	*cpython_unhandled_interrupt() = 0;
	result = PyObject_CallMethod(runpy, "_run_module_as_main", "OO", text,
		set_argv0 ? Py_True : Py_False);
	if (!result && PyErr_Occurred() == PyExc_KeyboardInterrupt)
		*cpython_unhandled_interrupt() = 1;
	Py_DECREF(runpy);
	Py_XDECREF(text);
	if (!result)
		return failed();
	Py_DECREF(result);
	return 0;
}

/* A folder or zip file that holds __main__.py: 1 and it is put on sys.path. */
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

static int run_file(const char *name, PyObject *filename)
{
	PyCompilerFlags flags = { .cf_flags = 0, .cf_feature_version = PY_MINOR_VERSION };
	FILE *file = fopen(name, "rbe");
	struct stat st;

	if (!file) {
		int error = errno;

		PySys_FormatStderr("%s: can't open file %R: [Errno %d] %s\n", program,
			filename, error, strerror(error));
		return 2;
	}
	if (fstat(fileno(file), &st) == 0 && S_ISDIR(st.st_mode)) {
		PySys_FormatStderr("%s: %R is a directory, cannot continue\n", program,
			filename);
		fclose(file);
		return 1;
	}
	if (Py_MakePendingCalls() < 0) {
		fclose(file);
		return failed();
	}
	return PyRun_AnyFileExFlags(file, name, 1, &flags) != 0;
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

static int run_file_or_folder(const struct startup *s)
{
	size_t size = PATH_MAX + strlen(s->what) + 2;
	char *buffer = malloc(size);	/* kept: the file's name in tracebacks */
	const char *name = buffer ? absolute(s->what, buffer, size) : s->what;
	PyObject *filename = PyUnicode_DecodeFSDefault(name);
	int importable = filename ? is_importable(filename) : -1, result;

	if (importable < 0)
		return failed();
	if (importable) {
		if (PyList_Insert(path, place, filename))
			return failed();
		result = run_module("__main__", 0);
	} else if (add_path0(s)) {
		result = failed();
	} else if (PySys_Audit("cpython.run_file", "O", filename) < 0) {
		result = failed();
	} else {
		result = run_file(name, filename);
	}
	Py_DECREF(filename);
	return result;
}

static void import_quietly(const char *name)
{
	PyObject *module = PyImport_ImportModule(name);

	if (!module)
		PyErr_Clear();
	Py_XDECREF(module);
}

static int interactive_hook(void)
{
	PyObject *hook = PySys_GetObject("__interactivehook__"), *result = NULL;

	if (!hook)
		return 0;
	Py_INCREF(hook);
	if (PySys_Audit("cpython.run_interactivehook", "O", hook) == 0)
		result = PyObject_CallNoArgs(hook);
	Py_DECREF(hook);
	if (result) {
		Py_DECREF(result);
		return 0;
	}
	PySys_WriteStderr("Failed calling sys.__interactivehook__\n");
	failed();
	return 0;
}

static int run_loop(void)
{
	PyCompilerFlags flags = { .cf_flags = 0, .cf_feature_version = PY_MINOR_VERSION };

	return PyRun_AnyFileExFlags(stdin, "<stdin>", 0, &flags) != 0;
}

static int run_stdin(const struct startup *s)
{
	int interactive = isatty(0);

	if (interactive) {
		/* before the script's folder is on sys.path */
		import_quietly("readline");
		import_quietly("rlcompleter");
	}
	if (add_path0(s))
		return failed();
	if (interactive) {
		fprintf(stderr, "Python %s on %s\nType \"help\", \"copyright\", \"credits\" "
			"or \"license\" for more information.\n", Py_GetVersion(),
			Py_GetPlatform());
		interactive_hook();
	}
	if (Py_MakePendingCalls() < 0 || PySys_Audit("cpython.run_stdin", NULL) < 0)
		return failed();
	return run_loop();
}

/* pymain_repl: a program may ask for the prompt by setting the variable. */
static int inspect(const struct startup *s, int code)
{
	const char *value = getenv("PYTHONINSPECT");

	if (!value || !*value || !isatty(0) || s->mode == STARTUP_STDIN ||
	    (s->mode == STARTUP_FILE && strcmp(s->what, "-") == 0))
		return code;
	interactive_hook();
	return run_loop();
}

static int run_what(const struct startup *s)
{
	switch (s->mode) {
	case STARTUP_COMMAND:
		return add_path0(s) ? failed() : run_command(s->what);
	case STARTUP_MODULE:
		return add_path0(s) ? failed() : run_module(s->what, 1);
	case STARTUP_FILE:
		if (strcmp(s->what, "-"))
			return run_file_or_folder(s);
		/* fall through */
	default:
		return run_stdin(s);
	}
}

int run_startup(const struct startup *s)
{
	return inspect(s, run_what(s));
}
