/*
 * A table of such modules. prepare() is called with one that was imported, before the
 * freeze; what it returns, unless that is None, is called in each restored process.
 * That is not rehearsed: it may reach outside the process.
 */
#include "hooks_modules.h"
#include "cpython.h"
#include "imports.h"
#include "talk.h"

/* the folder below which a traceback's relative names of files are */
static const char rich[] =
	"def prepare(m):\n"
	"    import os\n"
	"    def renew():\n"
	"        try:\n"
	"            now = os.path.abspath(os.getcwd())\n"
	"        except Exception:\n"
	"            now = ''\n"
	"        if m._IMPORT_CWD != now:\n"
	"            m._IMPORT_CWD = now\n"
	"    if hasattr(m, '_IMPORT_CWD'):\n"
	"        return renew\n";

static struct row {
	const char *module, *code;
	PyObject *renew;
} rows[] = {
	{ "rich", rich, NULL },
	{ "pip._vendor.rich", rich, NULL },
	/* a copy of os.environ, which each request begins with */
	{ "wsgiref.handlers",
		"def prepare(m):\n"
		"    if m.BaseHandler.os_environ == m.read_environ():\n"
		"        m.BaseHandler.os_environ = {}\n"
		"        def renew():\n"
		"            m.BaseHandler.os_environ = m.read_environ()\n"
		"        return renew\n", NULL },
	/* stdout, which is another object where it is a terminal */
	{ "mercurial.utils.procutil",
		"def prepare(m):\n"
		"    import sys\n"
		"    if m.stdout is getattr(sys.stdout, 'buffer', None):\n"
		"        def renew():\n"
		"            if m.isatty(m.stdout):\n"
		"                m.stdout = m.make_line_buffered(m.stdout)\n"
		"        return renew\n", NULL },
	/* whether stdout is a terminal that knows colours */
	{ "ansible.utils.color",
		"def prepare(m):\n"
		"    import sys\n"
		"    if m.ANSIBLE_COLOR or m.C.ANSIBLE_NOCOLOR:\n"
		"        return\n"
		"    def has_colors():\n"
		"        try:\n"
		"            import curses\n"
		"        except ImportError:\n"
		"            return True\n"
		"        try:\n"
		"            curses.setupterm()\n"
		"            return curses.tigetnum('colors') >= 0\n"
		"        except curses.error:\n"
		"            return False\n"
		"    def renew():\n"
		"        if sys.stdout and sys.stdout.isatty():\n"
		"            m.ANSIBLE_COLOR = has_colors()\n"
		"    return renew\n", NULL },
};

#define ROWS (sizeof rows / sizeof *rows)

static PyObject *prepare(const struct row *row, PyObject *module)
{
	PyObject *names = PyDict_New(), *renew = NULL;

	if (!imports_run(row->code, names))
		renew = PyObject_CallOneArg(PyDict_GetItemString(names, "prepare"), module);
	Py_XDECREF(names);
	if (!renew)
		talk_refuse("prepare module %s for the freeze: %s", row->module,
			imports_traceback());
	if (renew == Py_None)
		Py_CLEAR(renew);
	return renew;
}

void hooks_modules_before(void)
{
	PyObject *modules = PyImport_GetModuleDict();

	for (size_t i = 0; i < ROWS; i++) {
		PyObject *module = PyDict_GetItemString(modules, rows[i].module);

		if (module)
			rows[i].renew = prepare(&rows[i], module);
	}
}

int hooks_modules_resume(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		PyObject *done;

		if (!rows[i].renew)
			continue;
		done = PyObject_CallNoArgs(rows[i].renew);
		if (!done)
			return -1;
		Py_DECREF(done);
	}
	return 0;
}

void hooks_modules_release(void)
{
	for (size_t i = 0; i < ROWS; i++)
		Py_CLEAR(rows[i].renew);
}
