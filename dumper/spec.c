/*
 * The options of `pydump build`; see spec.h.
 */
#include "spec.h"

#include "alloc.h"
#include "allocations.h"
#include "entry.h"
#include "err.h"
#include "path.h"
#include "python_options.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *const freshness_names[] = {
	[SPEC_DPKG] = "dpkg",
	[SPEC_STAT] = "stat",
	[SPEC_LIBS] = "libs",
	[SPEC_NONE] = "none",
};

static const char *const io_names[] = {
	[SPEC_IO_LOCAL] = "local",
	[SPEC_IO_STRICT] = "strict",
	[SPEC_IO_NETWORK] = "network",
};

/* Variables by which pydump starts and steers the interpreter. */
static const char *const own_variables[] = {
	"LD_PRELOAD", "LD_BIND_NOW", "PYDUMP_CONTROL",
	"PYIMAGE", "PYIMAGE_HOLD", "PYIMAGE_ENTRY", "PYIMAGE_TRIAL", GATHER_WRITES_ENV,
};

const char *spec_freshness_name(enum spec_freshness freshness)
{
	return freshness_names[freshness];
}

const char *spec_io_name(enum spec_io io)
{
	return io_names[io];
}

char *spec_resolve(const struct spec *spec, const char *path)
{
	if (*path == '/' || !spec->base)
		return alloc_copy(path);
	return alloc_print("%s/%s", spec->base, path);
}

/* A command with a slash is a path; its arguments are its own. */
int spec_add_word(struct spec *spec, const char *text, struct err *err)
{
	char *path = NULL;

	if (spec->base && !spec->command.count && strchr(text, '/')) {
		char *resolved = spec_resolve(spec, text);

		path = path_absolute(resolved, err);
		free(resolved);
		if (!path)
			return -1;
	}
	list_add(&spec->command, path ? path : text);
	free(path);
	return 0;
}

static int add_import(struct spec *spec, const char *name, struct err *err)
{
	if (!*name)
		return err_set(err, ERR_USAGE, "--import: the name is empty");
	/* the name becomes part of Python source when times are measured */
	if (!entry_is_dotted(name))
		return err_set(err, ERR_USAGE, "--import %s: not a module's name", name);
	list_add(&spec->imports, name);
	return 0;
}

static int add_warmup(struct spec *spec, const char *name, struct err *err)
{
	char *resolved, *path;

	if (!*name)
		return err_set(err, ERR_USAGE, "--warm-up: the name is empty");
	resolved = spec_resolve(spec, name);
	path = path_absolute(resolved, err);
	free(resolved);
	if (!path)
		return -1;
	list_add(&spec->warmups, path);
	free(path);
	return 0;
}

/* What each start is asked anew can be no part of an image. */
static int check_variable(const char *text, struct err *err)
{
	const size_t count = sizeof(python_variable_table) / sizeof(*python_variable_table);

	for (size_t i = 0; i < count; i++) {
		const struct python_variable *row = &python_variable_table[i];
		size_t length = strlen(row->name);
		int asks = (row->flags && row->value != PYTHON_RANDOM) ||
			   row->value == PYTHON_IO_ENCODING;

		if (strncmp(row->name, text, length) || (text[length] && text[length] != '='))
			continue;
		if (asks || row->choice == PYTHON_PLAIN)
			return err_set(err, ERR_USAGE, "--keep-env %s: no image can hold "
				       "it; set it when the image is run", row->name);
	}
	return 0;
}

static int add_keep_env(struct spec *spec, const char *text, struct err *err)
{
	size_t length = strcspn(text, "=");

	if (!length)
		return err_set(err, ERR_USAGE,
			       "--keep-env %s: no variable's name", text);
	for (size_t i = 0; i < sizeof(own_variables) / sizeof(*own_variables); i++)
		if (strlen(own_variables[i]) == length &&
		    strncmp(own_variables[i], text, length) == 0)
			return err_set(err, ERR_USAGE,
				       "--keep-env %s: pydump needs this variable itself",
				       own_variables[i]);
	list_add(&spec->keep_env, text);
	return check_variable(text, err);
}

/* What pydump and the image itself read, and what python_options.h decides. */
static int has_own_rule(const char *name)
{
	char *assignment = alloc_print("%s=", name);
	int is = strncmp(name, "PYIMAGE", 7) == 0 || strncmp(name, "PYDUMP_", 7) == 0 ||
		 python_find_variable(assignment);

	free(assignment);
	return is;
}

static int has(const struct list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return 1;
	return 0;
}

static int add_guard_env(struct list *list, const struct list *other, const char *option,
			 const char *name, struct err *err)
{
	if (!*name || strchr(name, '='))
		return err_set(err, ERR_USAGE, "%s %s: no variable's name", option, name);
	if (has_own_rule(name))
		return err_set(err, ERR_USAGE, "%s %s: this variable has its rule already; see "
			       "ENVIRONMENT in pyimage(1)", option, name);
	if (has(other, name))
		return err_set(err, ERR_USAGE, "--guard-env and --no-guard-env exclude each "
			       "other: %s", name);
	if (!has(list, name))
		list_add(list, name);
	return 0;
}

/* "-X dev" is two words, as in a shell: what stands before the blank lacks its
 * argument. "-Wignore:a b" is one. */
static void split_option(const char *text, struct list *words)
{
	const char *blank = strchr(text, ' ');
	struct python_options unused = {0};
	struct python_words read = {0};
	struct list head = {0};

	if (blank) {
		list_print(&head, "%.*s", (int)(blank - text), text);
		python_read_words(1, head.items, PYTHON_BAKED, &unused, &read);
	}
	list_add(words, read.refused ? head.items[0] : text);
	if (read.refused)
		list_add(words, blank + 1);
	list_free(&head);
}

static int add_python_option(struct spec *spec, const char *text, struct err *err)
{
	struct python_options unused = {0};
	struct python_words read;
	struct list words = {0};
	int ended;

	if (*text)
		split_option(text, &words);
	python_read_words((int)words.count, words.items, PYTHON_BAKED, &unused, &read);
	ended = !words.count || read.letter || read.at < (int)words.count ||
		strcmp(text, "--") == 0;
	for (size_t i = 0; i < words.count; i++)
		list_add(&spec->options, words.items[i]);
	list_free(&words);
	if (ended)
		return err_set(err, ERR_USAGE, "--python-option %s: no option of python3 "
			       "(what to run is given when the image is run)", text);
	if (strncmp(text, "-X", 2) == 0 ? strstr(text + 2, " -") != NULL :
	    read.refused && text[0] == '-' && strchr(text, ' '))
		return err_set(err, ERR_USAGE, "--python-option %s: more than one option; "
			       "repeat --python-option for each", text);
	if (read.refused)
		return err_set(err, ERR_USAGE, "--python-option %s: an option that no "
			       "image can hold, or python3 does not know, or one that "
			       "lacks its argument", text);
	return 0;
}

/* The name's place in the table, or -1. */
static int find_name(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(name, names[i]) == 0)
			return (int)i;
	return -1;
}

static int set_freshness(struct spec *spec, const char *name, struct err *err)
{
	int found = find_name(name, freshness_names,
			      sizeof(freshness_names) / sizeof(*freshness_names));

	if (found < 0)
		return err_set(err, ERR_USAGE,
			       "--freshness %s: must be dpkg, stat, libs or none", name);
	spec->freshness = (enum spec_freshness)found;
	return 0;
}

static int set_io(struct spec *spec, const char *name, struct err *err)
{
	int found = find_name(name, io_names, sizeof(io_names) / sizeof(*io_names));

	if (found < 0)
		return err_set(err, ERR_USAGE,
			       "--io %s: must be strict, local or network", name);
	spec->io = (enum spec_io)found;
	return 0;
}

static int set_text(char **field, const char *name, const char *text,
		    struct err *err)
{
	if (!*text)
		return err_set(err, ERR_USAGE, "%s: the name is empty", name);
	free(*field);
	*field = alloc_copy(text);
	return 0;
}

/* The same for a path. */
static int set_path(struct spec *spec, char **field, const char *name, const char *text,
		    struct err *err)
{
	char *path = *text ? spec_resolve(spec, text) : alloc_copy(text);
	int result = set_text(field, name, path, err);

	free(path);
	return result;
}

static int take_guard_env(struct spec *spec, const char *name, struct err *err)
{
	if (strcmp(name, "*") == 0)
		return err_set(err, ERR_USAGE, "--guard-env *: name each variable");
	return add_guard_env(&spec->guard_env, &spec->no_guard_env, "--guard-env", name,
			     err);
}

static int take_no_guard_env(struct spec *spec, const char *name, struct err *err)
{
	return add_guard_env(&spec->no_guard_env, &spec->guard_env, "--no-guard-env", name,
			     err);
}

static int set_output(struct spec *spec, const char *text, struct err *err)
{
	return set_path(spec, &spec->output, "--output", text, err);
}

/* A version is no path. */
static int set_python(struct spec *spec, const char *text, struct err *err)
{
	if (strchr(text, '/'))
		return set_path(spec, &spec->python, "--python", text, err);
	return set_text(&spec->python, "--python", text, err);
}

static int set_venv(struct spec *spec, const char *text, struct err *err)
{
	return set_path(spec, &spec->venv, "--venv", text, err);
}

#define FLAG(field) .kind = SPEC_FLAG, .flag = offsetof(struct spec, field)

const struct spec_option spec_options[] = {
	{"import", 'i', SPEC_TEXTS, .take = add_import},
	{"warm-up", 'w', SPEC_TEXTS, .take = add_warmup},
	{"entry", 'e', SPEC_TEXT, .take = entry_take},
	{"for", 0, SPEC_COMMAND, .take = spec_add_word},
	{"measure", 0, FLAG(measure)},
	{"pack", 0, FLAG(pack)},
	{"spec", 'f', .kind = SPEC_FILE},
	{"output", 'o', SPEC_TEXT, .take = set_output},
	{"python", 0, SPEC_TEXT, .take = set_python},
	{"python-option", 0, SPEC_TEXTS, .take = add_python_option},
	{"keep-env", 0, SPEC_TEXTS, .take = add_keep_env},
	{"guard-env", 0, SPEC_TEXTS, .take = take_guard_env},
	{"no-guard-env", 0, SPEC_TEXTS, .take = take_no_guard_env},
	{"freshness", 0, SPEC_TEXT, .take = set_freshness},
	{"io", 0, SPEC_TEXT, .take = set_io},
	{"terminal", 0, FLAG(terminal)},
	{"no-immortal", 0, FLAG(no_immortal)},
	{"venv", 0, SPEC_TEXT, .take = set_venv},
	{"install", 0, FLAG(install)},
	{"uninstall", 0, FLAG(uninstall)},
	{"json", 0, FLAG(json)},
	{"quiet", 'q', FLAG(quiet)},
	{"verbose", 'v', FLAG(verbose)},
	{"help", 'h', .kind = SPEC_HELP, .flag = offsetof(struct spec, help)},
	{.name = NULL},
};

void spec_free(struct spec *spec)
{
	list_free(&spec->imports);
	list_free(&spec->warmups);
	list_free(&spec->keep_env);
	list_free(&spec->guard_env);
	list_free(&spec->no_guard_env);
	list_free(&spec->options);
	free(spec->base);
	free(spec->output);
	free(spec->python);
	free(spec->venv);
	free(spec->entry);
	free(spec->function);
	free(spec->argv0);
	list_free(&spec->entry_words);
	list_free(&spec->command);
	list_free(&spec->recorded);
	list_free(&spec->patterns);
	*spec = (struct spec){0};
}
