/*
 * The working folder, where it stands before all else on sys.path; see shadow.h.
 */
#include "shadow.h"
#include "cpython.h"
#include "handoff.h"
#include "imports.h"
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a module's file may end in, with NULLs behind. */
static char *suffixes[16];
static char top[256];		/* the first part of the module's name */

/* SourceFileLoader, SourcelessFileLoader and ExtensionFileLoader take these. */
void shadow_prepare(const char *name)
{
	PyObject *machinery = imports_private("importlib.machinery");
	PyObject *all = PyObject_CallMethod(machinery, "all_suffixes", NULL);
	size_t room = sizeof suffixes / sizeof *suffixes - 1;

	for (Py_ssize_t i = 0; all && i < PyList_Size(all) && (size_t)i < room; i++) {
		const char *text = PyUnicode_AsUTF8(PyList_GET_ITEM(all, i));

		suffixes[i] = text ? strdup(text) : NULL;
	}
	if (!all || !suffixes[0])
		talk_refuse("look for suffixes of modules: %s", imports_traceback());
	if (name)
		snprintf(top, sizeof top, "%.*s", (int)strcspn(name, "."), name);
	Py_DECREF(all);
	Py_DECREF(machinery);
}

static int has_file(char *path, size_t size, const char *stem)
{
	for (char **suffix = suffixes; *suffix; suffix++) {
		snprintf(path, size, "%s%s", stem, *suffix);
		if (access(path, F_OK) == 0)
			return 1;
	}
	return 0;
}

const char *shadow_of(const char *name)
{
	static char path[512];
	char package[sizeof top + 16];

	snprintf(package, sizeof package, "%s/__init__", name);
	/* a folder without that gives way to any other module */
	if (has_file(path, sizeof path, name) ||
	    (access(name, F_OK) == 0 && has_file(path, sizeof path, package)))
		return path;
	return NULL;
}

const char *shadow_find(const struct startup *startup)
{
	if (!startup->by_entry || !top[0] || (startup->options.flags & PYTHON_SAFE_PATH))
		return NULL;
	return shadow_of(top);
}
