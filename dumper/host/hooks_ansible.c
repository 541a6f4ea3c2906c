/*
 * ansible/constants.py reads its settings at import, from the first there is of
 * ansible.cfg in the working folder, ~/.ansible.cfg and /etc/ansible/ansible.cfg,
 * and from variables, which are guards like all that imports read. It also makes
 * a temporary folder for the process, whose name holds its pid, and has it removed
 * at the exit. ansible/cli/__init__.py looks whether the streams block, and
 * utils/display.py how wide the terminal is, whether there is a cowsay, and who
 * the user is, for a log that there may be.
 */
#include "hooks_ansible.h"
#include "cpython.h"
#include "imports.h"
#include "talk.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static const char files_code[] =
"import os, sys\n"
"from ansible import constants\n"
"NAME = 'ansible.cfg'\n"
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

/* ensure_type() is what made the folder, and has it removed. */
static const char prepare_code[] =
"import atexit, os, sys\n"
"from ansible import constants\n"
"from ansible.config.manager import cleanup_tmp_file, ensure_type\n"
"folder = os.path.dirname(constants.DEFAULT_LOCAL_TMP)\n"
"cleanup_tmp_file(constants.DEFAULT_LOCAL_TMP)\n"
"atexit.unregister(cleanup_tmp_file)\n"
"display = sys.modules.get('ansible.utils.display')\n"
"logs = display and display.logger and display.FilterUserInjector\n"
"getuser = logs and display.getpass.getuser\n"
"getuid = os.getuid\n"
"display = display and getattr(display.Display, '_Singleton__instance', None)\n"
"if display:\n"
"    display.columns = 79\n"	/* no terminal, as _set_column_width() has it */
"def renew_user():\n"
"    try:\n"
"        logs.username = getuser()\n"
"    except KeyError:\n"
"        logs.username = 'uid=%s' % getuid()\n"
"def resume(terminal):\n"
"    constants.DEFAULT_LOCAL_TMP = ensure_type(folder, 'tmppath')\n"
"    if terminal and display:\n"
"        display._set_column_width()\n"
"    if logs:\n"
"        renew_user()\n";

static PyObject *resume;
static int looks_at_streams;

static PyObject *module(const char *name)
{
	return PyDict_GetItemString(PyImport_GetModuleDict(), name);
}

static PyObject *run(const char *code, const char *what)
{
	PyObject *names = Py_BuildValue("{s:O}", "__builtins__", PyEval_GetBuiltins());
	PyObject *result = names ? PyRun_String(code, Py_file_input, names, names) : NULL;

	if (!result)
		talk_refuse("%s: %s", what, imports_traceback());
	Py_DECREF(result);
	return names;
}

/* A relative path in a variable is one in the working folder. */
int hooks_ansible_renews(const char *name)
{
	if (strcmp(name, "ansible.utils.display") == 0)
		return 1;
	if (strcmp(name, "ansible.constants") != 0)
		return 0;
	for (char **variable = environ; *variable; variable++)
		if (strncmp(*variable, "ANSIBLE_", 8) == 0)
			return 0;
	return 1;
}

void hooks_ansible_files(void (*put)(const char *key, const char *value))
{
	PyObject *names, *files, *refused;

	if (!module("ansible.constants"))
		return;
	names = run(files_code, "find ansible's settings");
	refused = PyDict_GetItemString(names, "refused");
	if (refused != Py_None)
		talk_refuse("import ansible: %s", PyUnicode_AsUTF8(refused));
	files = PyDict_GetItemString(names, "files");
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(files); i++)
		put("read", PyBytes_AsString(PyList_GET_ITEM(files, i)));
	Py_DECREF(names);
}

void hooks_ansible_prepare(void)
{
	PyObject *names;

	looks_at_streams = !!module("ansible.cli");
	if (!module("ansible.constants"))
		return;
	names = run(prepare_code, "prepare ansible for the freeze");
	resume = PyDict_GetItemString(names, "resume");
	Py_INCREF(resume);
	Py_DECREF(names);	/* the function holds it */
}

const char *hooks_ansible_differs(void)
{
	for (int fd = 0; looks_at_streams && fd < 3; fd++) {
		int flags = fcntl(fd, F_GETFL);

		if (flags >= 0 && (flags & O_NONBLOCK))
			return "a standard stream does not block, which ansible refuses";
	}
	return NULL;
}

int hooks_ansible_resume(void)
{
	PyObject *done;

	if (!resume)
		return 0;
	done = PyObject_CallOneArg(resume, isatty(1) ? Py_True : Py_False);
	Py_XDECREF(done);
	return done ? 0 : -1;
}

void hooks_ansible_release(void)
{
	Py_CLEAR(resume);
}
