/*
 * GTK 3 is started by an import: gi/overrides/Gdk.py and Gtk.py call
 * gdk_init_check() and gtk_init_check() with sys.argv. That takes GTK's own words
 * out of the command line, reads DISPLAY, GTK_MODULES, GDK_SCALE and many more,
 * and the second call of a process does none of it. So while building both fail,
 * as without a display, and have done nothing; the process that was restored
 * calls them.
 *
 * When? An import says so in python3, too. So gi.repository.Gtk, Gdk and what
 * depends on them are imported modules only when the program imports them. Where
 * a frozen module already holds something of theirs no import need follow: then
 * at the restore.
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
 * load_module(), and imports what a namespace depends on first. An instance's own
 * load_module stands before it until all that was hidden is seen again. */
static const char code[] =
"import importlib, sys\n"
"import gi.importer, gi.repository\n"
"PREFIX = 'gi.repository.'\n"
"repository = gi.importer.repository\n"
"importer = next(i for i in sys.meta_path\n"
"                if type(i) is gi.importer.DynamicImporter)\n"
"hidden = {}\n"
"def start(namespace):\n"
"    if namespace in ('Gdk', 'Gtk'):\n"
"        module = sys.modules['gi.overrides.' + namespace]\n"
"        library = getattr(module, namespace)\n"
"        module.initialized, module.argv = library.init_check(sys.argv)\n"
"        if namespace == 'Gtk':\n"
"            sys.argv = list(module.argv)\n"
"def load_module(name):\n"
"    if name not in hidden:\n"
"        return type(importer).load_module(importer, name)\n"
"    namespace = name[len(PREFIX):]\n"
"    for dependency in repository.get_immediate_dependencies(namespace):\n"
"        importlib.import_module(PREFIX + dependency.split('-')[0])\n"
"    start(namespace)\n"
"    module = sys.modules[name] = hidden.pop(name)\n"
"    if not hidden:\n"
"        del importer.load_module\n"
"    return module\n"
"def resume():\n"
"    for namespace in deferred:\n"
"        start(namespace)\n"
"def is_of(thing, names):\n"
"    kind = type(thing)\n"
"    if issubclass(kind, type):\n"
"        return any(vars(c).get('__module__') in names for c in type.mro(thing)\n"
"                   if c is not type)\n"
"    if issubclass(kind, type(sys)):\n"
"        return any(thing is sys.modules.get(n) for n in (*names, 'gi', PREFIX[:-1]))\n"
"    return is_of(kind, names) or (str(kind.__module__).startswith('gi') and\n"
"                                  getattr(thing, '__module__', None) in names)\n"
"def frozen_users(names):\n"
"    for name, module in list(sys.modules.items()):\n"
"        if name.split('.')[0] != 'gi' and issubclass(type(module), type(sys)):\n"
"            if any(is_of(thing, names) for thing in list(vars(module).values())):\n"
"                yield name\n"
"def depends(namespace):\n"
"    return namespace in deferred or any(\n"
"        d.split('-')[0] in deferred for d in repository.get_dependencies(namespace))\n"
"shown = {n for n in sys.modules if n.startswith(PREFIX)\n"
"         and depends(n[len(PREFIX):])}\n"
"places = shown | {n.replace('repository', 'overrides') for n in shown}\n"
"eager = next(frozen_users(places), None) is not None\n"
"if not eager:\n"
"    for name in shown:\n"
"        hidden[name] = sys.modules.pop(name)\n"
"        delattr(gi.repository, name[len(PREFIX):])\n"
"    importer.load_module = load_module\n";

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
	PyObject *names, *list, *result;

	building = 0;
	if (!starts[GDK_INIT_CHECK].deferred && !starts[GTK_INIT_CHECK].deferred)
		return;
	list = deferred_namespaces();
	names = list ? Py_BuildValue("{s:N}", "deferred", list) : NULL;
	if (!names || PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()) ||
	    !(result = PyRun_String(code, Py_file_input, names, names)))
		talk_refuse("prepare GTK for the freeze: %s", imports_traceback());
	if (PyObject_IsTrue(PyDict_GetItemString(names, "eager"))) {
		resume = PyDict_GetItemString(names, "resume");
		Py_XINCREF(resume);
	}
	Py_DECREF(result);
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
