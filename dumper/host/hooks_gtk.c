/*
 * GTK 3 is started by an import: gi/overrides/Gdk.py and Gtk.py call
 * gdk_init_check() and gtk_init_check() with sys.argv. That takes GTK's own words
 * out of the command line, reads DISPLAY, GTK_MODULES, GDK_SCALE and many more,
 * and the second call of a process does none of it. So while building both fail,
 * as without a display, and have done nothing; the process that was restored
 * calls them.
 *
 * When? An import says so in python3, too. So gi.repository.Gtk, Gdk and other
 * namespaces are imported modules only when the program imports them, which also
 * warns where it asked for no version. Where a frozen module already holds something
 * of theirs no import need follow: then GTK is started at the restore.
 *
 * That libgirepository looks up all functions by g_module_symbol() makes it
 * possible. Types may be registered, and their classes used, before GTK is started.
 */
#include "hooks_gtk.h"
#include "cpython.h"
#include "imports.h"
#include "interpose.h"
#include "talk.h"

#include <dlfcn.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef int (*symbol_function)(void *module, const char *name, void **symbol);
typedef int (*init_function)(int *argc, char ***argv);

EXPORT int g_module_symbol(void *module, const char *name, void **symbol);

static int gdk_init_check(int *argc, char ***argv);
static int gtk_init_check(int *argc, char ***argv);
static int gtk_init(int *argc, char ***argv);

/* Those that a module may call at its import. */
static struct start {
	const char *library, *name;
	init_function instead, real;
	int deferred;
} starts[] = {
	{ "libgdk-3.so", "gdk_init_check", gdk_init_check, NULL, 0 },
	{ "libgtk-3.so", "gtk_init_check", gtk_init_check, NULL, 0 },
	{ "libgtk-3.so", "gtk_init", gtk_init, NULL, 0 },	/* exits where it fails */
};

enum { GDK_INIT_CHECK, GTK_INIT_CHECK, GTK_INIT, STARTS };

static int building;
static PyObject *resume;	/* callable, or NULL: nothing to do at the restore */

static int start(struct start *s, int *argc, char ***argv)
{
	if (!building)
		return s->real(argc, argv);
	s->deferred = 1;
	return 0;
}

static int gdk_init_check(int *argc, char ***argv)
{
	return start(&starts[GDK_INIT_CHECK], argc, argv);
}

static int gtk_init_check(int *argc, char ***argv)
{
	return start(&starts[GTK_INIT_CHECK], argc, argv);
}

static int gtk_init(int *argc, char ***argv)
{
	return start(&starts[GTK_INIT], argc, argv);
}

static void put_instead(void **symbol, const char *name)
{
	Dl_info info;
	const char *file;

	for (int i = 0; i < STARTS; i++) {
		struct start *s = &starts[i];

		if (strcmp(name, s->name) || !dladdr(*symbol, &info))
			continue;
		file = strrchr(info.dli_fname, '/');
		file = file ? file + 1 : info.dli_fname;
		if (strncmp(file, s->library, strlen(s->library)))
			continue;
		s->real = (init_function)*symbol;
		*symbol = (void *)s->instead;
	}
}

/* What is looked up is kept by pygobject for ever, so the functions above are
 * called in the restored process, too. */
int g_module_symbol(void *module, const char *name, void **symbol)
{
	static symbol_function next;
	int found;

	if (!next)
		next = (symbol_function)interpose_next(__builtin_return_address(0),
			"g_module_symbol");
	found = next ? next(module, name, symbol) : 0;
	if (building && found && name && *symbol)
		put_instead(symbol, name);
	return found;
}

void hooks_gtk_watch(void)
{
	building = 1;
}

/* gi/importer.py: its DynamicImporter is the last of sys.meta_path, has
 * create_module(spec) since pygobject 3.48 and load_module(name) before, and imports
 * what a namespace depends on first. It warns where no version of a namespace was
 * asked for that nothing has loaded yet. An instance's own method stands before it
 * until all that was hidden is seen again.
 * gdk.c: a constructor keeps DESKTOP_STARTUP_ID for the display, whose opening takes
 * it out of C's environment. */
static const char code[] =
"import contextlib, importlib, os, sys, types\n"
"import gi.importer, gi.repository\n"
"PREFIX, SET_ID = 'gi.repository.', 'set_startup_notification_id'\n"
"repository, check = gi.importer.repository, gi.importer._check_require_version\n"
"importer = next(i for i in sys.meta_path\n"
"                if type(i) is gi.importer.DynamicImporter)\n"
"hidden, loaded = {}, set()\n"
"class Seen:\n"
"    'The repository as far as this process has asked for it.'\n"
"    is_registered, get_version = loaded.__contains__, repository.get_version\n"
"check = contextlib.contextmanager(types.FunctionType(\n"
"    check.__wrapped__.__code__, {**vars(gi.importer), 'repository': Seen}))\n"
"def dependencies(namespace):\n"
"    return {d.split('-')[0] for d in repository.get_dependencies(namespace)}\n"
"def pass_on_startup_id(display):\n"
"    value = os.environ.get('DESKTOP_STARTUP_ID', '')\n"
"    os.unsetenv('DESKTOP_STARTUP_ID')\n"
"    if value.isprintable() and value and hasattr(display, SET_ID):\n"
"        getattr(display, SET_ID)(value)\n"
"def start(namespace):\n"
"    if namespace not in deferred:\n"
"        return\n"
"    module = sys.modules['gi.overrides.' + namespace]\n"
"    library = getattr(module, namespace)\n"
"    module.initialized, module.argv = library.init_check(sys.argv)\n"
"    if namespace == 'Gdk' and module.initialized and 'DESKTOP_STARTUP_ID' in os.environ:\n"
"        pass_on_startup_id(library.Display.get_default())\n"
"    if namespace == 'Gtk':\n"
"        sys.argv = list(module.argv)\n"
"METHOD = 'create_module' if hasattr(importer, 'create_module') else 'load_module'\n"
"def load_module(wanted):\n"
"    name = getattr(wanted, 'name', wanted)\n"
"    if name not in hidden:\n"
"        return getattr(type(importer), METHOD)(importer, wanted)\n"
"    namespace = name[len(PREFIX):]\n"
"    with check(namespace, gi.importer.get_import_stacklevel(True)):\n"
"        loaded.update(dependencies(namespace), [namespace])\n"
"        sys.modules[name] = module = hidden.pop(name)\n"
"        try:\n"
"            load(namespace)\n"
"        except BaseException:\n"
"            hidden[name] = sys.modules.pop(name)\n"
"            raise\n"
"    if not hidden:\n"
"        vars(importer).pop(METHOD, None)\n"
"    return module\n"
"def load(namespace):\n"
"    for dependency in repository.get_immediate_dependencies(namespace):\n"
"        importlib.import_module(PREFIX + dependency.split('-')[0])\n"
"    for other in companions.get(namespace, ()):\n"
"        gi._versions.update((n, v) for n, v in asked.items() if n == other)\n"
"        importlib.import_module(PREFIX + other)\n"
"    start(namespace)\n"
"def find_companions(namespace):\n"
"    'What its overrides import and it does not depend on: GdkX11 of Gdk.'\n"
"    held = vars(sys.modules.get('gi.overrides.' + namespace, sys)).values()\n"
"    return [n for n in spaces - dependencies(namespace) - {namespace}\n"
"            if any(thing is sys.modules[PREFIX + n] for thing in held)]\n"
"def origins(thing):\n"
"    'Names of the modules that it, or its class, comes from.'\n"
"    kind = type(thing)\n"
"    if issubclass(kind, type(sys)):\n"
"        return [places.get(id(thing))]\n"
"    if not issubclass(kind, type):\n"
"        found = [getattr(thing, '__module__', None)] if (\n"
"            str(kind.__module__).startswith('gi')) else []\n"
"        return found + origins(kind)\n"
"    return [vars(c).get('__module__') for c in type.mro(thing) if c is not type]\n"
"def frozen_users():\n"
"    'Namespaces that modules hold something of.'\n"
"    found = set()\n"
"    for name, module in list(sys.modules.items()):\n"
"        if name.split('.')[0] == 'gi' or not issubclass(type(module), type(sys)):\n"
"            continue\n"
"        for thing in list(vars(module).values()):\n"
"            for origin in origins(thing):\n"
"                if origin in ('gi', 'gi.repository'):\n"
"                    found |= spaces\n"
"                elif isinstance(origin, str) and origin.startswith('gi.'):\n"
"                    found.add(origin.split('.')[-1])\n"
"    return found & spaces\n"
"places = {id(module): name for name, module in sys.modules.items()\n"
"          if name.split('.')[0] == 'gi'}\n"
"spaces = {n[len(PREFIX):] for n in sys.modules if n.startswith(PREFIX)}\n"
"users = frozen_users()\n"
"loaded.update(users, *map(dependencies, users), ['GLib', 'GObject', 'Gio'])\n"
"companions = {n: find_companions(n) for n in spaces}\n"
"asked = dict(gi._versions)\n"
"for namespace in spaces - loaded:\n"
"    hidden[PREFIX + namespace] = sys.modules.pop(PREFIX + namespace)\n"
"    delattr(gi.repository, namespace)\n"
"    gi._versions.pop(namespace, None)\n"
"if hidden:\n"
"    setattr(importer, METHOD, load_module)\n"
"eager = [n for n in deferred if n in loaded]\n"
"def resume():\n"
"    for namespace in eager:\n"
"        start(namespace)\n";

static PyObject *deferred_namespaces(void)
{
	PyObject *list = PyList_New(0);
	static const char *const names[] = { "Gdk", "Gtk" };

	for (int i = 0; list && i < 2; i++) {
		PyObject *name = starts[i].deferred ? PyUnicode_FromString(names[i]) : NULL;

		if (starts[i].deferred && (!name || PyList_Append(list, name)))
			Py_CLEAR(list);
		Py_XDECREF(name);
	}
	return list;
}

void hooks_gtk_prepare(void)
{
	PyObject *names, *list;

	building = 0;
	if (!PyDict_GetItemString(PyImport_GetModuleDict(), "gi.importer"))
		return;
	list = deferred_namespaces();
	names = list ? Py_BuildValue("{s:N}", "deferred", list) : NULL;
	if (imports_run(code, names))
		talk_refuse("prepare GTK for the freeze: %s", imports_traceback());
	if (PyObject_IsTrue(PyDict_GetItemString(names, "eager"))) {
		resume = PyDict_GetItemString(names, "resume");
		Py_XINCREF(resume);
	}
	Py_DECREF(names);
}

int hooks_gtk_resume(void)
{
	PyObject *done;

	if (!resume)
		return 0;
	done = PyObject_CallNoArgs(resume);
	if (!done)
		return -1;
	Py_DECREF(done);
	if (starts[GTK_INIT].deferred)
		starts[GTK_INIT].real(NULL, NULL);
	return 0;
}

void hooks_gtk_release(void)
{
	Py_CLEAR(resume);
}
