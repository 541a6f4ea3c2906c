/*
 * What a program can ask of its image, and the way to register hooks. The modules
 * come before the packages of the same names for plain python3 (python/) wherever
 * those are on sys.path. No object of theirs exists until something imports them.
 */
#include "pyimage.h"
#include "callbacks.h"
#include "image_check.h"
#include "imports.h"
#include "patches.h"
#include "talk.h"
#include "versions/module_slots.h"

#include <marshal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double frozen_at;	/* seconds since 1970 */

/* ------------------------------------------------------------ info() */

/* Takes the reference to `value`. */
static int put(PyObject *dict, const char *key, PyObject *value)
{
	int failed = !value || PyDict_SetItemString(dict, key, value);

	Py_XDECREF(value);
	return failed ? -1 : 0;
}

static int append(PyObject *dict, const char *key, const char *text)
{
	PyObject *list = PyDict_GetItemString(dict, key);
	PyObject *value = PyUnicode_DecodeFSDefault(text);
	int failed = !value || !list || PyList_Append(list, value);

	Py_XDECREF(value);
	return failed ? -1 : 0;
}

/* The mapping's file as the kernel knows it, also where pyimage mapped it. */
static PyObject *path_of_image(void)
{
	char *line = NULL, *path, *end;
	size_t size = 0;
	FILE *maps = fopen("/proc/self/maps", "re");
	PyObject *found = NULL;

	while (!found && maps && getline(&line, &size, maps) > 0) {
		if (strtoull(line, NULL, 16) != IMAGE_META_BASE || !(path = strchr(line, '/')))
			continue;
		path[strcspn(path, "\n")] = 0;
		end = strstr(path, " (deleted)");
		if (end && !end[strlen(" (deleted)")])
			*end = 0;
		found = PyUnicode_DecodeFSDefault(path);
	}
	free(line);
	if (maps)
		fclose(maps);
	if (!found)
		PyErr_Clear();
	return found ? found : Py_NewRef(Py_None);
}

/* Lines of the report (pyimage(5)) that are shown; the others are not. */
static const struct {
	const char *key;	/* with its '=' */
	const char *name;	/* in the dict */
	enum { TEXT, LIST, COUNT } kind;
} shown[] = {
	{ "version=", "version", TEXT },
	{ "executable=", "executable", TEXT },
	{ "entry=", "entry", TEXT },
	{ "option=", "options", LIST },
	{ "import=", "imports", LIST },
	{ "warmup=", "warmups", LIST },
	{ "module=", "modules", COUNT },
};

#define SHOWN (sizeof shown / sizeof *shown)

static int put_line(PyObject *dict, const char *line, long *modules)
{
	for (size_t i = 0; i < SHOWN; i++) {
		const char *value = line + strlen(shown[i].key);

		if (strncmp(line, shown[i].key, strlen(shown[i].key)))
			continue;
		switch (shown[i].kind) {
		case TEXT:
			return put(dict, shown[i].name, PyUnicode_DecodeFSDefault(value));
		case LIST:
			return append(dict, shown[i].name, value);
		case COUNT:
			++*modules;
		}
	}
	return 0;
}

/* The image's first page was found sound by the code that entered it. */
static int put_report(PyObject *dict)
{
	const char *meta = (const char *)IMAGE_META_BASE;
	const struct image_header *header = image_header(meta, IMAGE_PAGE);
	const char *line = header ? image_rows(meta, &header->report) : NULL;
	const char *end = header ? line + header->report.count : NULL;
	long modules = 0;

	while (line < end) {
		size_t length = strnlen(line, (size_t)(end - line));

		if (line + length == end || put_line(dict, line, &modules))
			break;
		line += length + 1;
	}
	return PyErr_Occurred() ? -1 : put(dict, "modules", PyLong_FromLong(modules));
}

static PyObject *info(PyObject *self, PyObject *unused)
{
	PyObject *dict;
	int failed;

	(void)self;
	(void)unused;
	if (!callbacks_is_restored())
		Py_RETURN_NONE;
	dict = PyDict_New();
	if (!dict)
		return NULL;
	failed = put(dict, "path", path_of_image()) ||
		put(dict, "built", PyFloat_FromDouble(frozen_at)) ||
		put(dict, "entry", Py_NewRef(Py_None));
	for (size_t i = 0; i < SHOWN && !failed; i++)
		if (shown[i].kind == LIST)
			failed = put(dict, shown[i].name, PyList_New(0));
	if (!failed && !put_report(dict))
		return dict;
	Py_DECREF(dict);
	return NULL;
}

/* ------------------------------------------------------------ the others */

static PyObject *is_building(PyObject *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	return PyBool_FromLong(callbacks_is_building());
}

static PyObject *is_restored(PyObject *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	return PyBool_FromLong(callbacks_is_restored());
}

static PyObject *take(enum callbacks_moment moment, PyObject *arguments, PyObject *keywords)
{
	PyObject *function, *rest;
	int failed;

	if (!PyTuple_GET_SIZE(arguments)) {
		PyErr_SetString(PyExc_TypeError, "a function to register is missing");
		return NULL;
	}
	function = PyTuple_GET_ITEM(arguments, 0);
	rest = PyTuple_GetSlice(arguments, 1, PyTuple_GET_SIZE(arguments));
	failed = !rest || callbacks_register(moment, function, rest, keywords);
	Py_XDECREF(rest);
	return failed ? NULL : Py_NewRef(function);
}

static PyObject *register_before(PyObject *self, PyObject *arguments, PyObject *keywords)
{
	(void)self;
	return take(CALLBACKS_BEFORE, arguments, keywords);
}

static PyObject *register_after(PyObject *self, PyObject *arguments, PyObject *keywords)
{
	(void)self;
	return take(CALLBACKS_AFTER, arguments, keywords);
}

#define REGISTER_DOC(name, when) name "($module, func, /, *args, **kwargs)\n--\n\n" when

#define REGISTERS \
	{ "register_before_snapshot", (PyCFunction)(void (*)(void))register_before, \
		METH_VARARGS | METH_KEYWORDS, REGISTER_DOC("register_before_snapshot", \
		"Call func(*args, **kwargs) before the process is frozen, those that were\n" \
		"registered last first. The build is refused if it raises an exception.\n" \
		"Returns func, so it can be used as a decorator.") }, \
	{ "register_after_restore", (PyCFunction)(void (*)(void))register_after, \
		METH_VARARGS | METH_KEYWORDS, REGISTER_DOC("register_after_restore", \
		"Call func(*args, **kwargs) in each process of the image, before the\n" \
		"program, those that were registered first first. If it raises an exception,\n" \
		"that is printed, and the program does not start. In a restored process\n" \
		"nothing is registered. Returns func, so it can be used as a decorator.") }

static PyMethodDef methods[] = {
	{ "is_building", is_building, METH_NOARGS, "is_building($module, /)\n--\n\n"
		"Whether this is pydump build, before the freeze." },
	{ "is_restored", is_restored, METH_NOARGS, "is_restored($module, /)\n--\n\n"
		"Whether this process was restored from an image." },
	{ "info", info, METH_NOARGS, "info($module, /)\n--\n\n"
		"What is known of the image that this process was restored from: a dict\n"
		"with path, version, executable, built (seconds since 1970), entry,\n"
		"options, imports, warmups and modules (their number). None if there is none." },
	REGISTERS,
	{ 0 },
};

static PyMethodDef other_methods[] = { REGISTERS, { 0 } };

static const char doc[] =
	"The image that this process was restored from, and hooks that run before the\n"
	"freeze and after each restore. See pyimage(7).";
static const char other_doc[] =
	"The hooks of module pyimage, under the names of hosted snapshots. See\n"
	"pyimage(7).";

/* ------------------------------------------------------------ importing them */

/* Makes one of them out of a module that is empty. */
static PyObject *fill(PyObject *self, PyObject *module)
{
	const char *name = PyModule_GetName(module);
	int other = name && strcmp(name, "pyimage");

	(void)self;
	if (!name || PyModule_AddFunctions(module, other ? other_methods : methods) ||
	    PyModule_SetDocString(module, other ? other_doc : doc))
		return NULL;
	Py_RETURN_NONE;
}

static PyMethodDef filler_methods[] = { { "fill", fill, METH_O, NULL }, { 0 } };

#define FILLER "_pyimage"

/* Its state is the main interpreter's, and is only read by others. */
static struct PyModuleDef filler = {
	PyModuleDef_HEAD_INIT, .m_name = FILLER, .m_methods = filler_methods,
	.m_slots = module_slots,
};

static PyObject *make_filler(void)
{
	return PyModuleDef_Init(&filler);
}

/* importlib imports what PyImport_FrozenModules names, before it looks at sys.path,
 * and tells nobody of it; a built-in module it only makes where
 * sys.builtin_module_names has it. So the code that is "frozen" in CPython's sense
 * makes the one by its table's entry alone. __file__, which FrozenImporter sets,
 * would be a file of the standard library that does not exist. */
static const char source[] =
	"import _imp, sys\n"
	"_imp.create_builtin(type(sys.implementation)(name='" FILLER "')).fill("
	"sys.modules[__name__])\n"
	"del _imp, sys\n"
	"globals().pop('__file__', None)\n";

static struct _frozen frozen[] = {
	{ .name = "pyimage" }, { .name = "snapshot_restore_py" }, { .name = NULL },
};

/* _imp._frozen_module_names(): what CPython's own tables have. */
static PyMethodDef *names_row;
static PyCFunction all_names;

static PyObject *names_of_pythons(PyObject *self, PyObject *unused)
{
	PyObject *list = all_names(self, unused);

	for (Py_ssize_t i = list && PyList_Check(list) ? PyList_GET_SIZE(list) : 0; i-- > 0;)
		for (const struct _frozen *one = frozen; one->name; one++)
			if (PyUnicode_CompareWithASCIIString(PyList_GET_ITEM(list, i),
					one->name) == 0) {
				PyList_SetSlice(list, i, i + 1, NULL);
				break;
			}
	return list;
}

static void find_names_row(void)
{
	PyObject *module = imports_private("_imp");
	PyObject *function = PyObject_GetAttrString(module, "_frozen_module_names");

	if (function && PyCFunction_Check(function) &&
	    PyCFunction_GET_FLAGS(function) == METH_NOARGS) {
		names_row = ((PyCFunctionObject *)function)->m_ml;
		all_names = names_row->ml_meth;
	}
	PyErr_Clear();
	Py_XDECREF(function);
	Py_DECREF(module);
}

void pyimage_add(void)
{
	if (PyImport_AppendInittab(FILLER, make_filler))
		talk_refuse("start the interpreter: out of memory");
}

static PyObject *names_without_filler(void)
{
	PyObject *names = PySys_GetObject("builtin_module_names"), *tuple = NULL;
	PyObject *list = names ? PySequence_List(names) : NULL;

	for (Py_ssize_t i = list ? PyList_GET_SIZE(list) - 1 : -1; i >= 0; i--)
		if (PyUnicode_CompareWithASCIIString(PyList_GET_ITEM(list, i), FILLER) == 0)
			PyList_SetSlice(list, i, i + 1, NULL);
	if (list)
		tuple = PyList_AsTuple(list);
	Py_XDECREF(list);
	return tuple;
}

static unsigned char *compiled(Py_ssize_t *size)
{
	PyObject *code = Py_CompileString(source, "<pyimage>", Py_file_input);
	PyObject *bytes = code ? PyMarshal_WriteObjectToString(code, Py_MARSHAL_VERSION) : NULL;
	unsigned char *copy = bytes ? malloc((size_t)PyBytes_GET_SIZE(bytes)) : NULL;

	if (copy) {
		*size = PyBytes_GET_SIZE(bytes);
		memcpy(copy, PyBytes_AS_STRING(bytes), (size_t)*size);
	}
	Py_XDECREF(bytes);
	Py_XDECREF(code);
	return copy;
}

void pyimage_show(void)
{
	Py_ssize_t size = 0;
	unsigned char *code = compiled(&size);
	PyObject *names = names_without_filler();

	if (!code || !names || PySys_SetObject("builtin_module_names", names))
		talk_refuse("prepare module pyimage: out of memory");
	Py_DECREF(names);
	for (struct _frozen *one = frozen; one->name; one++) {
		one->code = code;
		one->size = (int)size;
	}
	PyImport_FrozenModules = frozen;
	find_names_row();
}

void pyimage_freeze(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	frozen_at = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
	if (names_row)
		patches_add_word((uint64_t)&names_row->ml_meth, (uint64_t)names_of_pythons);
}
