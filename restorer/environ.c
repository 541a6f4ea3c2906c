/*
 * The environment, looked through once. Linked into pyimage and into every
 * image.
 */
#include "environ.h"

#include "foreign.h"
#include "handoff.h"
#include <stddef.h>

#include "text.h"

/* Names that are picked up. The table's order is no matter; a name's first
 * letter decides most comparisons. */
static const struct {
	const char *name;	/* with its '=' */
	size_t field;		/* in struct environ_values */
} environ_wanted[] = {
	{ "LC_ALL=", offsetof(struct environ_values, lc_all) },
	{ "LC_CTYPE=", offsetof(struct environ_values, lc_ctype) },
	{ "LANG=", offsetof(struct environ_values, lang) },
	{ "TZ=", offsetof(struct environ_values, tz) },
	{ "HOME=", offsetof(struct environ_values, home) },
	{ "PYIMAGE=", offsetof(struct environ_values, mode) },
	{ "PYIMAGE_VERBOSE=", offsetof(struct environ_values, verbose) },
	{ "PYIMAGE_FINALIZE=", offsetof(struct environ_values, finalize) },
	{ "PYIMAGE_ENTRY=", offsetof(struct environ_values, entry) },
	{ "PYIMAGE_KSM=", offsetof(struct environ_values, ksm) },
	{ "PYIMAGE_HOLD=", offsetof(struct environ_values, hold) },
};

#define LENGTH(table) (sizeof(table) / sizeof(*(table)))

static void pick(const char *variable, struct environ_values *values)
{
	for (size_t i = 0; i < LENGTH(environ_wanted); i++) {
		const char *value = text_after(variable, environ_wanted[i].name);
		const char **field = (const char **)(void *)((char *)values
			+ environ_wanted[i].field);

		if (!value)
			continue;
		if (!*field)
			*field = value;
		return;
	}
}

static void take_python(const char *variable, struct environ_values *values)
{
	int can = python_take_variable(variable, &values->options);
	const char **refused = can < 0 ? &values->module : &values->python;

	if (can <= 0 && !*refused)
		*refused = variable;
}

void environ_read(char **envp, struct environ_values *values)
{
	*values = (struct environ_values){ NULL };
	for (; *envp; envp++)
		switch (**envp) {
		case 'P':
			if (text_after(*envp, "PYTHON"))
				take_python(*envp, values);
			else
				pick(*envp, values);
			break;
		case 'L': case 'M': case 'G': case 'O': case 'K': case 'N': case '_':
			if (!values->foreign && foreign_is(*envp))
				values->foreign = *envp;
			/* fall through */
		case 'T': case 'H':
			pick(*envp, values);
		}
}

/* Python/initconfig.c: a variable raises what the command line asked for. */
const char *environ_ask(const struct environ_values *values,
	struct python_options *options)
{
	if (options->flags & PYTHON_NO_ENVIRONMENT)
		return NULL;
	options->flags |= values->options.flags;
	if (options->inspect < values->options.inspect)
		options->inspect = values->options.inspect;
	options->io_encoding = values->options.io_encoding;
	return values->python;
}

const char *environ_locale(const struct environ_values *values)
{
	if (values->lc_all && *values->lc_all)
		return values->lc_all;
	if (values->lc_ctype && *values->lc_ctype)
		return values->lc_ctype;
	if (values->lang && *values->lang)
		return values->lang;
	return "C";
}

static unsigned int kind_of(const char *locale, int by_lc_all)
{
	if (text_equal(locale, "C.UTF-8"))
		return STARTUP_LOCALE_UTF8;
	if (!by_lc_all && (text_equal(locale, "C") || text_equal(locale, "POSIX")))
		return STARTUP_LOCALE_COERCED;
	return STARTUP_LOCALE_SAME;
}

unsigned int environ_kind_of_locale(const struct environ_values *values)
{
	return kind_of(environ_locale(values), values->lc_all && *values->lc_all);
}

int environ_same_locale(const struct environ_values *values, const char *frozen,
	int by_lc_all)
{
	const char *locale = environ_locale(values);

	if (environ_kind_of_locale(values) && kind_of(frozen, by_lc_all))
		return 1;
	if (!text_equal(locale, frozen))
		return 0;
	if (!text_equal(locale, "C") && !text_equal(locale, "POSIX"))
		return 1;
	return !by_lc_all == !(values->lc_all && *values->lc_all);
}

int environ_timezone_changed(const struct environ_values *values, const char *frozen,
	int *local)
{
	/* An unset TZ stands for /etc/localtime, an empty one for UTC: the
	 * image's "" is the former. */
	*local = !values->tz;
	if (!values->tz)
		return *frozen != '\0';
	return !*values->tz || !text_equal(values->tz, frozen);
}
