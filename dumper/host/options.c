/*
 * Each option has up to four places: a field of the config that CPython reads
 * at run time, a global variable from before there was a config, an item of
 * sys.flags, and something that site or sys made of it. See
 * Python/initconfig.c, config_set_global_vars(), and Python/sysmodule.c,
 * set_flags_from_config().
 */
#include "options.h"
#include "enter.h"
#include "handoff.h"
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PyObject *site;		/* module, or NULL: built with -S */

void options_keep(char **words)
{
	struct python_words read;
	int count = 0;

	while (words[count])
		count++;
	python_read_words(count, words, PYTHON_BAKED, &handoff.options, &read);
	if (read.refused || read.letter || read.at < count)
		talk_refuse("start the interpreter: an image can't hold the option %s",
			read.refused ? read.refused : words[read.at ? read.at - 1 : 0]);
}

/* The streams of the build are not those of a run. */
#define PUT_OFF (PYTHON_UNBUFFERED | PYTHON_INSPECT | PYTHON_QUIET | PYTHON_SKIP_LINE)

/* A word of letters, up to one that takes an argument, without those that are
 * put off. Returns whether the next word is the argument of the last one. */
static int filter_word(const char *word, char *kept)
{
	*kept++ = *word++;
	for (; *word; word++) {
		const struct python_option *row = python_find_letter(*word);

		if (row && row->takes) {
			strcpy(kept, word);
			return !word[1];
		}
		if (!row || !(row->flags & PUT_OFF))
			*kept++ = *word;
	}
	*kept = 0;
	return 0;
}

char **options_for_start(char **words)
{
	size_t count = 0, used = 0;
	char **kept;

	while (words[count])
		count++;
	kept = calloc(count + 1, sizeof *kept);
	for (; kept && *words; words++) {
		char *word = strdup(*words);
		int takes_next;

		if (!word)
			break;
		takes_next = (*words)[1] == '-' || filter_word(*words, word);
		if (word[1])
			kept[used++] = word;
		if (takes_next && words[1])
			kept[used++] = *++words;
	}
	if (!kept || *words)
		talk_refuse("out of memory");
	return kept;
}

void options_prepare(void)
{
	site = PyDict_GetItemString(PyImport_GetModuleDict(), "site");
	handoff.fixed_hash = !!cpython_config()->use_hash_seed;
}

_Py_COMP_DIAG_PUSH
_Py_COMP_DIAG_IGNORE_DEPR_DECLS
static const struct place {
	uint32_t flag;
	size_t field;		/* in PyConfig */
	int value;		/* of the field */
	int *global;
	const char *name;	/* in sys.flags */
} places[] = {
	{ PYTHON_ISOLATED, offsetof(PyConfig, isolated), 1, &Py_IsolatedFlag, "isolated" },
	{ PYTHON_NO_ENVIRONMENT, offsetof(PyConfig, use_environment), 0,
		&Py_IgnoreEnvironmentFlag, "ignore_environment" },
	{ PYTHON_NO_USER_SITE, offsetof(PyConfig, user_site_directory), 0,
		&Py_NoUserSiteDirectory, "no_user_site" },
	{ PYTHON_SAFE_PATH, offsetof(PyConfig, safe_path), 1, NULL, NULL },
	{ PYTHON_NO_BYTECODE, offsetof(PyConfig, write_bytecode), 0,
		&Py_DontWriteBytecodeFlag, "dont_write_bytecode" },
	{ PYTHON_UNBUFFERED, offsetof(PyConfig, buffered_stdio), 0,
		&Py_UnbufferedStdioFlag, NULL },
	{ PYTHON_SKIP_LINE, offsetof(PyConfig, skip_source_first_line), 1, NULL, NULL },
	{ PYTHON_FAULTHANDLER, offsetof(PyConfig, faulthandler), 1, NULL, NULL },
};

static int set_count(int count, int *field, int *global, const char *name)
{
	*field = *global = cpython_option_count(count);
	return cpython_set_flag(name, PyLong_FromLong(*field));
}

static int set_places(const struct python_options *options)
{
	PyConfig *config = cpython_config();

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		const struct place *place = &places[i];

		if (!(options->flags & place->flag))
			continue;
		*(int *)(void *)((char *)config + place->field) = place->value;
		if (place->global)
			*place->global = 1;
		if (place->name && cpython_set_flag(place->name, PyLong_FromLong(1)))
			return -1;
	}
	cpython_set_preconfig(config->isolated, config->use_environment);
	return (options->inspect && set_count(options->inspect, &config->inspect,
			&Py_InspectFlag, "inspect"))
		|| (options->interactive && set_count(options->interactive,
			&config->interactive, &Py_InteractiveFlag, "interactive"))
		|| (options->quiet && set_count(options->quiet, &config->quiet,
			&Py_QuietFlag, "quiet")) ? -1 : 0;
}
_Py_COMP_DIAG_POP

/* config_init_stdio() */
static void set_c_streams(const struct python_options *options)
{
	if (options->flags & PYTHON_UNBUFFERED) {
		setvbuf(stdin, NULL, _IONBF, BUFSIZ);
		setvbuf(stdout, NULL, _IONBF, BUFSIZ);
		setvbuf(stderr, NULL, _IONBF, BUFSIZ);
	} else if (options->interactive) {
		setvbuf(stdin, NULL, _IOLBF, BUFSIZ);
		setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	}
}

/* faulthandler.c: python3 enables it while sys.stderr is a preliminary object
 * for descriptor 2. */
static int enable_faulthandler(int by_x)
{
	PyObject *module = PyImport_ImportModule("faulthandler");
	PyObject *done = module ? PyObject_CallMethod(module, "enable", "i", 2) : NULL;
	PyObject *xoptions = by_x ? PySys_GetXOptions() : NULL;
	int failed = !done || (by_x && (!xoptions ||
		PyDict_SetItemString(xoptions, "faulthandler", Py_True)));

	Py_XDECREF(done);
	Py_XDECREF(module);
	return failed ? -1 : 0;
}

/* site.py, main(): readline is not set up in isolated mode. The workload's own
 * hook stays. */
static int forget_hook(void)
{
	PyObject *hook = PySys_GetObject("__interactivehook__");

	if (!hook || !site || !PyFunction_Check(hook) ||
	    PyFunction_GET_GLOBALS(hook) != PyModule_GetDict(site))
		return 0;
	return PySys_SetObject("__interactivehook__", NULL);
}

int options_resume(const struct python_options *options)
{
	uint32_t flags = options->flags;

	set_c_streams(options);
	if (set_places(options))
		return -1;
	if ((flags & PYTHON_SAFE_PATH) && cpython_set_flag("safe_path", PyBool_FromLong(1)))
		return -1;
	if ((flags & PYTHON_NO_BYTECODE) && PySys_SetObject("dont_write_bytecode", Py_True))
		return -1;
	if ((flags & PYTHON_ISOLATED) && forget_hook())
		return -1;
	/* site.py, check_enableusersite() */
	if ((flags & PYTHON_NO_USER_SITE) && site &&
	    PyObject_SetAttrString(site, "ENABLE_USER_SITE", Py_False))
		return -1;
	if (flags & PYTHON_FAULTHANDLER)
		return enable_faulthandler(!!(flags & PYTHON_X_FAULTHANDLER));
	return 0;
}
