/*
 * See distributions.h. importlib.metadata (FastPath) and its backport list each folder
 * of sys.path. While building, the first one is a stand-in that is not there: nothing was
 * found in it. The body of pkg_resources, which passes over what is no folder, makes its
 * working_set by all of sys.path (_initialize_master_working_set).
 */
#include "distributions.h"
#include "asked.h"
#include "cpython.h"
#include "frames.h"
#include "handoff.h"
#include "path0.h"
#include "watch.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static watch_fast their_listdir;
static char asker[256];		/* the first module; empty: none */

static int is_after_metadata(void)
{
	static const char *const readers[] = { "importlib.metadata", "importlib_metadata" };
	PyFrameObject *frame = frames_innermost();
	int is = frame && frames_is_of(frame, readers, sizeof readers / sizeof *readers);

	Py_XDECREF(frame);
	return is;
}

static PyObject *hear_listdir(PyObject *self, PyObject *const *given, Py_ssize_t count,
	PyObject *names)
{
	if (!asker[0] && count && path0_is_stand_in(given[0]) && is_after_metadata())
		snprintf(asker, sizeof asker, "%s", asked_module());
	return their_listdir(self, given, count, names);
}

static void watch_posix(PyObject *module, int late)
{
	(void)late;
	watch_fast_named(module, "listdir", hear_listdir, &their_listdir);
}

void distributions_watch(void)
{
	watch_module("posix", watch_posix);
}

void distributions_end(void)
{
	static const char *const names[] = { "pkg_resources", "pip._vendor.pkg_resources" };
	PyObject *modules = PyImport_GetModuleDict();

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!asker[0] && !path0_is_known() && PyDict_GetItemString(modules, names[i]))
			snprintf(asker, sizeof asker, "%s", names[i]);
}

/* All of them pass over letters' case. */
static int is_metadata(const char *name)
{
	static const char *const kinds[] = { ".dist-info", ".egg-info", ".egg", ".egg-link" };
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof kinds / sizeof *kinds; i++)
		if (strcasecmp(dot, kinds[i]) == 0)
			return 1;
	return 0;
}

/* What is no folder is a zip file, which is not read. */
static int has_metadata(const char *folder)
{
	DIR *stream = opendir(folder);
	struct dirent *entry;
	int has = !stream && errno == ENOTDIR;

	while (stream && !has && (entry = readdir(stream)))
		has = is_metadata(entry->d_name);
	if (stream)
		closedir(stream);
	return has;
}

/* pydump's trial runs are no starts of a program's. */
const char *distributions_differ(const struct startup *startup)
{
	static char text[2 * PATH_MAX];
	char buffer[PATH_MAX + 1];
	const char *folder;

	if (!asker[0] || getenv("PYIMAGE_TRIAL"))
		return NULL;
	folder = path0_folder(startup, buffer);
	if (!folder || !has_metadata(folder))
		return NULL;
	snprintf(text, sizeof text, "metadata of distributions: %s may have some, and module "
		"%s looked for it while it was imported",
		strcmp(folder, ".") == 0 ? "the working folder" : folder, asker);
	return text;
}

void distributions_report(void (*put)(const char *key, const char *value))
{
	char text[512];

	if (!asker[0])
		return;
	snprintf(text, sizeof text, "no metadata of distributions in the script's or working "
		"folder (module %s looked)", asker);
	put("needs", text);
}
