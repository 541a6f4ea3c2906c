/*
 * libc's environ and os.environ, which is a dict of its own that only starts
 * as a copy (Modules/posixmodule.c, convertenviron; Lib/os.py, _Environ).
 * Imports may set variables in both (os.environ, PEP 538's locale coercion) or
 * in libc's alone (setenv in C): the differences of each are kept apart.
 */
#include "environment.h"
#include "cpython.h"
#include "enter.h"
#include "handoff.h"
#include "imports.h"
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct change {
	char *name;
	char *value;		/* NULL: unset */
	char *before;		/* NULL: was not set */
};

static char **before;		/* copies of "NAME=VALUE" */
static struct change *changes;	/* of libc's environ */
static int change_count;
static PyObject *data;		/* os.environ._data, the dict of posix.environ */
static PyObject *set;		/* dict: what Python code changed */
static PyObject *unset;		/* list */

static char *copy(const char *text)
{
	char *made = strdup(text);

	if (!made)
		talk_refuse("out of memory");
	return made;
}

void environment_keep(char **without)
{
	size_t n = 0;

	for (; *without; without++)
		unsetenv(*without);
	while (environ[n])
		n++;
	before = calloc(n + 2, sizeof *before);
	if (!before)
		talk_refuse("out of memory");
	for (size_t i = 0; i < n; i++)
		before[i] = copy(environ[i]);
}

/* Coercion sets LC_CTYPE at the start; whether a restored process has it depends
 * on its own locale (resume.c), so it is no change of the workload's. */
void environment_keep_coercion(void)
{
	const char *now = getenv("LC_CTYPE");
	size_t n = 0;

	for (; before[n]; n++)
		if (strncmp(before[n], "LC_CTYPE=", 9) == 0)
			break;
	if (now && asprintf(&before[n], "LC_CTYPE=%s", now) < 0)
		talk_refuse("out of memory");
}

static const char *find(char **list, const char *name, size_t length)
{
	for (; *list; list++)
		if (strncmp(*list, name, length) == 0 && (*list)[length] == '=')
			return *list + length + 1;
	return NULL;
}

static void add_change(const char *name, size_t length, const char *value,
	const char *old)
{
	changes = realloc(changes, ((size_t)change_count + 1) * sizeof *changes);
	if (!changes)
		talk_refuse("out of memory");
	changes[change_count].name = copy(name);
	changes[change_count].name[length] = 0;
	changes[change_count].value = value ? copy(value) : NULL;
	changes[change_count].before = old ? copy(old) : NULL;
	change_count++;
}

static void find_changes(void)
{
	for (char **e = environ; *e; e++) {
		size_t length = strcspn(*e, "=");
		const char *old = find(before, *e, length);

		if ((*e)[length] && (!old || strcmp(old, *e + length + 1)))
			add_change(*e, length, *e + length + 1, old);
	}
	for (char **e = before; *e; e++) {
		size_t length = strcspn(*e, "=");

		if ((*e)[length] && !find(environ, *e, length))
			add_change(*e, length, NULL, *e + length + 1);
	}
}

/* A dict of bytes as convertenviron makes it: the first of equal names wins. */
static int fill(PyObject *dict, char **list)
{
	for (; *list; list++) {
		const char *equals = strchr(*list, '=');
		PyObject *name, *value;
		int failed;

		if (!equals)
			continue;
		name = PyBytes_FromStringAndSize(*list, equals - *list);
		value = PyBytes_FromString(equals + 1);
		failed = !name || !value || !PyDict_SetDefault(dict, name, value);
		Py_XDECREF(name);
		Py_XDECREF(value);
		if (failed)
			return -1;
	}
	return 0;
}

static int compare(PyObject *old)
{
	PyObject *name, *value, *was;
	Py_ssize_t i = 0;

	while (PyDict_Next(data, &i, &name, &value)) {
		was = PyDict_GetItem(old, name);
		if (!was || PyObject_RichCompareBool(was, value, Py_EQ) != 1)
			if (PyDict_SetItem(set, name, value))
				return -1;
	}
	i = 0;
	while (PyDict_Next(old, &i, &name, &value))
		if (!PyDict_GetItem(data, name) && PyList_Append(unset, name))
			return -1;
	return 0;
}

void environment_prepare(void)
{
	PyObject *os = PyImport_ImportModule("os");
	PyObject *mapping = os ? PyObject_GetAttrString(os, "environ") : NULL;
	PyObject *old = PyDict_New();

	data = mapping ? PyObject_GetAttrString(mapping, "_data") : NULL;
	set = PyDict_New();
	unset = PyList_New(0);
	if (!data || !old || !set || !unset || !PyDict_CheckExact(data) ||
	    fill(old, before) || compare(old))
		talk_refuse("prepare os.environ: %s", imports_traceback());
	find_changes();
	Py_DECREF(old);
	Py_DECREF(mapping);
	Py_DECREF(os);
	environment_forget();
}

void environment_forget(void)
{
	PyDict_Clear(data);
}

const char *environment_differs(void)
{
	for (int i = 0; i < change_count; i++) {
		const char *now = getenv(changes[i].name), *old = changes[i].before;

		if (now && old ? strcmp(now, old) != 0 : now != old)
			return changes[i].name;
	}
	return NULL;
}

/* putenv(3) copies the whole list to the heap first. The one that the entry code
 * made has room, and is in a page that is written anyway. */
static int put_in_place(const char *name, char *assignment)
{
	size_t length = strlen(name);

	if (environ != handoff.environ)
		return putenv(assignment);
	for (int i = 0; i < HANDOFF_ENVIRON - 1; i++) {
		char *old = environ[i];

		if (old && (strncmp(old, name, length) || old[length] != '='))
			continue;
		environ[i] = assignment;
		if (!old)
			environ[i + 1] = NULL;
		return 0;
	}
	return putenv(assignment);
}

int environment_set(const char *name, char *assignment)
{
	PyObject *key = PyBytes_FromString(name);
	PyObject *text = PyBytes_FromString(assignment + strlen(name) + 1);
	int failed = !key || !text || PyDict_SetItem(data, key, text) ||
		put_in_place(name, assignment);

	Py_XDECREF(key);
	Py_XDECREF(text);
	return failed ? -1 : 0;
}

int environment_resume(int rehearse)
{
	/* before libc's changes, of which os.environ need not know all */
	if (fill(data, environ))
		return -1;
	for (int i = 0; i < change_count && !rehearse; i++)
		if (changes[i].value)
			setenv(changes[i].name, changes[i].value, 1);
		else
			unsetenv(changes[i].name);
	if (PyDict_Update(data, set))
		return -1;
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(unset); i++)
		if (PyDict_Contains(data, PyList_GET_ITEM(unset, i)) == 1 &&
		    PyDict_DelItem(data, PyList_GET_ITEM(unset, i)))
			return -1;
	return 0;
}

int environment_is_trial(void)
{
	return getenv("PYIMAGE_TRIAL") != NULL;
}

void environment_release(void)
{
	Py_CLEAR(data);
	Py_CLEAR(set);
	Py_CLEAR(unset);
}
