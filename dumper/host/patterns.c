/*
 * Patterns; see patterns.h. Lib/re/__init__.py, 3.11 to 3.15: re keeps up to 512 of
 * them in the dict _cache, by (type, pattern, flags), in the order of their last use
 * or first. Which of them are there shows in nothing but the time.
 */
#include "patterns.h"
#include "imports.h"
#include "talk.h"

#include <stdlib.h>
#include <string.h>

#define MOST 512		/* re's own limit */
#define LONGEST 8192		/* bytes of a pattern */

static PyObject *told;		/* set of keys */
static unsigned long long version = ~0ull;	/* of the cache at the last look */

/* Borrowed; NULL: re is not there, or not as it is known. */
static PyObject *re_module(void)
{
	PyObject *modules = PyImport_GetModuleDict();
	PyObject *module = modules ? PyDict_GetItemString(modules, "re") : NULL;

	return module && PyModule_Check(module) ? module : NULL;
}

static PyObject *re_cache(void)
{
	PyObject *module = re_module();
	PyObject *cache = module ?
		PyDict_GetItemString(PyModule_GetDict(module), "_cache") : NULL;

	return cache && PyDict_CheckExact(cache) ? cache : NULL;
}

/* Of subclasses of str and bytes, nobody knows how they are made, and what they are
 * asked for may be the program's code. */
static int is_plain(PyObject *key)
{
	PyObject *pattern;

	if (!PyTuple_CheckExact(key) || PyTuple_GET_SIZE(key) != 3)
		return 0;
	pattern = PyTuple_GET_ITEM(key, 1);
	return (PyUnicode_CheckExact(pattern) || PyBytes_CheckExact(pattern)) &&
		PyTuple_GET_ITEM(key, 0) == (PyObject *)Py_TYPE(pattern) &&
		PyLong_CheckExact(PyTuple_GET_ITEM(key, 2));
}

static PyObject *bytes_of(PyObject *pattern)
{
	return PyBytes_CheckExact(pattern) ? Py_NewRef(pattern) :
		PyUnicode_AsEncodedString(pattern, "utf-8", "surrogatepass");
}

static PyObject *describe(PyObject *key)
{
	PyObject *pattern = PyTuple_GET_ITEM(key, 1), *flags = PyTuple_GET_ITEM(key, 2);
	PyObject *bytes = bytes_of(pattern), *hex = NULL, *text = NULL;

	if (bytes && PyBytes_GET_SIZE(bytes) <= LONGEST)
		hex = PyObject_CallMethod(bytes, "hex", NULL);
	if (hex)
		text = PyUnicode_FromFormat("pattern=%S\t%s\t%U", flags,
			PyBytes_CheckExact(pattern) ? "bytes" : "str", hex);
	Py_XDECREF(hex);
	Py_XDECREF(bytes);
	return text;
}

void patterns_look(void (*tell)(PyObject *text))
{
	PyObject *cache = re_cache(), *keys;
	unsigned long long now = cache ? cpython_dict_version(cache) : version;

	if (now == version)
		return;
	version = now;
	if (!told)
		told = PySet_New(NULL);
	keys = told ? PyDict_Keys(cache) : NULL;
	for (Py_ssize_t i = 0; keys && i < PyList_GET_SIZE(keys); i++) {
		PyObject *key = PyList_GET_ITEM(keys, i);

		if (PySet_GET_SIZE(told) == MOST || !is_plain(key) ||
		    PySet_Contains(told, key) || PySet_Add(told, key))
			continue;
		tell(describe(key));
	}
	PyErr_Clear();
	Py_XDECREF(keys);
}

/* --- in the build --- */

static PyObject *pattern_of(const char *kind, const char *hex)
{
	PyObject *bytes = PyObject_CallMethod((PyObject *)&PyBytes_Type, "fromhex", "s", hex);
	PyObject *pattern = bytes;

	if (bytes && strcmp(kind, "str") == 0) {
		pattern = PyUnicode_FromEncodedObject(bytes, "utf-8", "surrogatepass");
		Py_DECREF(bytes);
	}
	return pattern;
}

/* A module may have put one of its own there, which runs its code. */
static PyObject *compile_of(PyObject *module)
{
	PyObject *names = PyModule_GetDict(module);
	PyObject *function = PyDict_GetItemString(names, "compile");

	return function && PyFunction_Check(function) &&
		PyFunction_GET_GLOBALS(function) == names ? function : NULL;
}

static void compile(PyObject *function, char *line)
{
	char *kind = strchr(line, '\t'), *hex = kind ? strchr(kind + 1, '\t') : NULL;
	PyObject *pattern, *compiled = NULL;

	if (!hex)
		talk_refuse("pydump sent a pattern without two tabs");
	*kind++ = *hex++ = 0;
	pattern = pattern_of(kind, hex);
	if (pattern)
		compiled = PyObject_CallFunction(function, "OL", pattern,
			strtoll(line, NULL, 10));
	PyErr_Clear();
	Py_XDECREF(compiled);
	Py_XDECREF(pattern);
}

/* A pattern that warns does so when it is compiled, each time in the same words, but
 * not when it was kept. re imports module warnings for that, which fails here; then
 * the pattern is not kept. */
void patterns_compile(char **lines)
{
	PyObject *modules = PyImport_GetModuleDict(), *module = re_module(), *warnings;
	PyObject *function = module ? compile_of(module) : NULL;

	if (!*lines || !function)
		return;
	talk_progress("compiling patterns");
	warnings = Py_XNewRef(PyDict_GetItemString(modules, "warnings"));
	if (PyDict_SetItemString(modules, "warnings", Py_None))
		talk_refuse("compile patterns: %s", imports_traceback());
	for (; *lines; lines++)
		compile(function, *lines);
	if (warnings ? PyDict_SetItemString(modules, "warnings", warnings) :
	    PyDict_DelItemString(modules, "warnings"))
		talk_refuse("compile patterns: %s", imports_traceback());
	Py_XDECREF(warnings);
}
