/*
 * Watching C functions. Importlib executes each extension module by one of two
 * functions of _imp, which is how it is known that one is there.
 */
#include "watch.h"
#include "gc_view.h"
#include "imports.h"
#include "talk.h"

#include <string.h>

#define WORDS 64
#define MODULES 32

static struct word {
	void *place;
	void (*theirs)(void), (*ours)(void);
} words[WORDS];
static int word_count;

static struct wanted {
	const char *name;
	void (*ready)(PyObject *module, int late);
} wanted[MODULES];
static int wanted_count;

static PyMethodDef *row_of(PyObject *function)
{
	if (PyCFunction_Check(function))
		return ((PyCFunctionObject *)function)->m_ml;
	if (Py_IS_TYPE(function, &PyMethodDescr_Type))
		return ((PyMethodDescrObject *)function)->d_method;
	return NULL;
}

/* All pointers to functions are of one size (POSIX, dlsym). */
static void exchange(void *place, void (*ours)(void))
{
	struct word *word;

	if (word_count == WORDS)
		talk_refuse("watch imports: more functions than there is room for");
	word = &words[word_count++];
	word->place = place;
	word->ours = ours;
	memcpy(&word->theirs, place, sizeof word->theirs);
	memcpy(place, &ours, sizeof ours);
}

/* A module that is made again has the same rows: they are C's, and static. */
static int is_exchanged(const void *place, void (*ours)(void))
{
	for (int i = 0; i < word_count; i++)
		if (words[i].place == place && words[i].ours == ours)
			return 1;
	return 0;
}

int watch_function(PyObject *function, int flags, PyCFunction ours, PyCFunction *theirs)
{
	PyMethodDef *row = row_of(function);

	if (row && is_exchanged(&row->ml_meth, (void (*)(void))ours))
		return 0;
	if (!row || row->ml_flags != flags)
		return -1;
	*theirs = row->ml_meth;
	exchange(&row->ml_meth, (void (*)(void))ours);
	return 0;
}

int watch_named(PyObject *of, const char *name, int flags, PyCFunction ours,
	PyCFunction *theirs)
{
	PyObject *function = PyObject_GetAttrString(of, name);
	int failed = !function || watch_function(function, flags, ours, theirs);

	Py_XDECREF(function);
	PyErr_Clear();
	return failed ? -1 : 0;
}

int watch_fast_named(PyObject *of, const char *name, watch_fast ours, watch_fast *theirs)
{
	return watch_named(of, name, METH_FASTCALL | METH_KEYWORDS,
		(PyCFunction)(void (*)(void))ours, (PyCFunction *)(void *)theirs);
}

PyObject *watch_argument(PyObject *const *given, Py_ssize_t count, PyObject *names,
	Py_ssize_t place, const char *name)
{
	if (count > place)
		return given[place];
	for (Py_ssize_t i = 0; names && i < PyTuple_GET_SIZE(names); i++)
		if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i), name) == 0)
			return given[count + i];
	return NULL;
}

int watch_attribute(PyObject *descriptor, getter our_get, setter our_set,
	getter *their_get, setter *their_set)
{
	PyGetSetDef *row = Py_IS_TYPE(descriptor, &PyGetSetDescr_Type) ?
		((PyGetSetDescrObject *)descriptor)->d_getset : NULL;

	if (row && is_exchanged(&row->get, (void (*)(void))our_get))
		return 0;
	if (!row || !row->get || !row->set)
		return -1;
	*their_get = row->get;
	*their_set = row->set;
	exchange(&row->get, (void (*)(void))our_get);
	exchange(&row->set, (void (*)(void))our_set);
	return 0;
}

static int is_watched(PyObject *key)
{
	if (!PyCFunction_Check(key))
		return 0;
	for (int i = 0; i < word_count; i++)
		if (words[i].place == &((PyCFunctionObject *)key)->m_ml->ml_meth)
			return 1;
	return 0;
}

static int dict_has_watched(PyObject *dict)
{
	PyObject *key;
	Py_ssize_t at = 0;

	while (PyDict_Next(dict, &at, &key, NULL))
		if (is_watched(key))
			return 1;
	return 0;
}

static int list_has_watched(PyObject *list)
{
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++)
		if (is_watched(PyList_GET_ITEM(list, i)))
			return 1;
	return 0;
}

static int fill_dict(PyObject *dict, PyObject *items)
{
	PyDict_Clear(dict);
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); i++) {
		PyObject *pair = PyList_GET_ITEM(items, i);

		if (PyDict_SetItem(dict, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1)))
			return -1;
	}
	return 0;
}

static int fill_set(PyObject *set, PyObject *keys)
{
	PySet_Clear(set);
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(keys); i++)
		if (PySet_Add(set, PyList_GET_ITEM(keys, i)))
			return -1;
	return 0;
}

/* methodobject.c, meth_hash(): a function's hash is of the word that is another one
 * now, so what was made before with such a key would not find it. A frozenset stays as
 * it is. */
static void hash_again(PyObject *object)
{
	PyObject *entries = NULL;
	int failed = 0;

	if (PyDict_CheckExact(object) && dict_has_watched(object)) {
		entries = PyDict_Items(object);
		failed = !entries || fill_dict(object, entries);
	} else if (Py_IS_TYPE(object, &PySet_Type)) {
		entries = PySequence_List(object);
		failed = !entries || (list_has_watched(entries) && fill_set(object, entries));
	}
	Py_XDECREF(entries);
	if (failed)
		talk_refuse("hash watched functions again: %s", imports_traceback());
}

void watch_hash_again(void)
{
	PyObject *objects = gc_view_young();

	for (Py_ssize_t i = 0; objects && i < PyList_GET_SIZE(objects); i++)
		hash_again(PyList_GET_ITEM(objects, i));
	Py_XDECREF(objects);
}

void watch_end(void)
{
	for (int i = word_count; i-- > 0;)
		memcpy(words[i].place, &words[i].theirs, sizeof words[i].theirs);
	watch_hash_again();
	word_count = wanted_count = 0;
}

/* The module stays in the table: an interpreter of its own may make it again. */
static void tell(PyObject *module)
{
	const char *name = PyModule_Check(module) ? PyModule_GetName(module) : NULL;

	for (int i = 0; name && i < wanted_count; i++)
		if (strcmp(wanted[i].name, name) == 0 &&
		    PyInterpreterState_Get() == PyInterpreterState_Main())
			wanted[i].ready(module, 0);
	PyErr_Clear();
}

static PyCFunction exec_builtin, exec_dynamic;

static PyObject *hear_builtin(PyObject *self, PyObject *module)
{
	PyObject *result = exec_builtin(self, module);

	if (result)
		tell(module);
	return result;
}

static PyObject *hear_dynamic(PyObject *self, PyObject *module)
{
	PyObject *result = exec_dynamic(self, module);

	if (result)
		tell(module);
	return result;
}

static void hear(const char *name, PyCFunction ours, PyCFunction *theirs)
{
	PyObject *imp = PyImport_ImportModule("_imp");
	PyObject *function = imp ? PyObject_GetAttrString(imp, name) : NULL;

	if (!function || watch_function(function, METH_O, ours, theirs))
		talk_refuse("prepare _imp.%s: it is not CPython's any more", name);
	Py_DECREF(function);
	Py_DECREF(imp);
}

void watch_start(void)
{
	hear("exec_builtin", hear_builtin, &exec_builtin);
	hear("exec_dynamic", hear_dynamic, &exec_dynamic);
}

void watch_module(const char *name, void (*ready)(PyObject *module, int late))
{
	PyObject *module = PyDict_GetItemString(PyImport_GetModuleDict(), name);

	if (module)
		ready(module, 1);
	if (wanted_count == MODULES)
		talk_refuse("watch module %s: there are too many", name);
	wanted[wanted_count++] = (struct wanted){ name, ready };
}
