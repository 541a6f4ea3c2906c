/*
 * What was imported from where: modules, sys.path, locale, user site, for the
 * guards and for `pydump info`.
 */
#include "report.h"
#include "arguments.h"
#include "asked.h"
#include "control.h"
#include "cpython.h"
#include "entry.h"
#include "hooks.h"
#include "imports.h"
#include "opened.h"
#include "path_looks.h"
#include "reads.h"
#include "talk.h"
#include "unbuffered.h"
#include "temporary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *report;
static size_t report_length;
static FILE *stream;

static char locale_name[128], timezone_name[256];
static int locale_by_lc_all;

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* setlocale(3): LC_ALL, then LC_CTYPE, then LANG; the first that is not empty */
void report_environment(void)
{
	const char *all = variable("LC_ALL"), *name = all;

	if (!name)
		name = variable("LC_CTYPE");
	if (!name)
		name = variable("LANG");
	snprintf(locale_name, sizeof locale_name, "%s", name ? name : "C");
	locale_by_lc_all = all != NULL;
	snprintf(timezone_name, sizeof timezone_name, "%s",
		getenv("TZ") ? getenv("TZ") : "");
}

static void put(const char *key, const char *value)
{
	fprintf(stream, "%s=%s%c", key, value, 0);
}

static void put_object(const char *key, PyObject *object)
{
	PyObject *bytes;

	if (!object || !PyUnicode_Check(object) ||
	    !(bytes = PyUnicode_EncodeFSDefault(object))) {
		PyErr_Clear();
		return;
	}
	if (strlen(PyBytes_AS_STRING(bytes)) == (size_t)PyBytes_GET_SIZE(bytes))
		put(key, PyBytes_AS_STRING(bytes));
	Py_DECREF(bytes);
}

static void put_sys(const char *key, const char *name)
{
	put_object(key, PySys_GetObject(name));
}

/* A module's source or shared library: __spec__.origin, else __file__. */
static void put_origin(PyObject *module)
{
	PyObject *spec = PyObject_GetAttrString(module, "__spec__");
	PyObject *origin = NULL, *has = NULL;

	if (spec && spec != Py_None) {
		has = PyObject_GetAttrString(spec, "has_location");
		if (has && PyObject_IsTrue(has) == 1)
			origin = PyObject_GetAttrString(spec, "origin");
	}
	PyErr_Clear();
	if (!origin || !PyUnicode_Check(origin)) {
		Py_XDECREF(origin);
		origin = PyObject_GetAttrString(module, "__file__");
	}
	PyErr_Clear();
	put_object("origin", origin);
	Py_XDECREF(origin);
	Py_XDECREF(has);
	Py_XDECREF(spec);
}

static void put_modules(void)
{
	PyObject *items = PyDict_Items(PyImport_GetModuleDict());

	for (Py_ssize_t i = 0; items && i < PyList_GET_SIZE(items); i++) {
		PyObject *pair = PyList_GET_ITEM(items, i);

		put_object("module", PyTuple_GET_ITEM(pair, 0));
		put_origin(PyTuple_GET_ITEM(pair, 1));
	}
	Py_XDECREF(items);
	PyErr_Clear();
}

static void put_paths(void)
{
	PyObject *path = PySys_GetObject("path");

	for (Py_ssize_t i = 0; path && PyList_Check(path) && i < PyList_GET_SIZE(path); i++)
		put_object("path", PyList_GET_ITEM(path, i));
}

static PyObject *site_attribute(const char *name)
{
	PyObject *site = PyDict_GetItemString(PyImport_GetModuleDict(), "site");
	PyObject *value = site ? PyObject_GetAttrString(site, name) : NULL;

	PyErr_Clear();
	return value;
}

/* The user site folder: used if it is on sys.path; the part behind the home
 * folder tells where another user's is (site.py, _get_path). */
static void put_user_site(void)
{
	PyObject *folder = site_attribute("USER_SITE"), *path = PySys_GetObject("path");
	const char *text = folder && PyUnicode_Check(folder) ? PyUnicode_AsUTF8(folder) : NULL;
	char suffix[64];

	snprintf(suffix, sizeof suffix, "/.local/lib/python%d.%d/site-packages",
		PY_MAJOR_VERSION, PY_MINOR_VERSION);
	put("user_site_suffix", folder ? suffix : "");	/* -S: there is none */
	if (text && path && PySequence_Contains(path, folder) == 1)
		put("user_site", text);
	PyErr_Clear();
	Py_XDECREF(folder);
}

long report_site_index(void)
{
	PyObject *site = PyDict_GetItemString(PyImport_GetModuleDict(), "site");
	PyObject *path = PySys_GetObject("path");
	PyObject *folders = site ? PyObject_CallMethod(site, "getsitepackages", NULL) : NULL;
	long index = path ? (long)PyList_Size(path) : 0;

	for (long i = 0; folders && path && i < index; i++)
		if (PySequence_Contains(folders, PyList_GET_ITEM(path, i)) == 1)
			index = i;
	PyErr_Clear();
	Py_XDECREF(folders);
	return index;
}

void report_send(char **warmups, int immortal)
{
	char text[32];

	stream = open_memstream(&report, &report_length);
	if (!stream)
		talk_refuse("out of memory");
	snprintf(text, sizeof text, "%.20s", Py_GetVersion());
	text[strcspn(text, " ")] = 0;
	put("version", text);
	snprintf(text, sizeof text, "%lu", Py_Version);
	put("hexversion", text);
	put_sys("executable", "executable");
	put_sys("prefix", "prefix");
	put("locale", locale_name);
	put("locale_by_lc_all", locale_by_lc_all ? "1" : "0");
	put("immortal", immortal ? "1" : "0");
	put("timezone", timezone_name);
	put_user_site();
	put_paths();
	put_modules();
	for (; *warmups; warmups++)
		put("read", *warmups);
	entry_report(put);
	hooks_files(put);
	unbuffered_report(put);
	opened_report(put);
	asked_report(put);
	arguments_report(put);
	path_looks_report(put);
	reads_put(stream);
	temporary_put(stream);
	if (fclose(stream))
		talk_refuse("out of memory");
	talk_send(CONTROL_REPORT, report, report_length);
	free(report);
}
