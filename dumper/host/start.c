/*
 * Starts CPython by the embedding API, with what Modules/main.c's pymain_init
 * uses, so that nothing in it tells the process from a plain python3.
 */
#include "start.h"
#include "collector.h"
#include "cpython.h"
#include "pyimage.h"
#include "reads_os.h"
#include "talk.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void must(PyStatus status)
{
	if (PyStatus_Exception(status))
		talk_refuse("start the interpreter: %s: %s",
			status.func ? status.func : "CPython",
			status.err_msg ? status.err_msg : "it wants to exit");
}

static void check(const char *program, const char *refusal)
{
	if (refusal)
		talk_refuse("%s: %s", program, refusal);
}

typedef PyStatus (*main_function)(void);

static const char *interpreter;		/* its name, for messages */
static int watching;

/* The collector is there, and nothing has been imported that reads the environment. */
static void watch_environment(void)
{
	struct collector_pause pause;

	check(interpreter, cpython_collector_refusal());
	pause = collector_pause();
	reads_os_watch();
	collector_go_on(pause);
	watching = 1;
}

/* Before site is imported, and before importlib has looked for it. */
static int hear_site(const char *event, PyObject *arguments, void *unused)
{
	PyObject *name = strcmp(event, "import") == 0 && PyTuple_Check(arguments) &&
		PyTuple_GET_SIZE(arguments) > 0 ? PyTuple_GET_ITEM(arguments, 0) : NULL;

	(void)unused;
	if (name && PyUnicode_Check(name) &&
	    PyUnicode_CompareWithASCIIString(name, "site") == 0) {
		cpython_unhear();
		watch_environment();
	}
	return 0;
}

/* Where there are no phases, as in 3.14. With -S, site is not imported. */
static void initialize_at_once(PyConfig *config)
{
	cpython_hear(hear_site);
	must(Py_InitializeFromConfig(config));
	cpython_unhear();
	if (!watching)
		watch_environment();
}

/* In two phases, as Py_InitializeFromConfig() does it in one go: site, .pth files
 * and sitecustomize run in the second. */
static void initialize(const char *program, PyConfig *config)
{
	main_function second = (main_function)dlsym(RTLD_DEFAULT, "_Py_InitializeMain");

	interpreter = program;
	if (!second) {
		initialize_at_once(config);
	} else {
		config->_init_main = 0;
		must(Py_InitializeFromConfig(config));
		watch_environment();
		must(second());
		cpython_config()->_init_main = 1;
	}
	check(program, cpython_jit_refusal());
}

/* getpath.py follows sys.executable to the base interpreter, if that is a link. Where
 * an image took its place, the link is the one that was moved aside. */
static void set_base(PyConfig *config, const char *plain)
{
	struct stat status;
	char *base = plain && lstat(plain, &status) == 0 && S_ISLNK(status.st_mode) ?
		realpath(plain, NULL) : NULL;

	if (base)
		must(PyConfig_SetBytesString(config, &config->base_executable, base));
	free(base);
}

void start_python(char *program, char **options, const char *plain)
{
	Py_ssize_t argc = 0;
	char **argv;
	PyPreConfig pre;
	PyConfig config;

	check(program, cpython_refusal());
	while (options[argc])
		argc++;
	argv = calloc((size_t)argc + 2, sizeof *argv);
	if (!argv)
		talk_refuse("out of memory");
	argv[0] = program;
	memcpy(argv + 1, options, (size_t)argc++ * sizeof *argv);
	pyimage_add();
	PyPreConfig_InitPythonConfig(&pre);
	must(Py_PreInitializeFromBytesArgs(&pre, argc, argv));
	PyConfig_InitPythonConfig(&config);
	must(PyConfig_SetBytesArgv(&config, argc, argv));
	set_base(&config, plain);
	initialize(program, &config);
	PyConfig_Clear(&config);
	free(argv);
}
