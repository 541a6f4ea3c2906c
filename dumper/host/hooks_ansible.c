/*
 * ansible/constants.py makes a temporary folder for the process, whose name holds its pid, and has it removed
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

/* A relative path in a variable is one in the working folder. ansible.cli's body makes
 * the Display, whose width and user are renewed. */
int hooks_ansible_renews(const char *name)
{
	if (strcmp(name, "ansible.utils.display") == 0 || strcmp(name, "ansible.cli") == 0)
		return 1;
	if (strcmp(name, "ansible.constants") != 0)
		return 0;
	for (char **variable = environ; *variable; variable++)
		if (strncmp(*variable, "ANSIBLE_", 8) == 0)
			return 0;
	return 1;
}

void hooks_ansible_prepare(void)
{
	PyObject *names = PyDict_New();

	looks_at_streams = !!module("ansible.cli");
	if (module("ansible.constants") && imports_run(prepare_code, names))
		talk_refuse("prepare ansible for the freeze: %s", imports_traceback());
	resume = names ? PyDict_GetItemString(names, "resume") : NULL;
	Py_XINCREF(resume);
	Py_XDECREF(names);	/* the function holds it */
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
