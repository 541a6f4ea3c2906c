/*
 * matplotlib/__init__.py reads its settings at its import, from the first there is
 * of matplotlibrc in the working folder, where MATPLOTLIBRC says, in a folder of
 * the user's, and in /etc; style/core.py reads the user's styles. The variables
 * that choose among them are guards like all that imports read. A temporary folder
 * that it made because it could write to no other is not every process's.
 */
#include "hooks_matplotlib.h"
#include "cpython.h"
#include "imports.h"
#include "talk.h"

static const char code[] =
"import os, sys\n"
"import matplotlib\n"
"NAME = 'matplotlibrc'\n"
"used = matplotlib.matplotlib_fname()\n"
"config = matplotlib.get_configdir()\n"
"refused = None\n"
"if used == NAME:\n"
"    refused = 'it read %s; build in another folder' % os.path.abspath(NAME)\n"
"elif os.path.basename(config).startswith('matplotlib-'):\n"
"    refused = ('it made a temporary folder for its settings, ' + config + '; let HOME, or '\n"
"               'MPLCONFIGDIR with --keep-env, name a folder that it may write to')\n"
"files = [NAME, os.path.join(config, NAME), os.path.abspath(used)]\n"
"if 'matplotlib.style.core' in sys.modules:\n"
"    styles = os.path.join(config, 'stylelib')\n"
"    files.append(styles)\n"
"    if os.path.isdir(styles):\n"
"        files += [os.path.join(styles, name) for name in os.listdir(styles)]\n"
"files = [os.fsencode(file) for file in files]\n";

void hooks_matplotlib_files(void (*put)(const char *key, const char *value))
{
	PyObject *names, *result, *files, *refused;

	if (!PyDict_GetItemString(PyImport_GetModuleDict(), "matplotlib"))
		return;
	names = Py_BuildValue("{s:O}", "__builtins__", PyEval_GetBuiltins());
	result = names ? PyRun_String(code, Py_file_input, names, names) : NULL;
	if (!result)
		talk_refuse("find matplotlib's settings: %s", imports_traceback());
	refused = PyDict_GetItemString(names, "refused");
	if (refused != Py_None)
		talk_refuse("import matplotlib: %s", PyUnicode_AsUTF8(refused));
	files = PyDict_GetItemString(names, "files");
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(files); i++)
		put("read", PyBytes_AsString(PyList_GET_ITEM(files, i)));
	Py_DECREF(result);
	Py_DECREF(names);
}
