/*
 * A table of such modules. prepare() is called with one that was imported, before the
 * freeze; what it returns, unless that is None, is called in each restored process.
 * That is not rehearsed: it may reach outside the process.
 */
#include "hooks_modules.h"
#include "cpython.h"
#include "hooks_terminal.h"
#include "imports.h"
#include "talk.h"

#include <string.h>

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

/* `keepers`: the consoles that asked (hooks_terminal.c) */
static const char console[] =
	"def prepare(m):\n"
	"    found = [o for o in keepers or () if isinstance(o, m.Console)]\n"
	"    def renew():\n"
	"        for one in found:\n"
	"            now = one._detect_color_system()\n"
	"            if one._color_system is not now:\n"
	"                one._color_system = now\n"
	"    if found:\n"
	"        return renew\n";

static struct row {
	const char *module, *code;
	PyObject *renew;
} rows[] = {
	{ "rich", rich, NULL },
	{ "pip._vendor.rich", rich, NULL },
	/* the folder of the configuration that is none, and its sources; from isort 5 on */
	{ "isort.settings",
		"def prepare(m):\n"
		"    import os\n"
		"    if not hasattr(m, 'DEFAULT_CONFIG'):\n"
		"        return\n"
		"    def renew():\n"
		"        config = m.DEFAULT_CONFIG\n"
		"        if config.directory != os.getcwd():\n"
		"            fresh = m.Config()\n"
		"            for name in 'directory', 'src_paths':\n"
		"                object.__setattr__(config, name, getattr(fresh, name))\n"
		"    return renew\n", NULL },
	/* its configuration in the working folder or in the home */
	{ "pylint.config.environment_variable",
		"def prepare(m):\n"
		"    import sys\n"
		"    config = sys.modules['pylint.config']\n"
		"    def renew():\n"
		"        with m.warnings.catch_warnings():\n"
		"            m.warnings.simplefilter('ignore')\n"
		"            found = m.find_pylintrc()\n"
		"        if found != m.PYLINTRC:\n"
		"            config.PYLINTRC = m.PYLINTRC = found\n"
		"    return renew\n", NULL },
	/* the folder that names of files are relative to, for pytest-cov */
	{ "coverage.files",
		"def prepare(m):\n"
		"    return m.set_relative_directory\n", NULL },
	/* the folder that is left out where commands are shown */
	{ "tox.tox_env.api",
		"def prepare(m):\n"
		"    def renew():\n"
		"        m._CWD = m.Path.cwd()\n"
		"    return renew\n", NULL },
	/* its configuration in the working folder */
	{ "mycli.main",
		"def prepare(m):\n"
		"    import os\n"
		"    def renew():\n"
		"        m.MyCli.pwd_config_file = os.path.join(os.getcwd(), '.myclirc')\n"
		"    return renew\n", NULL },
	/* what a match is of, if nothing: the working folder */
	{ "ansiblelint.errors",
		"def prepare(m):\n"
		"    import os\n"
		"    folder = os.getcwd()\n"
		"    kept = getattr(m.MatchError, 'lintable', None)\n"
		"    def renew():\n"
		"        if os.getcwd() != folder:\n"
		"            vars(kept).update(vars(m.Lintable(name='')))\n"
		"    if kept:\n"
		"        return renew\n", NULL },
	/* the first places of its files: the working folder */
	{ "openstack.config.loader",
		"def prepare(m):\n"
		"    import os\n"
		"    each = len(m.YAML_SUFFIXES + m.JSON_SUFFIXES)\n"
		"    def renew():\n"
		"        folder = os.getcwd()\n"
		"        if m.CONFIG_SEARCH_PATH[0] != folder:\n"
		"            m.CONFIG_SEARCH_PATH[0] = folder\n"
		"            for files in m.CONFIG_FILES, m.SECURE_FILES, m.VENDOR_FILES:\n"
		"                files[:each] = [os.path.join(folder, os.path.basename(file))\n"
		"                                for file in files[:each]]\n"
		"    return renew\n", NULL },
	/* how long a command may be: what the environment leaves */
	{ "pre_commit.xargs",
		"def prepare(m):\n"
		"    kept = m.xargs.__kwdefaults__ or {}\n"
		"    def renew():\n"
		"        kept['_max_length'] = m._get_platform_max_length()\n"
		"    if kept.get('_max_length'):\n"
		"        return renew\n", NULL },
	/* whose process it is */
	{ "rdiff_backup.Globals",
		"def prepare(m):\n"
		"    import os\n"
		"    def renew():\n"
		"        m.process_uid, m.process_gid = os.getuid(), os.getgid()\n"
		"        m.process_groups = [m.process_gid] + os.getgroups()\n"
		"    if hasattr(m, 'process_uid'):\n"
		"        return renew\n", NULL },
	{ "supervisor.medusa.filesys",
		"def prepare(m):\n"
		"    import os\n"
		"    kept = m.schizophrenic_unix_filesystem\n"
		"    def renew():\n"
		"        for name in 'uid', 'euid', 'gid', 'egid':\n"
		"            now = getattr(os, 'get' + name)()\n"
		"            if getattr(kept, 'PROCESS_' + name.upper()) != now:\n"
		"                setattr(kept, 'PROCESS_' + name.upper(), now)\n"
		"    return renew\n", NULL },
	/* the option --src, in the working folder but for virtual environments */
	{ "pip._internal.cli.cmdoptions",
		"def prepare(m):\n"
		"    def renew():\n"
		"        m.src.keywords['default'] = m.get_src_prefix()\n"
		"    if m.src.keywords['default'] == m.get_src_prefix():\n"
		"        return renew\n", NULL },
	/* init() takes the codes of colours out of what goes to no terminal, if it is
	 * not told otherwise (hooks_terminal.c). Where it wraps no stream nothing keeps
	 * its answer. */
	{ "colorama.initialise",
		"def prepare(m):\n"
		"    import sys\n"
		"    from colorama.ansitowin32 import StreamWrapper\n"
		"    def unwrap(stream):\n"
		"        while type(stream) is StreamWrapper:\n"
		"            converter = stream._StreamWrapper__convertor\n"
		"            converter.strip = False\n"
		"            if converter.should_wrap():\n"
		"                break\n"
		"            stream = converter.wrapped\n"
		"        return stream\n"
		"    def renew():\n"
		"        for name in 'stdout', 'stderr':\n"
		"            wrapped = getattr(m, 'wrapped_' + name)\n"
		"            if type(wrapped) is StreamWrapper and wrapped.isatty():\n"
		"                for kept in 'wrapped_' + name, 'orig_' + name:\n"
		"                    setattr(m, kept, unwrap(getattr(m, kept)))\n"
		"                setattr(sys, name, unwrap(getattr(sys, name)))\n"
		"    if {type(m.wrapped_stdout), type(m.wrapped_stderr)} & {StreamWrapper}:\n"
		"        return renew\n", NULL },
	/* which colours each console's stream has */
	{ "rich.console", console, NULL },
	{ "pip._vendor.rich.console", console, NULL },
	/* which streams are terminals, of what type, and so have colours, or a progress bar */
	{ "httpie.context",
		"def prepare(m):\n"
		"    import os\n"
		"    kept = m.Environment\n"
		"    def renew():\n"
		"        for name in 'stdin', 'stdout', 'stderr':\n"
		"            is_terminal = getattr(kept, name).isatty()\n"
		"            if getattr(kept, name + '_isatty') != is_terminal:\n"
		"                setattr(kept, name + '_isatty', is_terminal)\n"
		"        if m.curses and 'TERM' in os.environ:\n"
		"            try:\n"
		"                m.curses.setupterm()\n"
		"                kept.colors = m.curses.tigetnum('colors')\n"
		"            except m.curses.error:\n"
		"                pass\n"
		"    return renew\n", NULL },
	{ "pipx.colors",
		"def prepare(m):\n"
		"    import sys\n"
		"    was = m.PRINT_COLOR\n"
		"    def renew():\n"
		"        m.PRINT_COLOR = sys.stdout.isatty()\n"
		"        if m.PRINT_COLOR and m.colorama and not was:\n"
		"            m.colorama.init()\n"
		"    return renew\n", NULL },
	{ "pipx.animate",
		"def prepare(m):\n"
		"    import sys\n"
		"    def renew():\n"
		"        m.stderr_is_tty = sys.stderr.isatty()\n"
		"    return renew\n", NULL },
	{ "S3.Config",
		"def prepare(m):\n"
		"    import sys\n"
		"    def renew():\n"
		"        if m.Config.progress_meter != sys.stdout.isatty():\n"
		"            m.Config.progress_meter = sys.stdout.isatty()\n"
		"    return renew\n", NULL },
	{ "osc.output.tty",
		"def prepare(m):\n"
		"    def renew():\n"
		"        m.IS_INTERACTIVE = m.os.isatty(m.sys.stdout.fileno())\n"
		"    return renew\n", NULL },
	{ "gallery_dl.output",
		"def prepare(m):\n"
		"    import sys\n"
		"    colors = {'TTY_STDOUT': {'success': '1;32', 'skip': '2'}, 'TTY_STDIN': {},\n"
		"              'TTY_STDERR': {'debug': '0;37', 'info': '1;37',\n"
		"                             'warning': '1;33', 'error': '1;31'}}\n"
		"    kept = {}\n"
		"    if not hasattr(m, 'TTY_STDIN'):\n"
		"        return\n"
		"    for name in colors:\n"
		"        if getattr(m, name):\n"
		"            kept.update(colors[name])\n"
		"    known = m.COLORS and m.COLORS_DEFAULT == kept\n"
		"    def renew():\n"
		"        if known:\n"
		"            m.COLORS_DEFAULT.clear()\n"
		"        for name in 'TTY_STDOUT', 'TTY_STDERR', 'TTY_STDIN':\n"
		"            is_terminal = getattr(sys, name[4:].lower()).isatty()\n"
		"            setattr(m, name, is_terminal)\n"
		"            if known and is_terminal:\n"
		"                m.COLORS_DEFAULT.update(colors[name])\n"
		"    return renew\n", NULL },
	/* the styles of formatters, with colours on a terminal */
	{ "django.utils.log",
		"def prepare(m):\n"
		"    import gc, sys\n"
		"    color = sys.modules['django.core.management.color']\n"
		"    found = [o for o in gc.get_objects()\n"
		"             if issubclass(type(o), m.ServerFormatter)]\n"
		"    cached = hasattr(color.supports_color, 'cache_clear')\n"
		"    def renew():\n"
		"        if cached:\n"
		"            color.supports_color.cache_clear()\n"
		"        style = m.color_style()\n"
		"        for formatter in found:\n"
		"            if formatter.style is not style:\n"
		"                formatter.style = style\n"
		"    if found:\n"
		"        return renew\n", NULL },
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
	/* threads that wait for work; pandas imports it where it is installed. In python3
	 * they run from its import on. */
	{ "numexpr.interpreter",
		"def prepare(m):\n"
		"    count = m._set_num_threads(1)\n"
		"    if count > 1:\n"
		"        def renew():\n"
		"            m._set_num_threads(count)\n"
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

int hooks_modules_know(const char *module)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(rows[i].module, module) == 0)
			return 1;
	return 0;
}

static PyObject *prepare(const struct row *row, PyObject *module, PyObject *keepers)
{
	PyObject *names = Py_BuildValue("{sO}", "keepers", keepers ? keepers : Py_None);
	PyObject *renew = NULL;

	if (names && !imports_run(row->code, names))
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
	PyObject *modules = PyImport_GetModuleDict(), *keepers = hooks_terminal_keepers();

	for (size_t i = 0; i < ROWS; i++) {
		PyObject *module = PyDict_GetItemString(modules, rows[i].module);

		if (module)
			rows[i].renew = prepare(&rows[i], module, keepers);
	}
	Py_XDECREF(keepers);
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
