/*
 * Source files and commands as code; see source.h. python3 compiles a script at
 * each start, and says its warnings each time: code that was made beforehand
 * would not.
 */
#include "source.h"
#include "cpython.h"
#include "imports.h"
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PyObject *rule;		/* that is in front of the filters, or NULL */

/* _warnings.c, get_filter(): the list of the module warnings, where that is
 * imported, else its own, which is the same one to begin with. */
static PyObject *filters(void)
{
	PyObject *module = PyDict_GetItemString(PyImport_GetModuleDict(), "warnings");
	PyObject *list;

	if (module)
		list = PyObject_GetAttrString(module, "filters");
	else
		list = cpython_quiet_attribute("_warnings", "filters");
	if (!list || !PyList_Check(list))
		talk_refuse("look at warnings.filters: %s",
			list ? "it is no list" : imports_traceback());
	return list;
}

/* Filters are cached until they are said to have changed. */
static void tell_changed(void)
{
	PyObject *changed = cpython_quiet_attribute("_warnings", "_filters_mutated");
	PyObject *done = changed ? PyObject_CallNoArgs(changed) : NULL;

	PyErr_Clear();
	Py_XDECREF(changed);
	Py_XDECREF(done);
}

void source_begin_rule(const char *action, PyObject *category, const char *module)
{
	PyObject *list = filters();

	rule = Py_BuildValue("(sOOzi)", action, Py_None, category, module, 0);
	if (!rule || PyList_Insert(list, 0, rule))
		talk_refuse("set warnings.filters: %s", imports_traceback());
	Py_DECREF(list);
	tell_changed();
}

void source_end_rule(void)
{
	PyObject *type, *value, *trace, *list;

	PyErr_Fetch(&type, &value, &trace);
	list = filters();
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++)
		if (PyList_GET_ITEM(list, i) == rule) {
			PySequence_DelItem(list, i);
			break;
		}
	Py_DECREF(list);
	Py_CLEAR(rule);
	tell_changed();
	PyErr_Restore(type, value, trace);
}

/* All of a file, with a NUL behind. */
static char *read_file(const char *name, size_t *size)
{
	FILE *file = fopen(name, "rbe"), *out;
	char *text = NULL, block[65536];
	size_t n;

	if (!file)
		talk_refuse("read the entry %s: %m", name);
	out = open_memstream(&text, size);
	while (out && (n = fread(block, 1, sizeof block, file)))
		fwrite(block, 1, n, out);
	if (ferror(file))
		talk_refuse("read the entry %s: %m", name);
	if (!out || fclose(out))
		talk_refuse("out of memory");
	fclose(file);
	return text;
}

/* pythonrun.c, maybe_pyc_file() */
static int is_bytecode(const char *name, const char *text, size_t size)
{
	size_t length = strlen(name);
	long magic = PyImport_GetMagicNumber();

	if (length > 4 && strcmp(name + length - 4, ".pyc") == 0)
		return 1;
	return size >= 2 && (unsigned char)text[0] == (magic & 0xff) &&
		(unsigned char)text[1] == (magic >> 8 & 0xff);
}

static PyObject *compile(const char *text, PyObject *filename, int flags)
{
	PyCompilerFlags all = { .cf_flags = flags, .cf_feature_version = PY_MINOR_VERSION };

	return Py_CompileStringObject(text, filename, Py_file_input, &all, -1);
}

static PyObject *compile_under(const char *action, const char *text, PyObject *filename,
	int flags)
{
	PyObject *code;

	source_begin_rule(action, PyExc_Warning, NULL);
	code = compile(text, filename, flags);
	source_end_rule();
	return code;
}

PyObject *source_compile_file(const char *name, PyObject *filename)
{
	size_t size = 0;
	char *text = read_file(name, &size);
	PyObject *code = NULL, *again = NULL;

	if (is_bytecode(name, text, size)) {
		free(text);
		return NULL;
	}
	/* the parser of strings ends at a NUL, that of files does not */
	if (strlen(text) != size)
		talk_refuse("entry %s: it is no Python program: it holds NUL bytes", name);
	code = compile_under("error", text, filename, 0);
	PyErr_Clear();
	if (!code)
		again = compile_under("ignore", text, filename, 0);
	if (!code && !again)
		talk_refuse("entry %s: it is no Python program that this interpreter "
			"can compile\n%s", name, imports_traceback());
	Py_XDECREF(again);
	free(text);
	return code;
}

PyObject *source_compile_command(const char *command)
{
	PyObject *filename = PyUnicode_FromString("<string>"), *code = NULL;
	char *text = strdup(command);

	if (filename && text) {
		cpython_dedent(text);
		code = compile_under("error", text, filename, PyCF_IGNORE_COOKIE);
	}
	PyErr_Clear();
	Py_XDECREF(filename);
	free(text);
	return code;
}
