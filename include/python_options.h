/*
 * What a caller may ask of python3 when it starts it: the options of its
 * command line and its variables, each with what an image does about it. One
 * table of each, and pure functions over them, for all three programs: pydump
 * checks --python-option with them, the host prepares, the code in the image
 * decides by them before anything of the image is changed.
 *
 * Facts: Python/getopt.c, Python/initconfig.c and Python/preconfig.c of CPython
 * 3.11 to 3.15, `python3 --help`, `--help-env`, `--help-xoptions`.
 */
#ifndef PYTHON_OPTIONS_H
#define PYTHON_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

enum python_choice {
	/* A restore does it, or it is read only when it is used. */
	PYTHON_HONOURED,
	/* It steers the start or what imports do, which is past: part of the
	 * image (pydump build --python-option). Asked for at the restore it
	 * leads to the fallback. */
	PYTHON_BAKED,
	/* Plain python3 does it, always: it is about the start itself. */
	PYTHON_PLAIN,
};

/* What the honoured ones ask for; bits of struct python_options.flags. */
enum python_flag {
	PYTHON_ISOLATED = 1 << 0,
	PYTHON_NO_ENVIRONMENT = 1 << 1,	/* -E: no variable of python3's counts */
	PYTHON_NO_USER_SITE = 1 << 2,
	PYTHON_SAFE_PATH = 1 << 3,
	PYTHON_NO_BYTECODE = 1 << 4,
	PYTHON_UNBUFFERED = 1 << 5,
	PYTHON_SKIP_LINE = 1 << 6,
	PYTHON_FAULTHANDLER = 1 << 7,
	PYTHON_X_FAULTHANDLER = 1 << 8,	/* by -X: it is in sys._xoptions, too */
	PYTHON_INSPECT = 1 << 9,	/* counts in .inspect */
	PYTHON_INTERACTIVE = 1 << 10,	/* -i, and no variable */
	PYTHON_QUIET = 1 << 11,		/* counts in .quiet */
	PYTHON_RANDOM_HASH = 1 << 12,	/* as by default, whatever a variable says */
	PYTHON_INSPECT_ZERO = 1 << 13,	/* PYTHONINSPECT is a zero: versions differ */
};

/* How python3 is to start; all zero: as it does with neither an option nor a
 * variable. */
struct python_options {
	uint32_t flags;		/* enum python_flag */
	int32_t inspect;	/* sys.flags.inspect */
	int32_t interactive;	/* sys.flags.interactive */
	int32_t quiet;		/* sys.flags.quiet */
	const char *io_encoding;/* PYTHONIOENCODING where it counts, else NULL */
};

struct python_option {
	const char *name;	/* a letter, or a whole word with its dashes */
	const char *takes;	/* what its argument is, or NULL */
	enum python_choice choice;
	uint32_t flags;
};

/* --- options --- */

/* -c, -m, - and FILE end the options and are no rows. */
static const struct python_option python_option_table[] = {
	{ "b", NULL, PYTHON_BAKED, 0 },
	{ "B", NULL, PYTHON_HONOURED, PYTHON_NO_BYTECODE },
	{ "d", NULL, PYTHON_BAKED, 0 },
	{ "E", NULL, PYTHON_HONOURED, PYTHON_NO_ENVIRONMENT },
	{ "h", NULL, PYTHON_PLAIN, 0 },
	{ "?", NULL, PYTHON_PLAIN, 0 },
	{ "i", NULL, PYTHON_HONOURED, PYTHON_INSPECT | PYTHON_INTERACTIVE },
	{ "I", NULL, PYTHON_HONOURED, PYTHON_ISOLATED | PYTHON_NO_ENVIRONMENT
		| PYTHON_NO_USER_SITE | PYTHON_SAFE_PATH },
	{ "O", NULL, PYTHON_BAKED, 0 },
	{ "P", NULL, PYTHON_HONOURED, PYTHON_SAFE_PATH },
	{ "q", NULL, PYTHON_HONOURED, PYTHON_QUIET },
	/* hashes are randomised anyway; one seed for each image */
	{ "R", NULL, PYTHON_HONOURED, PYTHON_RANDOM_HASH },
	{ "s", NULL, PYTHON_HONOURED, PYTHON_NO_USER_SITE },
	{ "S", NULL, PYTHON_BAKED, 0 },
	/* since 3.0 it does nothing */
	{ "t", NULL, PYTHON_HONOURED, 0 },
	{ "u", NULL, PYTHON_HONOURED, PYTHON_UNBUFFERED },
	{ "v", NULL, PYTHON_PLAIN, 0 },
	{ "V", NULL, PYTHON_PLAIN, 0 },
	{ "W", "arg", PYTHON_BAKED, 0 },
	{ "x", NULL, PYTHON_HONOURED, PYTHON_SKIP_LINE },
	{ "X", "opt", PYTHON_BAKED, 0 },
	{ "--check-hash-based-pycs", "mode", PYTHON_BAKED, 0 },
	{ "--help", NULL, PYTHON_PLAIN, 0 },
	{ "--help-all", NULL, PYTHON_PLAIN, 0 },
	{ "--help-env", NULL, PYTHON_PLAIN, 0 },
	{ "--help-xoptions", NULL, PYTHON_PLAIN, 0 },
	{ "--version", NULL, PYTHON_PLAIN, 0 },
};

/* -X by its name; one that is not here is PYTHON_BAKED. */
static const struct python_option python_x_table[] = {
	{ "context_aware_warnings", "0|1", PYTHON_BAKED, 0 },		/* 3.14+ */
	{ "cpu_count", "number", PYTHON_BAKED, 0 },			/* 3.13+ */
	{ "dev", NULL, PYTHON_BAKED, 0 },
	{ "disable-remote-debug", NULL, PYTHON_BAKED, 0 },		/* 3.14+ */
	{ "faulthandler", NULL, PYTHON_HONOURED,
		PYTHON_FAULTHANDLER | PYTHON_X_FAULTHANDLER },
	{ "frozen_modules", "on|off", PYTHON_BAKED, 0 },
	{ "gil", "0|1", PYTHON_BAKED, 0 },				/* 3.13+ */
	{ "importtime", NULL, PYTHON_PLAIN, 0 },
	{ "int_max_str_digits", "number", PYTHON_BAKED, 0 },
	{ "lazy_imports", "all|normal", PYTHON_BAKED, 0 },		/* 3.15+ */
	{ "no_debug_ranges", NULL, PYTHON_BAKED, 0 },
	{ "pathconfig_warnings", "0|1", PYTHON_BAKED, 0 },		/* 3.15+ */
	{ "perf", NULL, PYTHON_PLAIN, 0 },	/* 3.12+: maps code as it is made */
	{ "perf_jit", NULL, PYTHON_PLAIN, 0 },				/* 3.13+ */
	{ "pycache_prefix", "PATH", PYTHON_BAKED, 0 },
	{ "showrefcount", NULL, PYTHON_BAKED, 0 },
	{ "thread_inherit_context", "0|1", PYTHON_BAKED, 0 },		/* 3.14+ */
	{ "tracemalloc", "NFRAME", PYTHON_BAKED, 0 },
	{ "utf8", "0|1", PYTHON_BAKED, 0 },
	{ "warn_default_encoding", NULL, PYTHON_BAKED, 0 },
};

#define PYTHON_ROWS(table) (sizeof(table) / sizeof(*(table)))

static inline int python_same(const char *left, const char *right)
{
	while (*left && *left == *right) {
		left++;
		right++;
	}
	return *left == *right;
}

static inline const struct python_option *python_find_letter(char letter)
{
	for (size_t i = 0; i < PYTHON_ROWS(python_option_table); i++) {
		const char *name = python_option_table[i].name;

		if (name[0] == letter && !name[1])
			return &python_option_table[i];
	}
	return NULL;
}

static inline const struct python_option *python_find_word(const char *word)
{
	for (size_t i = 0; i < PYTHON_ROWS(python_option_table); i++)
		if (python_same(python_option_table[i].name, word))
			return &python_option_table[i];
	return NULL;
}

/* The row of what follows -X. With a value ("faulthandler=0") an honoured one
 * is not honoured: sys._xoptions would have to hold the text. */
static inline const struct python_option *python_find_x(const char *text)
{
	static const struct python_option other = { "", NULL, PYTHON_BAKED, 0 };

	for (size_t i = 0; i < PYTHON_ROWS(python_x_table); i++) {
		const char *name = python_x_table[i].name, *at = text;

		while (*name && *name == *at) {
			name++;
			at++;
		}
		if (*name || (*at && *at != '='))
			continue;
		if (*at && python_x_table[i].choice == PYTHON_HONOURED)
			return &other;
		return &python_x_table[i];
	}
	return &other;
}

static inline void python_ask(struct python_options *options, uint32_t flags)
{
	options->flags |= flags;
	options->inspect += !!(flags & PYTHON_INSPECT);
	options->interactive += !!(flags & PYTHON_INTERACTIVE);
	options->quiet += !!(flags & PYTHON_QUIET);
}

/* Where reading the words stopped. */
struct python_words {
	int at;			/* index of the first word that was not read */
	char letter;		/* c or m: a letter that ends the options; else 0 */
	const char *value;	/* behind c or m: the rest of its word, or the next
				   word, or NULL where there is none */
	const char *refused;	/* the first word whose choice is greater than what
				   was allowed, unknown, or without its argument */
};

/* Reads options out of argv[0..argc) as CPython's getopt does, up to -c, -m,
 * "--" (which is passed over), a word without a dash, "-" or the end. Rows of a
 * choice up to `allowed` pass; those that are honoured are entered in `options`. */
static inline void python_read_words(int argc, char *const *argv,
	enum python_choice allowed, struct python_options *options,
	struct python_words *words)
{
	*words = (struct python_words){ 0 };
	while (words->at < argc) {
		const char *word = argv[words->at], *letter = word + 1, *value;
		const struct python_option *row;

		if (word[0] != '-' || !word[1])
			return;
		words->at++;
		if (python_same(word, "--"))
			return;
		for (int more = 1; more; more = *letter != 0) {
			int whole = word[1] == '-';

			if (!whole && (*letter == 'c' || *letter == 'm')) {
				words->letter = *letter;
				words->value = letter[1] ? letter + 1
					: words->at < argc ? argv[words->at++] : NULL;
				if (!words->value)
					words->refused = word;
				return;
			}
			row = whole ? python_find_word(word) : python_find_letter(*letter);
			letter = whole ? "" : letter + 1;
			if (row && row->takes) {
				value = *letter ? letter
					: words->at < argc ? argv[words->at++] : NULL;
				letter = "";
				if (!value)
					row = NULL;
				else if (row->name[0] == 'X')
					row = python_find_x(value);
			}
			if (!row || row->choice > allowed) {
				words->refused = word;
				return;
			}
			if (row->choice == PYTHON_HONOURED)
				python_ask(options, row->flags);
		}
	}
}

/* Of options and, behind them, what to run ("-c CODE", "-m MODULE" or a file, as
 * words of their own): the index where that begins, `count` where it is not
 * there. */
static inline int python_find_entry(int count, char *const *words)
{
	struct python_options unused = { 0 };
	struct python_words read;

	python_read_words(count, words, PYTHON_BAKED, &unused, &read);
	if (read.refused)
		return count;
	if (read.letter && read.value == words[read.at - 1])
		return read.at - 2;
	return read.letter ? read.at - 1 : read.at;
}

/* --- variables --- */

enum python_value {
	PYTHON_TEXT,		/* asks for it unless it is empty */
	PYTHON_NUMBER,		/* likewise, but not if it is 0 */
	PYTHON_IO_ENCODING,	/* PYTHONIOENCODING */
	PYTHON_RANDOM,		/* honoured if it is "random", else baked */
	PYTHON_BY_MODULE,	/* PYTHON_TEXT, and -E does not matter: a module of
				   the library reads it, and does not ask */
};

struct python_variable {
	const char *name;
	enum python_choice choice;
	enum python_value value;
	uint32_t flags;		/* none: it is read when it is used, or never */
};

/* All that CPython 3.11 to 3.15 and its library read; an empty value means
 * nothing to any of them. Others that begin with PYTHON are the program's, such
 * as PYTHON_VERSION of container images. */
static const struct python_variable python_variable_table[] = {
	{ "PYTHONASYNCIODEBUG", PYTHON_HONOURED, PYTHON_TEXT, 0 },
	{ "PYTHONBREAKPOINT", PYTHON_HONOURED, PYTHON_TEXT, 0 },
	{ "PYTHONCASEOK", PYTHON_HONOURED, PYTHON_TEXT, 0 },	/* not on Linux */
	{ "PYTHONCOERCECLOCALE", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHONDEBUG", PYTHON_BAKED, PYTHON_NUMBER, 0 },
	{ "PYTHONDEVMODE", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHONDOCS", PYTHON_HONOURED, PYTHON_TEXT, 0 },	/* pydoc */
	{ "PYTHONDONTWRITEBYTECODE", PYTHON_HONOURED, PYTHON_NUMBER, PYTHON_NO_BYTECODE },
	{ "PYTHONDUMPREFS", PYTHON_HONOURED, PYTHON_TEXT, 0 },	/* debug builds */
	{ "PYTHONDUMPREFSFILE", PYTHON_HONOURED, PYTHON_TEXT, 0 },
	{ "PYTHONEXECUTABLE", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHONFAULTHANDLER", PYTHON_HONOURED, PYTHON_TEXT, PYTHON_FAULTHANDLER },
	{ "PYTHONHASHSEED", PYTHON_HONOURED, PYTHON_RANDOM, PYTHON_RANDOM_HASH },
	{ "PYTHONHOME", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHONINSPECT", PYTHON_HONOURED, PYTHON_NUMBER, PYTHON_INSPECT },
	{ "PYTHONINTMAXSTRDIGITS", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHONIOENCODING", PYTHON_HONOURED, PYTHON_IO_ENCODING, 0 },
	{ "PYTHONLEGACYWINDOWSFSENCODING", PYTHON_HONOURED, PYTHON_TEXT, 0 },
	{ "PYTHONLEGACYWINDOWSSTDIO", PYTHON_HONOURED, PYTHON_TEXT, 0 },
	{ "PYTHONMALLOC", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHONMALLOCSTATS", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHONNODEBUGRANGES", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHONNOUSERSITE", PYTHON_HONOURED, PYTHON_NUMBER, PYTHON_NO_USER_SITE },
	{ "PYTHONOPTIMIZE", PYTHON_BAKED, PYTHON_NUMBER, 0 },
	{ "PYTHONPATH", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHONPLATLIBDIR", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHONPROFILEIMPORTTIME", PYTHON_PLAIN, PYTHON_TEXT, 0 },
	{ "PYTHONPYCACHEPREFIX", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHONSAFEPATH", PYTHON_HONOURED, PYTHON_TEXT, PYTHON_SAFE_PATH },
	{ "PYTHONSTARTUP", PYTHON_HONOURED, PYTHON_TEXT, 0 },
	{ "PYTHONTHREADDEBUG", PYTHON_HONOURED, PYTHON_TEXT, 0 },	/* debug builds */
	{ "PYTHONTRACEMALLOC", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHONTZPATH", PYTHON_BAKED, PYTHON_BY_MODULE, 0 },
	{ "PYTHONUNBUFFERED", PYTHON_HONOURED, PYTHON_NUMBER, PYTHON_UNBUFFERED },
	{ "PYTHONUSERBASE", PYTHON_BAKED, PYTHON_BY_MODULE, 0 },
	{ "PYTHONUTF8", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHONVERBOSE", PYTHON_PLAIN, PYTHON_NUMBER, 0 },
	{ "PYTHONWARNDEFAULTENCODING", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHONWARNINGS", PYTHON_BAKED, PYTHON_TEXT, 0 },
	/* 3.12 and later */
	{ "PYTHONPERFSUPPORT", PYTHON_PLAIN, PYTHON_TEXT, 0 },
	{ "PYTHON_BASIC_COMPLETER", PYTHON_HONOURED, PYTHON_TEXT, 0 },
	{ "PYTHON_BASIC_REPL", PYTHON_HONOURED, PYTHON_TEXT, 0 },
	{ "PYTHON_COLORS", PYTHON_HONOURED, PYTHON_TEXT, 0 },
	{ "PYTHON_CONTEXT_AWARE_WARNINGS", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_CPU_COUNT", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_DISABLE_REMOTE_DEBUG", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_FROZEN_MODULES", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_GIL", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_HISTORY", PYTHON_HONOURED, PYTHON_TEXT, 0 },
	/* an image is of a build whose JIT is off */
	{ "PYTHON_JIT", PYTHON_BAKED, PYTHON_NUMBER, 0 },
	{ "PYTHON_JIT_FITNESS_INITIAL", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_JIT_JUMP_BACKWARD_INITIAL_BACKOFF", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_JIT_JUMP_BACKWARD_INITIAL_VALUE", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_JIT_RESUME_INITIAL_BACKOFF", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_JIT_RESUME_INITIAL_VALUE", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_JIT_SIDE_EXIT_INITIAL_BACKOFF", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_JIT_SIDE_EXIT_INITIAL_VALUE", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_JIT_STRESS", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_LAZY_IMPORTS", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_PATHCONFIG_WARNINGS", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_PERF_JIT_SUPPORT", PYTHON_PLAIN, PYTHON_TEXT, 0 },
	{ "PYTHON_PRESITE", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_PYMALLOC_HUGEPAGES", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_SPECIALIZATION_OFF", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_THREAD_INHERIT_CONTEXT", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_TLBC", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_UOPS", PYTHON_BAKED, PYTHON_TEXT, 0 },
	{ "PYTHON_UOPS_OPTIMIZE", PYTHON_BAKED, PYTHON_TEXT, 0 },
};

/* The value in "NAME=VALUE" if it is that of the row, else NULL. */
static inline const char *python_value_of(const struct python_variable *row,
	const char *assignment)
{
	const char *name = row->name;

	while (*name && *name == *assignment) {
		name++;
		assignment++;
	}
	return !*name && *assignment == '=' ? assignment + 1 : NULL;
}

/* The row of "NAME=VALUE", or NULL. */
static inline const struct python_variable *python_find_variable(const char *assignment)
{
	for (size_t i = 0; i < PYTHON_ROWS(python_variable_table); i++)
		if (python_value_of(&python_variable_table[i], assignment))
			return &python_variable_table[i];
	return NULL;
}

/* The number that preconfig.c's _Py_get_env_flag makes of a text: what is no
 * number (strtol, all of it, an int) or is negative stands for 1. */
static inline int32_t python_flag_value(const char *text)
{
	int64_t number = 0;

	int negative;

	/* strtol passes over white space, and takes a sign */
	while (*text == ' ' || (*text >= '\t' && *text <= '\r'))
		text++;
	negative = *text == '-';
	if (*text == '+' || negative)
		text++;
	if (!*text)
		return 1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return 1;
		number = number * 10 + (*text - '0');
		if (number > INT32_MAX)
			return 1;
	}
	return negative && number ? 1 : (int32_t)number;
}

/* Whether an image can do what "NAME=VALUE" (NAME begins with PYTHON) asks for.
 * 1: it can, and that is entered in `options`; 0: it can't; -1: it can't, under
 * -E either. */
static inline int python_take_variable(const char *assignment,
	struct python_options *options)
{
	const struct python_variable *row = python_find_variable(assignment);
	const char *value = assignment;
	int32_t number;

	while (*value && *value != '=')
		value++;
	if (!row || !*value || !value[1])
		return 1;
	value++;
	if (row->choice != PYTHON_HONOURED && row->value == PYTHON_NUMBER)
		return !python_flag_value(value);
	if (row->choice != PYTHON_HONOURED)
		return row->value == PYTHON_BY_MODULE ? -1 : 0;
	if (row->value == PYTHON_RANDOM && !python_same(value, "random"))
		return 0;
	if (row->value == PYTHON_IO_ENCODING) {
		if (!options->io_encoding)
			options->io_encoding = value;
		return 1;
	}
	number = row->value == PYTHON_NUMBER ? python_flag_value(value) : 1;
	if (number)
		options->flags |= row->flags;
	else if (row->flags == PYTHON_INSPECT)
		options->flags |= PYTHON_INSPECT_ZERO;
	if (row->flags == PYTHON_INSPECT && options->inspect < number)
		options->inspect = number;
	return 1;
}

#endif
