/*
 * CPython sets LC_CTYPE at its start, which is guarded and renewed elsewhere. For the
 * others a program calls locale.setlocale(LC_ALL, ""); and CPython itself does where it
 * coerces the C locale (pylifecycle.c, _coerce_default_locale_settings), and does not
 * mind if that fails. setlocale(3) then goes by LC_ALL, the category's own variable
 * and LANG.
 */
#include "hooks_locale.h"
#include "cpython.h"
#include "talk.h"
#include "watch.h"

#include <dlfcn.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum origin {
	BY_START,		/* nothing but the interpreter's start */
	BY_ENVIRONMENT,		/* setlocale() with an empty name */
	BY_NAME,
};

static struct category {
	int number;
	const char *variable;	/* with its '=' */
	enum origin origin;
	char *then;		/* its locale's name at the freeze */
} categories[] = {
	{ LC_NUMERIC, "LC_NUMERIC=", BY_START, NULL },
	{ LC_TIME, "LC_TIME=", BY_START, NULL },
	{ LC_COLLATE, "LC_COLLATE=", BY_START, NULL },
	{ LC_MONETARY, "LC_MONETARY=", BY_START, NULL },
	{ LC_MESSAGES, "LC_MESSAGES=", BY_START, NULL },
	{ LC_PAPER, "LC_PAPER=", BY_START, NULL },
	{ LC_NAME, "LC_NAME=", BY_START, NULL },
	{ LC_ADDRESS, "LC_ADDRESS=", BY_START, NULL },
	{ LC_TELEPHONE, "LC_TELEPHONE=", BY_START, NULL },
	{ LC_MEASUREMENT, "LC_MEASUREMENT=", BY_START, NULL },
	{ LC_IDENTIFICATION, "LC_IDENTIFICATION=", BY_START, NULL },
};

#define CATEGORIES (sizeof categories / sizeof *categories)

static PyCFunction set_locale;

/* setlocale(category[, name]); without a name, or with None, it only asks. */
static PyObject *hear(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
	PyObject *result = ((PyObject *(*)(PyObject *, PyObject *const *, Py_ssize_t))
		(void (*)(void))set_locale)(self, arguments, count);
	int number;

	if (!result || count < 2 || !PyUnicode_Check(arguments[1]))
		return result;
	number = (int)PyLong_AsLong(arguments[0]);
	for (size_t i = 0; i < CATEGORIES; i++)
		if (number == LC_ALL || number == categories[i].number)
			categories[i].origin = PyUnicode_GET_LENGTH(arguments[1]) ?
				BY_NAME : BY_ENVIRONMENT;
	return result;
}

static void watch_module_locale(PyObject *module, int late)
{
	(void)late;
	watch_named(module, "setlocale", METH_FASTCALL, (PyCFunction)(void (*)(void))hear,
		&set_locale);
}

void hooks_locale_watch(void)
{
	watch_module("_locale", watch_module_locale);
}

/* glibc, gettext(3): what it translated is kept until this number changes, though
 * LANGUAGE may be another by then (intl/dcigettext.c). */
static void forget_translations(void)
{
	int *counter = dlsym(RTLD_DEFAULT, "_nl_msg_cat_cntr");

	if (counter)
		++*counter;
}

void hooks_locale_before(void)
{
	for (size_t i = 0; i < CATEGORIES; i++) {
		const char *name = setlocale(categories[i].number, NULL);

		if (!name || !(categories[i].then = strdup(name)))
			talk_refuse("out of memory");
	}
	forget_translations();
}

/* What the environment names: the first of each that is not empty. */
struct names {
	const char *all, *lang, *own[CATEGORIES];
};

static void take(const char *variable, const char *name, const char **value)
{
	size_t length = strlen(name);

	if (!*value && strncmp(variable, name, length) == 0 && variable[length])
		*value = variable + length;
}

/* One look at each variable: this is in every restore. */
static void read_names(struct names *names)
{
	memset(names, 0, sizeof *names);
	for (char **variable = environ; *variable; variable++) {
		if ((*variable)[0] != 'L')
			continue;
		take(*variable, "LANG=", &names->lang);
		if (strncmp(*variable, "LC_", 3))
			continue;
		take(*variable, "LC_ALL=", &names->all);
		for (size_t i = 0; i < CATEGORIES; i++)
			take(*variable, categories[i].variable, &names->own[i]);
	}
}

static const char *wanted(const struct names *names, size_t i, int coerced)
{
	const char *name = names->all ? names->all : names->own[i] ? names->own[i] : names->lang;

	if (categories[i].origin == BY_START && !coerced)
		name = NULL;
	return name && strcmp(name, "POSIX") ? name : "C";
}

/* CPython's call sets all of them or none. */
static void set_back(void)
{
	for (size_t i = 0; i < CATEGORIES; i++)
		if (categories[i].origin == BY_START)
			setlocale(categories[i].number, "C");
}

const char *hooks_locale_resume(int coerced)
{
	struct names names;

	read_names(&names);
	for (size_t i = 0; i < CATEGORIES; i++) {
		const char *name = wanted(&names, i, coerced);

		if (categories[i].origin == BY_NAME || strcmp(name, categories[i].then) == 0 ||
		    setlocale(categories[i].number, name))
			continue;
		if (categories[i].origin == BY_ENVIRONMENT)
			return name;
		set_back();
		coerced = 0;
	}
	return NULL;
}
