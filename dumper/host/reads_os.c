/*
 * os.environ while it is watched; see reads_os.h. Lib/os.py: os.environ and
 * os.environb are mappings that keep one dict of bytes as `_data`; all ways to read
 * them end there. What stands in for it passes everything on to the dict, which
 * stays the one that posix.environ names.
 */
#include "reads_os.h"
#include "collector.h"
#include "cpython.h"
#include "reads.h"
#include "talk.h"

#include <stdio.h>
#include <string.h>

struct watcher {
	PyObject_HEAD
	PyObject *dict;
};

static PyObject *watcher;	/* or NULL */
static PyObject *plain_exec;	/* builtins.exec, while ours stands there */

/* --- who reads --- */

static const char *module_of(const void *frame)
{
	PyObject *globals = cpython_frame_globals(frame);
	PyObject *name = globals ? PyDict_GetItemString(globals, "__name__") : NULL;
	const char *text = name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;

	return text ? text : "?";
}

/* Modules by which others read; get_exec_path() looks for a program itself. */
static int passes_on(const char *module, const char *function)
{
	static const char *const names[] = {
		"os", "_collections_abc", "collections.abc", "posixpath", "pathlib", NULL
	};

	for (const char *const *name = names; *name; name++)
		if (strcmp(*name, module) == 0)
			return strcmp(function, "get_exec_path") != 0;
	return 0;
}

static int is_stdlib(const char *file)
{
	PyObject *folder = PySys_GetObject("_stdlib_dir");
	const char *text = folder && PyUnicode_Check(folder) ? PyUnicode_AsUTF8(folder) : NULL;
	size_t length = text ? strlen(text) : 0;

	if (strncmp(file, "<frozen ", 8) == 0)
		return 1;
	return length && strncmp(file, text, length) == 0 && file[length] == '/' &&
		!strstr(file + length, "-packages/");
}

static const char *utf8(PyObject *text)
{
	const char *found = PyUnicode_AsUTF8(text);

	PyErr_Clear();
	return found ? found : "?";
}

/* The frame that reads by others' code (ctypes.util has shutil look for the compiler
 * and tempfile make its output's name), and for people the nearest one that is not
 * the standard library's. Strings are copied: frames go. */
struct reader {
	char module[256], function[128], text[1024];
};

static void look_at(const void *frame, struct reader *reader, int *state)
{
	PyCodeObject *code = cpython_frame_code(frame);
	const char *module = module_of(frame), *file = utf8(code->co_filename);
	const char *function = utf8(code->co_name);

	if (*state == 0 && passes_on(module, function))
		return;
	if (*state == 0 || (*state == 1 && strcmp(module, "ctypes.util") == 0)) {
		snprintf(reader->module, sizeof reader->module, "%s", module);
		snprintf(reader->function, sizeof reader->function, "%s", function);
	}
	if (*state == 0 || !is_stdlib(file))
		snprintf(reader->text, sizeof reader->text, "%s (%s, line %d)", module, file,
			cpython_frame_line(frame));
	*state = is_stdlib(file) ? 1 : 2;
}

static void find_reader(struct reader *reader)
{
	PyObject *type, *value, *trace;
	const void *frame = NULL;
	int state = 0;		/* 1: the reader is known, 2: the one for people, too */

	*reader = (struct reader){ .text = "the interpreter" };
	PyErr_Fetch(&type, &value, &trace);
	while (state < 2 && (frame = cpython_next_frame(frame)))
		look_at(frame, reader, &state);
	PyErr_Restore(type, value, trace);
}

void reads_os_note(const char *name, size_t length, int is_set)
{
	struct reader reader;

	if (!cpython_next_frame(NULL) || reads_is_settled(name, length))
		return;
	find_reader(&reader);
	reads_note(name, length, is_set, &(struct reads_by){
		.module = reader.module, .function = reader.function, .text = reader.text });
}

/* --- what stands in for the dict --- */

static PyObject *dict_of(PyObject *self)
{
	return ((struct watcher *)self)->dict;
}

static void note_key(PyObject *self, PyObject *key)
{
	int is_set;

	if (!PyBytes_Check(key))
		return;
	is_set = PyDict_Contains(dict_of(self), key) == 1;
	PyErr_Clear();
	reads_os_note(PyBytes_AS_STRING(key), (size_t)PyBytes_GET_SIZE(key), is_set);
}

static PyObject *watcher_get(PyObject *self, PyObject *key)
{
	note_key(self, key);
	return PyObject_GetItem(dict_of(self), key);
}

static int watcher_set(PyObject *self, PyObject *key, PyObject *value)
{
	return value ? PyObject_SetItem(dict_of(self), key, value) :
		PyObject_DelItem(dict_of(self), key);
}

static int watcher_contains(PyObject *self, PyObject *key)
{
	note_key(self, key);
	return PySequence_Contains(dict_of(self), key);
}

static Py_ssize_t watcher_length(PyObject *self)
{
	return PyDict_Size(dict_of(self));
}

static PyObject *watcher_iterate(PyObject *self)
{
	reads_os_note(READS_WHOLE, strlen(READS_WHOLE), 1);
	return PyObject_GetIter(dict_of(self));
}

/* Its methods. get, pop and setdefault by name are nobody's; the others go
 * through all of it. */
static PyObject *watcher_attribute(PyObject *self, PyObject *name)
{
	reads_os_note(READS_WHOLE, strlen(READS_WHOLE), 1);
	return PyObject_GetAttr(dict_of(self), name);
}

static void watcher_free(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);

	Py_XDECREF(dict_of(self));
	PyObject_Free(self);
	Py_DECREF(type);
}

static PyType_Slot slots[] = {
	{ Py_mp_subscript, watcher_get },
	{ Py_mp_ass_subscript, watcher_set },
	{ Py_mp_length, watcher_length },
	{ Py_sq_contains, watcher_contains },
	{ Py_tp_iter, watcher_iterate },
	{ Py_tp_getattro, watcher_attribute },
	{ Py_tp_dealloc, watcher_free },
	{ 0, NULL },
};

static PyObject *make_watcher(PyObject *dict)
{
	static PyType_Spec spec = {
		.name = "os._Data", .basicsize = sizeof(struct watcher),
		.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, .slots = slots,
	};
	PyObject *type = PyType_FromSpec(&spec);
	struct watcher *made = type ? PyObject_New(struct watcher, (PyTypeObject *)type) : NULL;

	Py_XDECREF(type);	/* the object keeps it */
	if (!made)
		return NULL;
	Py_INCREF(dict);
	made->dict = dict;
	return (PyObject *)made;
}

/* --- begin and end --- */

/* A mapping of module os, or NULL: "environ" or "environb". A new reference. */
static PyObject *mapping(const char *name)
{
	PyObject *os = PyDict_GetItemString(PyImport_GetModuleDict(), "os");
	PyObject *found = os ? PyObject_GetAttrString(os, name) : NULL;

	PyErr_Clear();
	return found;
}

/* Exchanges a mapping's dict: for the watcher, or the watcher for the dict. */
static void exchange(const char *name, int watched)
{
	PyObject *map = mapping(name), *data;

	data = map ? PyObject_GetAttrString(map, "_data") : NULL;
	if (data && watched && PyDict_CheckExact(data)) {
		if (!watcher)
			watcher = make_watcher(data);
		if (watcher && dict_of(watcher) == data)
			PyObject_SetAttrString(map, "_data", watcher);
	} else if (data && !watched && data == watcher) {
		PyObject_SetAttrString(map, "_data", dict_of(watcher));
	}
	PyErr_Clear();
	Py_XDECREF(data);
	Py_XDECREF(map);
}

static void begin(void)
{
	exchange("environ", 1);
	exchange("environb", 1);
}

/* At first os.environ is posix.environ, the bare dict. */
static int is_made(void)
{
	PyObject *map = mapping("environ");
	int made = map && !PyDict_CheckExact(map);

	Py_XDECREF(map);
	return made;
}

static void put_exec_back(void)
{
	if (plain_exec && PyDict_SetItemString(PyEval_GetBuiltins(), "exec", plain_exec))
		talk_refuse("put builtins.exec back: out of memory");
	Py_CLEAR(plain_exec);
}

/* importlib runs each module's code by builtins.exec, site each line of a .pth
 * file: the first time that os is there when it is done, the watch begins. */
static PyObject *exec_and_look(PyObject *self, PyObject *const *args, Py_ssize_t count,
	PyObject *names)
{
	PyObject *exec = plain_exec, *result;

	(void)self;
	Py_INCREF(exec);
	result = PyObject_Vectorcall(exec, args, (size_t)count, names);
	Py_DECREF(exec);
	if (result && plain_exec && is_made()) {
		struct collector_pause pause = collector_pause();

		begin();
		put_exec_back();
		collector_go_on(pause);
	}
	return result;
}

void reads_os_watch(void)
{
	static PyMethodDef method = {
		"exec", (PyCFunction)(void (*)(void))exec_and_look,
		METH_FASTCALL | METH_KEYWORDS, NULL
	};
	PyObject *builtins = PyEval_GetBuiltins(), *ours;

	if (is_made()) {
		begin();
		return;
	}
	/* Never freed: calls of it go on after the pause, and the collector counts. */
	ours = PyCFunction_New(&method, NULL);
	plain_exec = PyDict_GetItemString(builtins, "exec");
	Py_XINCREF(plain_exec);
	if (!plain_exec || !ours || PyDict_SetItemString(builtins, "exec", ours))
		talk_refuse("watch os.environ: out of memory");
	PyObject_GC_UnTrack(ours);
}

void reads_os_end(void)
{
	put_exec_back();
	exchange("environ", 0);
	exchange("environb", 0);
	Py_CLEAR(watcher);
}
