/*
 * Files that modules read their settings from when they are imported, the first
 * there is of several: each counts, there or not. The variables that choose among
 * them are guards like all that imports read.
 */
#include "hooks_settings.h"
#include "frames.h"
#include "imports.h"
#include "talk.h"

#include <string.h>

/* ansible/constants.py: ansible.cfg in the working folder, ~/.ansible.cfg and
 * /etc/ansible/ansible.cfg; utils/display.py looks for a cowsay. */
static const char ansible[] =
"import os, sys\n"
"from ansible import constants\n"
"used = constants.CONFIG_FILE\n"
"refused = None\n"
"if used and os.path.abspath(NAME) == used:\n"
"    refused = 'it read %s; build in another folder' % used\n"
"elif used and '{{CWD}}' in open(used, errors='replace').read():\n"
"    refused = '%s has {{CWD}} in it, which is another folder at each start' % used\n"
"files = [NAME, os.path.expanduser('~/.' + NAME), '/etc/ansible/' + NAME]\n"
"files += [used] if used and used not in files else []\n"
"display = sys.modules.get('ansible.utils.display')\n"
"files += display.b_COW_PATHS if display else []\n"
"files = [os.fsencode(file) for file in files]\n";

/* matplotlib/__init__.py: matplotlibrc in the working folder, where MATPLOTLIBRC
 * says, in a folder of the user's, and in /etc; style/core.py: the user's styles. A
 * temporary folder that it made because it could write to no other is not every
 * process's. */
static const char matplotlib[] =
"import os, sys\n"
"import matplotlib\n"
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

/* _distutils_hack, of setuptools, leaves CPython's own build its distutils. */
static const char distutils[] =
"import os\n"
"refused = None\n"
"if os.path.isfile(NAME):\n"
"    refused = 'it found %s; build in another folder' % os.path.abspath(NAME)\n"
"files = [os.fsencode(NAME)]\n";

/* The text, for which NAME is the file in the working folder, sets `files`, bytes, and
 * `refused`: why no image can be made, or None. */
static const struct row {
	const char *module, *name, *file, *code;
	const char *asker;	/* whose code looks for the file */
} rows[] = {
	{ "ansible.constants", "ansible", "ansible.cfg", ansible, "ansible.constants" },
	{ "matplotlib", "matplotlib", "matplotlibrc", matplotlib, "matplotlib" },
	{ "distutils", "distutils", "pybuilddir.txt", distutils, "_distutils_hack" },
};

/* Any frame out to the body of a module. */
static int asks(const char *module)
{
	PyFrameObject *frame = frames_innermost();
	int found = 0, is_body = 0;

	while (frame && !found && !is_body) {
		found = frames_is_of(frame, &module, 1);
		is_body = frames_is_called(frame, "<module>");
		frame = frames_caller(frame);
	}
	Py_XDECREF(frame);
	return found;
}

int hooks_settings_know(const char *file)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].file, file) == 0 && asks(rows[i].asker))
			return 1;
	return 0;
}

static void tell(const struct row *row, void (*put)(const char *key, const char *value))
{
	PyObject *names = Py_BuildValue("{ss}", "NAME", row->file), *files, *refused;

	if (imports_run(row->code, names))
		talk_refuse("find the settings of %s: %s", row->name, imports_traceback());
	refused = PyDict_GetItemString(names, "refused");
	if (refused != Py_None)
		talk_refuse("import %s: %s", row->name, PyUnicode_AsUTF8(refused));
	files = PyDict_GetItemString(names, "files");
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(files); i++)
		put("read", PyBytes_AsString(PyList_GET_ITEM(files, i)));
	Py_DECREF(names);
}

void hooks_settings_files(void (*put)(const char *key, const char *value))
{
	PyObject *modules = PyImport_GetModuleDict();

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (PyDict_GetItemString(modules, rows[i].module))
			tell(&rows[i], put);
}
