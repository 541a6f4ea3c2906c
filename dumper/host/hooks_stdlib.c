/*
 * Modules of the standard library; see hooks_stdlib.h.
 */
#include "hooks_stdlib.h"
#include "frames.h"

#include <limits.h>
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
PyObject *hooks_stdlib_before_uuid(PyObject *module)
{
	Py_XDECREF(none_for(module, "_node"));
	return none_for(module, "_last_timestamp");
}

/* tempfile.py: the sequence of names is seeded once in a process and told from
 * its parent's by the pid alone; the folder depends on TMPDIR, unless a program
 * chose it. */
PyObject *hooks_stdlib_before_tempfile(PyObject *module)
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

/* platform.py: uname() and its like are of the machine that it was built on. */
PyObject *hooks_stdlib_before_platform(PyObject *module)
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
PyObject *hooks_stdlib_before_process(PyObject *module)
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

PyObject *hooks_stdlib_after_process(PyObject *prepared)
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

PyObject *hooks_stdlib_before_logging(PyObject *module)
{
	PyObject *start = PyObject_GetAttrString(module, "_startTime");

	if (!start)
		return NULL;
	logging_counts_ns = PyLong_Check(start);
	Py_DECREF(start);
	Py_INCREF(module);
	return module;
}

PyObject *hooks_stdlib_after_logging(PyObject *module)
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
PyObject *hooks_stdlib_before_sysconfig(PyObject *module)
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

PyObject *hooks_stdlib_after_sysconfig(PyObject *prepared)
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
PyObject *hooks_stdlib_before_warnings(PyObject *module)
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

/* tempfile.py, _candidate_tempdir_list(): the working folder comes last. */
int hooks_stdlib_pass_folder_by(void)
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
