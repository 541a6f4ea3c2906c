/*
 * The one table of what is known about modules. A row is used where its module
 * is in sys.modules at the freeze.
 */
#include "hooks.h"
#include "cpython.h"
#include "frames.h"
#include "hooks_ansible.h"
#include "hooks_awscrt.h"
#include "hooks_gtk.h"
#include "hooks_library.h"
#include "hooks_locale.h"
#include "hooks_loops.h"
#include "hooks_modules.h"
#include "hooks_numpy.h"
#include "hooks_programs.h"
#include "hooks_random.h"
#include "hooks_settings.h"
#include "hooks_uuid.h"
#include "hooks_terminal.h"
#include "imports.h"
#include "talk.h"
#include "watch.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static PyObject *none_for(PyObject *module, const char *name)
{
	if (PyObject_HasAttrString(module, name) &&
	    PyObject_SetAttrString(module, name, Py_None))
		return NULL;
	Py_RETURN_NONE;
}

/* uuid.py: both are made by the next uuid1(); the node may be another machine. */
static PyObject *uuid_before(PyObject *module)
{
	Py_XDECREF(none_for(module, "_node"));
	return none_for(module, "_last_timestamp");
}

/* tempfile.py: the sequence of names is seeded once in a process and told from
 * its parent's by the pid alone; the folder depends on TMPDIR, unless a program
 * chose it. */
static PyObject *tempfile_before(PyObject *module)
{
	PyObject *folder = PyObject_GetAttrString(module, "tempdir"), *usual = NULL;
	int same = 0;

	if (folder && folder != Py_None)
		usual = PyObject_CallMethod(module, "_get_default_tempdir", NULL);
	if (usual)
		same = PyObject_RichCompareBool(folder, usual, Py_EQ);
	Py_XDECREF(usual);
	Py_XDECREF(folder);
	PyErr_Clear();
	Py_XDECREF(none_for(module, "_name_sequence"));
	if (same > 0)
		return none_for(module, "tempdir");
	Py_RETURN_NONE;
}

/* pkg_resources/__init__.py: _normalize_cached() keeps what realpath() of each name is, in
 * a dict that is its default argument or, newer, in functools' cache. The first item of
 * sys.path is among the names. */
static PyObject *pkg_resources_before(PyObject *module)
{
	PyObject *function = PyObject_GetAttrString(module, "_normalize_cached");
	PyObject *defaults = function && PyFunction_Check(function) ?
		PyFunction_GetDefaults(function) : NULL;
	PyObject *done = function && !PyFunction_Check(function) ?
		PyObject_CallMethod(function, "cache_clear", NULL) : NULL;

	for (Py_ssize_t i = 0; defaults && i < PyTuple_GET_SIZE(defaults); i++)
		if (PyDict_Check(PyTuple_GET_ITEM(defaults, i)))
			PyDict_Clear(PyTuple_GET_ITEM(defaults, i));
	Py_XDECREF(done);
	Py_XDECREF(function);
	PyErr_Clear();
	Py_RETURN_NONE;
}

/* platform.py: uname() and its like are of the machine that it was built on. */
static PyObject *platform_before(PyObject *module)
{
	PyObject *cache = PyObject_GetAttrString(module, "_platform_cache");

	if (cache && PyDict_Check(cache))
		PyDict_Clear(cache);
	Py_XDECREF(cache);
	PyErr_Clear();
	return none_for(module, "_uname_cache");
}

/* multiprocessing/process.py, and celery's billiard/process.py: the key that lets
 * processes connect, and the folder that it was imported in, None if there is none. What
 * is prepared is (key's type, configuration, module). */
static PyObject *process_before(PyObject *module)
{
	PyObject *type = PyObject_GetAttrString(module, "AuthenticationString");
	PyObject *process = PyObject_GetAttrString(module, "_current_process");
	PyObject *config = process ? PyObject_GetAttrString(process, "_config") : NULL;
	PyObject *all = type && config ? PyTuple_Pack(3, type, config, module) : NULL;

	Py_XDECREF(type);
	Py_XDECREF(process);
	Py_XDECREF(config);
	return all;
}

static int renew_original_folder(PyObject *module)
{
	char buffer[PATH_MAX + 1];
	PyObject *folder = Py_None;
	int failed;

	if (getcwd(buffer, sizeof buffer))
		folder = PyUnicode_DecodeFSDefault(buffer);
	else
		Py_INCREF(folder);
	failed = !folder || PyObject_SetAttrString(module, "ORIGINAL_DIR", folder);
	Py_XDECREF(folder);
	return failed;
}

static PyObject *process_after(PyObject *prepared)
{
	char bytes[32];
	PyObject *key;

	if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
		return PyErr_SetFromErrno(PyExc_OSError);
	key = PyObject_CallFunction(PyTuple_GET_ITEM(prepared, 0), "y#", bytes,
		(Py_ssize_t)sizeof bytes);
	if (!key || renew_original_folder(PyTuple_GET_ITEM(prepared, 2)) ||
	    PyDict_SetItemString(PyTuple_GET_ITEM(prepared, 1), "authkey", key))
		return NULL;
	return key;
}

/* logging/__init__.py: relativeCreated counts from here; seconds as a float, from
 * 3.13 on nanoseconds. */
static int logging_counts_ns;

static PyObject *logging_before(PyObject *module)
{
	PyObject *start = PyObject_GetAttrString(module, "_startTime");

	if (!start)
		return NULL;
	logging_counts_ns = PyLong_Check(start);
	Py_DECREF(start);
	Py_INCREF(module);
	return module;
}

static PyObject *logging_after(PyObject *module)
{
	struct timespec now;
	PyObject *start;

	clock_gettime(CLOCK_REALTIME, &now);
	start = logging_counts_ns ?
		PyLong_FromLongLong(now.tv_sec * 1000000000ll + now.tv_nsec) :
		PyFloat_FromDouble((double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
	if (!start || PyObject_SetAttrString(module, "_startTime", start))
		return NULL;
	return start;
}

/* sysconfig.py: 'userbase' is ~/.local of whoever called get_config_vars() first. What
 * is prepared is (function, dict, home while building); the same home costs nothing. */
static PyObject *sysconfig_before(PyObject *module)
{
	PyObject *vars = PyObject_GetAttrString(module, "_CONFIG_VARS");
	PyObject *base = PyObject_GetAttrString(module, "_getuserbase");
	const char *home = getenv("HOME");

	if (vars && base && PyDict_Check(vars) && PyDict_GetItemString(vars, "userbase"))
		return Py_BuildValue("(NNz)", base, vars, home);
	PyErr_Clear();
	Py_XDECREF(vars);
	Py_XDECREF(base);
	Py_RETURN_NONE;
}

static PyObject *sysconfig_after(PyObject *prepared)
{
	const char *home = getenv("HOME"), *was;
	PyObject *base;

	if (prepared == Py_None)
		Py_RETURN_NONE;
	was = PyTuple_GET_ITEM(prepared, 2) == Py_None ? NULL :
		PyUnicode_AsUTF8(PyTuple_GET_ITEM(prepared, 2));
	if (home && was ? strcmp(home, was) == 0 : home == was)
		Py_RETURN_NONE;
	base = PyObject_CallNoArgs(PyTuple_GET_ITEM(prepared, 0));
	if (!base || PyDict_SetItemString(PyTuple_GET_ITEM(prepared, 1), "userbase", base))
		return NULL;
	return base;
}

/* warnings.py: what a module has warned of is in a dict of its own, once() in one of
 * all, and is not told again. It was told while building, to another one. */
static PyObject *warnings_before(PyObject *module)
{
	PyObject *once = PyObject_GetAttrString(module, "onceregistry"), *name, *one;
	Py_ssize_t i = 0;

	while (PyDict_Next(PyImport_GetModuleDict(), &i, &name, &one)) {
		PyObject *names = PyModule_Check(one) ? PyModule_GetDict(one) : NULL;
		PyObject *told = names ? PyDict_GetItemString(names, "__warningregistry__")
			: NULL;

		if (told && PyDict_Check(told))
			PyDict_Clear(told);
	}
	if (once && PyDict_Check(once))
		PyDict_Clear(once);
	PyErr_Clear();
	Py_XDECREF(once);
	Py_RETURN_NONE;
}

static struct hook {
	const char *module;
	PyObject *(*before)(PyObject *module);
	PyObject *(*after)(PyObject *prepared);
	PyObject *prepared;
} hooks[] = {
	{ "uuid", uuid_before, NULL, NULL },
	{ "tempfile", tempfile_before, NULL, NULL },
	{ "platform", platform_before, NULL, NULL },
	{ "pkg_resources", pkg_resources_before, NULL, NULL },
	{ "pip._vendor.pkg_resources", pkg_resources_before, NULL, NULL },
	{ "random", hooks_random_before, hooks_random_after, NULL },
	{ "numpy.random", hooks_numpy_before, hooks_numpy_after, NULL },
	{ "multiprocessing.process", process_before, process_after, NULL },
	{ "billiard.process", process_before, process_after, NULL },
	{ "_ssl", hooks_library_before_ssl, hooks_library_after_ssl, NULL },
	{ "logging", logging_before, logging_after, NULL },
	{ "gunicorn.config", hooks_gunicorn_before, hooks_gunicorn_after, NULL },
	{ "mercurial.pycompat", hooks_mercurial_before, hooks_mercurial_after, NULL },
	{ "sysconfig", sysconfig_before, sysconfig_after, NULL },
	{ "warnings", warnings_before, NULL, NULL },
};

#define HOOKS (sizeof hooks / sizeof *hooks)

static void rows_before(void)
{
	PyObject *modules = PyImport_GetModuleDict();

	for (size_t i = 0; i < HOOKS; i++) {
		PyObject *module = PyDict_GetItemString(modules, hooks[i].module);

		if (!module)
			continue;
		hooks[i].prepared = hooks[i].before(module);
		if (!hooks[i].prepared)
			talk_refuse("prepare module %s for the freeze: %s",
				hooks[i].module, imports_traceback());
	}
}

static void rows_release(void)
{
	for (size_t i = 0; i < HOOKS; i++)
		Py_CLEAR(hooks[i].prepared);
}

/* Knowledge that takes a file of its own, in the order of things. */
static const struct part {
	void (*watch)(void);
	void (*before)(void);
	void (*files)(void (*put)(const char *key, const char *value));
	const char *(*differs)(void);
	int (*resume)(void);
	void (*release)(void);
} parts[] = {
	{ .watch = hooks_random_watch },
	{ .watch = hooks_numpy_watch },
	{ .watch = hooks_locale_watch, .before = hooks_locale_before },
	{ .before = hooks_library_before },
	{ .before = hooks_uuid_before },
	{ .before = rows_before, .release = rows_release },
	{ .files = hooks_settings_files },
	{ .before = hooks_ansible_prepare,
	  .differs = hooks_ansible_differs, .resume = hooks_ansible_resume,
	  .release = hooks_ansible_release },
	{ .watch = hooks_gtk_watch, .before = hooks_gtk_prepare,
	  .resume = hooks_gtk_resume, .release = hooks_gtk_release },
	{ .watch = hooks_awscrt_watch, .resume = hooks_awscrt_resume,
	  .release = hooks_awscrt_release },
	{ .before = hooks_modules_before, .resume = hooks_modules_resume,
	  .release = hooks_modules_release },
	{ .before = hooks_loops_before, .differs = hooks_loops_differ,
	  .resume = hooks_loops_resume, .release = hooks_loops_release },
};

static int watching;

/* GLib's gslice.c until 2.74 hands out parts of pages of its own, of which each thread
 * and each size keeps some: what is taken after the restore would lie scattered over
 * them. Told so it asks malloc(), as from 2.76 on it always does. */
const char *hooks_variable(const char *name)
{
	return watching && strcmp(name, "G_SLICE") == 0 ? "always-malloc" : NULL;
}

#define FOR_PARTS(at) \
	for (const struct part *at = parts; at < parts + sizeof parts / sizeof *parts; at++)

void hooks_watch(void)
{
	watching = 1;
	watch_start();
	FOR_PARTS(part)
		if (part->watch)
			part->watch();
}

void hooks_before(void)
{
	FOR_PARTS(part)
		if (part->before)
			part->before();
}

void hooks_files(void (*put)(const char *key, const char *value))
{
	FOR_PARTS(part)
		if (part->files)
			part->files(put);
}

int hooks_after(void)
{
	for (size_t i = 0; i < HOOKS; i++) {
		PyObject *result;

		if (!hooks[i].prepared || !hooks[i].after)
			continue;
		result = hooks[i].after(hooks[i].prepared);
		if (!result)
			return -1;
		Py_DECREF(result);
	}
	return hooks_library_after();
}

const char *hooks_differ(void)
{
	const char *why = NULL;

	FOR_PARTS(part)
		if (!why && part->differs)
			why = part->differs();
	return why;
}

int hooks_resume(void)
{
	FOR_PARTS(part)
		if (part->resume && part->resume())
			return -1;
	return 0;
}

const char *hooks_check(int coerced)
{
	return hooks_locale_resume(coerced);
}

int hooks_renew_answers(const char *module)
{
	static const char *const names[] = {
		"gunicorn.config", "logging", "multiprocessing.process", "billiard.process",
		"mercurial.pycompat",
		"gi.overrides.Gdk", "gi.overrides.Gtk", NULL
	};

	for (const char *const *name = names; *name; name++)
		if (strcmp(module, *name) == 0)
			return 1;
	return hooks_modules_know(module) || hooks_ansible_renews(module);
}

/* tempfile.py, _candidate_tempdir_list(): the working folder comes last. */
int hooks_pass_folder_by(void)
{
	static const char *const module[] = { "tempfile" };
	static const char *const usual[] = { "/tmp", "/var/tmp", "/usr/tmp" };
	PyFrameObject *frame = frames_innermost();
	int is = frame && frames_is_of(frame, module, 1) &&
		frames_is_called(frame, "_candidate_tempdir_list"), found = 0;

	for (size_t i = 0; is && i < sizeof usual / sizeof *usual; i++)
		found |= access(usual[i], W_OK | X_OK) == 0;
	Py_XDECREF(frame);
	return found;
}

int hooks_pass_file_by(const char *file)
{
	return hooks_settings_know(file);
}

int hooks_renew_terminal(int is_terminal)
{
	return hooks_terminal_renews(is_terminal);
}

int hooks_renew_terminal_type(void)
{
	return hooks_terminal_renews_type();
}

/* OpenBLAS's gotoblas_quit unmaps its buffers and frees its tables. */
int hooks_fini_is_idle(const char *library)
{
	static const char *const idle[] = { "libopenblas", NULL };
	const char *slash = strrchr(library, '/');
	const char *name = slash ? slash + 1 : library;

	for (const char *const *prefix = idle; *prefix; prefix++)
		if (strncmp(name, *prefix, strlen(*prefix)) == 0)
			return 1;
	return 0;
}

void hooks_uninstantiate(void)
{
	hooks_library_uninstantiate();
}

void hooks_forked(void)
{
	hooks_random_forked();
	hooks_loops_forked();
}

void hooks_release(void)
{
	FOR_PARTS(part)
		if (part->release)
			part->release();
}
