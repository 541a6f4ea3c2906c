/*
 * sys.argv while modules are imported; see arguments.h. The list itself stands under
 * another type meanwhile, a subtype of list without anything of its own, whose slots
 * tell of each question. So do the lists that are made of it by a slice or a sum: they
 * are kept, and each run fills them in.
 */
#include "arguments.h"
#include "asked.h"
#include "cpython.h"
#include "enter.h"
#include "environment.h"
#include "handoff.h"
#include "imports.h"
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* argv[slice] + more */
static struct made {
	PyObject *list, *slice, *more;
	char *asker;
} *made;
static size_t made_count;

/* Words that were looked for, and not found. */
static char **words;
static size_t word_count;

static char *word_asker, *name_asker, *asker;	/* the first module; NULL: none */
static PyObject *watched;			/* sys.argv, as long as it is watched */
static PyTypeObject *type;

static void keep_first(char **asks, const char *name)
{
	if (!*asks && *name)
		*asks = asked_copy(name);
}

static void *grown(void *array, size_t count, size_t size)
{
	void *more = realloc(array, (count + 1) * size);

	if (!more)
		talk_refuse("out of memory");
	return more;
}

/* The answer depends on all words but the program's name. */
static void note_words(void)
{
	keep_first(&asker, asked_module());
}

static void note_name(void)
{
	keep_first(&name_asker, asked_module());
}

static void note(void)
{
	note_words();
	note_name();
}

/* Each object of a type that is on the heap holds it (object.c). */
static void watch(PyObject *list)
{
	Py_INCREF(type);
	Py_SET_TYPE(list, type);
}

static void unwatch(PyObject *list)
{
	Py_SET_TYPE(list, &PyList_Type);
	Py_DECREF(type);
}

/* New lists, watched as well, are what comes of sys.argv itself only. */
static PyObject *make(PyObject *list, PyObject *slice, PyObject *more)
{
	const char *name = asked_module();

	if (!list || !*name)
		return list;
	made = grown(made, made_count, sizeof *made);
	made[made_count++] = (struct made){ Py_NewRef(list), Py_NewRef(slice),
		Py_XNewRef(more), asked_copy(name) };
	watch(list);
	return list;
}

static PyObject *get(PyObject *self, PyObject *key)
{
	PyObject *result = PyList_Type.tp_as_mapping->mp_subscript(self, key);

	if (self == watched && PySlice_Check(key))
		return make(result, key, NULL);
	if (self == watched && PyLong_Check(key) && PyLong_AsSsize_t(key) == 0)
		note_name();
	else
		note();
	return result;
}

static PyObject *get_item(PyObject *self, Py_ssize_t at)
{
	if (self == watched && at == 0)
		note_name();
	else
		note();
	return PyList_Type.tp_as_sequence->sq_item(self, at);
}

static Py_ssize_t length(PyObject *self)
{
	note_words();
	return PyList_GET_SIZE(self);
}

static void note_word(const char *word)
{
	const char *name = asked_module();

	if (!*name)
		return;
	keep_first(&word_asker, name);
	words = grown(words, word_count, sizeof *words);
	words[word_count++] = asked_copy(word);
}

static int contains(PyObject *self, PyObject *word)
{
	int found = PyList_Type.tp_as_sequence->sq_contains(self, word);
	PyObject *bytes = !found && PyUnicode_CheckExact(word) ?
		PyUnicode_EncodeFSDefault(word) : NULL;

	if (bytes)
		note_word(PyBytes_AS_STRING(bytes));
	else if (found <= 0)
		note();
	else
		note_name();
	if (found >= 0)
		PyErr_Clear();
	Py_XDECREF(bytes);
	return found;
}

static PyObject *concatenate(PyObject *self, PyObject *more)
{
	PyObject *sum = PyList_Type.tp_as_sequence->sq_concat(self, more), *all, *copy;

	if (!sum || self != watched) {
		note();
		return sum;
	}
	all = PySlice_New(NULL, NULL, NULL);
	copy = PySequence_List(more);
	if (!all || !copy)
		Py_CLEAR(sum);
	else
		sum = make(sum, all, copy);
	Py_XDECREF(all);
	Py_XDECREF(copy);
	return sum;
}

/* An ordinary list before a "+" (abstract.c, PyNumber_Add) asks nothing of ours behind
 * it, unless that has a way of its own to be added; then goes on. */
static PyObject *add(PyObject *left, PyObject *right)
{
	(void)left;
	if (Py_IS_TYPE(right, type))
		note();
	Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *repeat(PyObject *self, Py_ssize_t times)
{
	note();
	return PyList_Type.tp_as_sequence->sq_repeat(self, times);
}

/* copy.copy() and its like make another one of the same type. */
static PyObject *make_new(PyTypeObject *ours, PyObject *arguments, PyObject *names)
{
	(void)ours;
	return PyObject_Call((PyObject *)&PyList_Type, arguments, names);
}

static PyObject *reverse(PyObject *self, PyObject *none)
{
	PyObject *method = PyObject_GetAttrString((PyObject *)&PyList_Type, "__reversed__");
	PyObject *result = method ? PyObject_CallOneArg(method, self) : NULL;

	(void)none;
	note();
	Py_XDECREF(method);
	return result;
}

static PyObject *iterate(PyObject *self)
{
	note();
	return PyList_Type.tp_iter(self);
}

static PyObject *compare(PyObject *self, PyObject *other, int how)
{
	note();
	return PyList_Type.tp_richcompare(self, other, how);
}

static PyObject *show(PyObject *self)
{
	note();
	return PyList_Type.tp_repr(self);
}

/* copy(), index(), pop(). isinstance() looks at __class__ where the type alone does not
 * say yes (abstract.c), and that tells of no word. */
static PyObject *attribute(PyObject *self, PyObject *name)
{
	if (PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, "__class__") == 0)
		return Py_NewRef(&PyList_Type);
	note();
	return PyObject_GenericGetAttr(self, name);
}

/* The others are asked for as attributes; this one not by reversed(). */
static PyMethodDef methods[] = {
	{ "__reversed__", reverse, METH_NOARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

static PyType_Slot slots[] = {
	{ Py_tp_new, make_new },
	{ Py_tp_methods, methods },
	{ Py_nb_add, add },
	{ Py_sq_repeat, repeat },
	{ Py_mp_subscript, get },
	{ Py_mp_length, length },
	{ Py_sq_item, get_item },
	{ Py_sq_length, length },
	{ Py_sq_contains, contains },
	{ Py_sq_concat, concatenate },
	{ Py_tp_iter, iterate },
	{ Py_tp_richcompare, compare },
	{ Py_tp_repr, show },
	{ Py_tp_getattro, attribute },
	{ 0, NULL },
};

void arguments_watch(void)
{
	PyType_Spec spec = { .name = "builtins.list", .flags = Py_TPFLAGS_DEFAULT, .slots = slots };
	PyObject *argv = PySys_GetObject("argv");

	type = (PyTypeObject *)PyType_FromSpecWithBases(&spec, (PyObject *)&PyList_Type);
	if (!type || !argv || !PyList_CheckExact(argv))
		talk_refuse("watch sys.argv: %s", imports_traceback());
	watched = Py_NewRef(argv);
	watch(watched);
}

static void drop(struct made *m)
{
	Py_CLEAR(m->list);
	Py_CLEAR(m->slice);
	Py_CLEAR(m->more);
	free(m->asker);
}

/* What this one is where sys.argv is `argv`; a new reference. */
static PyObject *value_of(const struct made *m, PyObject *argv)
{
	PyObject *value = PyObject_GetItem(argv, m->slice);

	if (value && m->more &&
	    PyList_SetSlice(value, PyList_GET_SIZE(value), PyList_GET_SIZE(value), m->more))
		Py_CLEAR(value);
	return value;
}

/* Only what a module still has, and has not changed, is filled in. */
static void settle(struct made *m)
{
	PyObject *value;
	int same;

	unwatch(m->list);
	if (Py_REFCNT(m->list) == 1) {
		drop(m);
		return;
	}
	value = value_of(m, watched);
	same = value ? PyObject_RichCompareBool(m->list, value, Py_EQ) : -1;
	Py_XDECREF(value);
	if (same > 0)
		return;
	PyErr_Clear();
	keep_first(&asker, m->asker);
	drop(m);
}

void arguments_end(void)
{
	size_t kept = 0;

	unwatch(watched);
	for (size_t i = 0; i < made_count; i++) {
		settle(&made[i]);
		if (made[i].list)
			made[kept++] = made[i];
	}
	made_count = kept;
	Py_CLEAR(watched);
	Py_CLEAR(type);
}

void arguments_report(void (*put)(const char *key, const char *value))
{
	if (asker)
		asked_need(put, "no arguments (module %s asked for sys.argv)", asker);
	for (size_t i = 0; i < word_count; i++)
		asked_need(put, "no argument %s (module %s asked for sys.argv)", words[i],
			word_asker);
	if (name_asker && !handoff.entry_mode)
		asked_need(put, "no command, module or file to run (module %s asked for "
			"sys.argv)", name_asker);
}

static const char *say(const char *name)
{
	static char text[384];

	snprintf(text, sizeof text, "arguments, which module %s asked for while it was "
		"imported", name);
	return text;
}

const char *arguments_name(const struct startup *startup)
{
	return startup->mode == STARTUP_COMMAND ? "-c" :
		startup->mode == STARTUP_MODULE ? "-m" :
		startup->mode == STARTUP_FILE ? startup->what : "";
}

static int looked_for(const char *word)
{
	for (size_t i = 0; i < word_count; i++)
		if (strcmp(word, words[i]) == 0)
			return 1;
	return 0;
}

/* An entry's name was there while its modules were imported (entry.c); else it was
 * empty, as where python3 prompts. */
static const char *name_differs(const struct startup *startup)
{
	const char *name = arguments_name(startup);

	if ((!name_asker && !word_count) || startup->by_entry || !*name ||
	    environment_is_trial())
		return NULL;
	return name_asker ? say(name_asker) : looked_for(name) ? say(word_asker) : NULL;
}

const char *arguments_differ(const struct startup *startup)
{
	if (asker && startup->argc > startup->rest)
		return say(asker);
	for (int i = startup->rest; i < startup->argc; i++)
		if (looked_for(startup->argv[i]))
			return say(word_asker);
	return name_differs(startup);
}

int arguments_resume(PyObject *argv)
{
	for (size_t i = 0; i < made_count; i++) {
		PyObject *list = made[i].list, *value = value_of(&made[i], argv);
		int same = value ? PyObject_RichCompareBool(list, value, Py_EQ) : -1;

		if (!same)
			same = PyList_SetSlice(list, 0, PyList_GET_SIZE(list), value);
		Py_XDECREF(value);
		if (same < 0)
			return -1;
	}
	return 0;
}

void arguments_release(void)
{
	for (size_t i = 0; i < made_count; i++)
		drop(&made[i]);
	made_count = 0;
}
