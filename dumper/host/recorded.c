/*
 * Recorded modules; see recorded.h. A program changes how modules are found before
 * it imports them: sys.path, hooks that rewrite their source (pytest), loaders of
 * its own. A module that is found in another way here would be another module.
 */
#include "recorded.h"
#include "cpython.h"
#include "imports.h"
#include "origin.h"
#include "talk.h"

#include <string.h>

static PyObject *find_spec;	/* importlib.util.find_spec */

static int is_there(const char *name)
{
	return PyDict_GetItemString(PyImport_GetModuleDict(), name) != NULL;
}

/* Whether the package that the module is in has been imported: else it was left
 * out, and finding the module would import it. */
static int has_parent(const char *name)
{
	const char *dot = strrchr(name, '.');
	PyObject *parent = dot ? PyUnicode_FromStringAndSize(name, dot - name) : NULL;
	int has = !dot || (parent &&
		PyDict_Contains(PyImport_GetModuleDict(), parent) == 1);

	PyErr_Clear();
	Py_XDECREF(parent);
	return has;
}

static int is_same(const char *name, const char *recorded)
{
	PyObject *spec = PyObject_CallFunction(find_spec, "s", name);
	PyObject *origin = spec ? origin_of(spec) : NULL;
	PyObject *bytes = origin ? PyUnicode_EncodeFSDefault(origin) : NULL;
	int same = bytes && strcmp(PyBytes_AS_STRING(bytes), recorded) == 0;

	PyErr_Clear();
	Py_XDECREF(bytes);
	Py_XDECREF(origin);
	Py_XDECREF(spec);
	return same;
}

/* The last line of a traceback: "ValueError: why". */
static const char *last_line(char *text)
{
	size_t length = strlen(text);
	char *line;

	while (length && text[length - 1] == '\n')
		text[--length] = 0;
	line = strrchr(text, '\n');
	return line ? line + 1 : text;
}

static void import(const char *name, const char *origin)
{
	PyObject *module;

	if (is_there(name))
		return;
	if (!has_parent(name) || !is_same(name, origin)) {
		talk_progress("leaving out %s: it is found in another way here", name);
		return;
	}
	talk_progress("importing %s", name);
	module = PyImport_ImportModule(name);
	if (!module)
		talk_warn("module %s is left out: imported by itself it raises %s", name,
			last_line((char *)(size_t)imports_traceback()));
	Py_XDECREF(module);
}

void recorded_import(char **lines)
{
	PyObject *util;

	if (!*lines)
		return;
	util = imports_private("importlib.util");
	find_spec = PyObject_GetAttrString(util, "find_spec");
	if (!find_spec)
		talk_refuse("look for modules: %s", imports_traceback());
	for (; *lines; lines++) {
		char *tab = strchr(*lines, '\t');

		if (!tab)
			talk_refuse("pydump sent a record without a tab");
		*tab = 0;
		import(*lines, tab + 1);
	}
	Py_CLEAR(find_spec);
	Py_DECREF(util);
}
