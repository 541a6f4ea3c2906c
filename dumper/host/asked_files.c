/*
 * Files that imports look for; see asked_files.h.
 */
#include "asked_files.h"
#include "asked.h"
#include "hooks.h"
#include "opened.h"
#include "path0.h"
#include "path_looks.h"
#include "watch.h"

#include <unistd.h>

/* Warm-up files count where nothing is there, as with files that are read. */
static void note_name(const char *name)
{
	if (*name == '/') {
		if (access(name, F_OK) && *asked_keeper())
			opened_missed(name);
	} else if (*name && *name != '<' && !hooks_pass_file_by(name)) {
		asked_folder();
	}
}

/* What names of files mean that are looked for: a relative one the working folder, an
 * absolute one that nothing is there yet. What is in angles is none, though linecache
 * and inspect look for it. */
void asked_file(PyObject *given)
{
	PyObject *path = NULL;
	const char *name = "", *inside;

	if (!PyLong_Check(given) && PyUnicode_FSConverter(given, &path))
		name = PyBytes_AS_STRING(path);
	inside = path0_inside(name);
	if (inside)
		path_looks_note(asked_module(), inside);
	else
		note_name(name);
	PyErr_Clear();
	Py_XDECREF(path);
}

/* dir_fd=...: the name is one in that folder. Without a name, which only a folder's
 * list may be, it is the working folder's. */
static void look(PyObject *const *given, Py_ssize_t count, PyObject *names)
{
	PyObject *fd = watch_argument(given, count, names, PY_SSIZE_T_MAX, "dir_fd");
	PyObject *path = watch_argument(given, count, names, 0, "path");

	if (fd && fd != Py_None)
		return;
	if (path && path != Py_None)
		asked_file(path);
	else
		asked_folder();
}

#define LOOK(name) \
	static watch_fast their_##name; \
	static PyObject *hear_##name(PyObject *self, PyObject *const *given, \
		Py_ssize_t count, PyObject *names) \
	{ \
		look(given, count, names); \
		return their_##name(self, given, count, names); \
	}

LOOK(stat)
LOOK(lstat)
LOOK(access)
LOOK(listdir)
LOOK(scandir)
LOOK(open)
LOOK(readlink)

static const struct look {
	const char *name;
	watch_fast ours, *theirs;
} looks[] = {
	{"stat", hear_stat, &their_stat},
	{"lstat", hear_lstat, &their_lstat},
	{"access", hear_access, &their_access},
	{"listdir", hear_listdir, &their_listdir},
	{"scandir", hear_scandir, &their_scandir},
	{"open", hear_open, &their_open},
	{"readlink", hear_readlink, &their_readlink},
};

static void watch_posix(PyObject *module, int late)
{
	(void)late;
	for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
		watch_fast_named(module, looks[i].name, looks[i].ours, looks[i].theirs);
}

void asked_files_watch(void)
{
	watch_module("posix", watch_posix);
}
