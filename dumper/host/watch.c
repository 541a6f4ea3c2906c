/*
 * Watching C functions. Importlib executes each extension module by one of two
 * functions of _imp, which is how it is known that one is there.
 */
#include "watch.h"
#include "imports.h"
#include "talk.h"

#include <string.h>

#define WORDS 32
#define MODULES 8

static struct word {
	void *place;
	void (*theirs)(void);
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
	struct word *word = &words[word_count++];

	word->place = place;
	memcpy(&word->theirs, place, sizeof word->theirs);
	memcpy(place, &ours, sizeof ours);
}

int watch_function(PyObject *function, int flags, PyCFunction ours, PyCFunction *theirs)
{
	PyMethodDef *row = row_of(function);

	if (!row || row->ml_flags != flags || word_count == WORDS)
		return -1;
	*theirs = row->ml_meth;
	exchange(&row->ml_meth, (void (*)(void))ours);
	return 0;
}

int watch_attribute(PyObject *descriptor, getter our_get, setter our_set,
	getter *their_get, setter *their_set)
{
	PyGetSetDef *row = Py_IS_TYPE(descriptor, &PyGetSetDescr_Type) ?
		((PyGetSetDescrObject *)descriptor)->d_getset : NULL;

	if (!row || !row->get || !row->set || word_count > WORDS - 2)
		return -1;
	*their_get = row->get;
	*their_set = row->set;
	exchange(&row->get, (void (*)(void))our_get);
	exchange(&row->set, (void (*)(void))our_set);
	return 0;
}

void watch_end(void)
{
	while (word_count) {
		struct word *last = &words[--word_count];

		memcpy(last->place, &last->theirs, sizeof last->theirs);
	}
	wanted_count = 0;
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
