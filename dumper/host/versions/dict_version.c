/*
 * Whether a dict has changed: PEP 509's version tag, which 3.12 deprecated and 3.14
 * took away. There the dict is watched (PyDict_Watch(), 3.12+), which costs nothing
 * until it changes.
 */
#include "cpython.h"

#if PY_VERSION_HEX < 0x030e0000
_Py_COMP_DIAG_PUSH
_Py_COMP_DIAG_IGNORE_DEPR_DECLS
unsigned long long cpython_dict_version(PyObject *dict)
{
	return ((PyDictObject *)dict)->ma_version_tag;
}
_Py_COMP_DIAG_POP
#else
#define WATCHED 8

static struct watched {
	PyObject *dict;
	unsigned long long version;
} watched[WATCHED];

static int watcher = -1;
static unsigned long long changes;	/* of all of them: no two have one version */

static struct watched *find(PyObject *dict)
{
	struct watched *at = watched;

	while (at < watched + WATCHED && at->dict && at->dict != dict)
		at++;
	return at < watched + WATCHED ? at : NULL;
}

static int note(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value)
{
	struct watched *at = find(dict);

	(void)key;
	(void)value;
	if (!at || !at->dict)
		return 0;
	at->version = ++changes;
	if (event == PyDict_EVENT_DEALLOCATED) {
		struct watched *last = at;

		while (last + 1 < watched + WATCHED && last[1].dict)
			last++;
		*at = *last;
		last->dict = NULL;
	}
	return 0;
}

/* Of one that can't be watched, a new one each time. */
unsigned long long cpython_dict_version(PyObject *dict)
{
	struct watched *at = find(dict);

	if (at && at->dict)
		return at->version;
	if (watcher < 0)
		watcher = PyDict_AddWatcher(note);
	if (!at || watcher < 0 || PyDict_Watch(watcher, dict)) {
		PyErr_Clear();
		return ++changes;
	}
	at->dict = dict;
	at->version = ++changes;
	return at->version;
}
#endif
