/*
 * Where a spec comes from: files of --spec first, then the command line, by the one
 * table of options in spec.c.
 */
#include "spec.h"

#include "alloc.h"
#include "entry.h"
#include "err.h"
#include "path.h"
#include "toml.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LONG 256	/* getopt's number of the first row; letters are below */

static size_t count_options(void)
{
	size_t count = 0;

	while (spec_options[count].name)
		count++;
	return count;
}

static void set_flag(struct spec *spec, const struct spec_option *row, int value)
{
	*(int *)(void *)((char *)spec + row->flag) = value;
}

/* --- a file --- */

static int no_such_key(const char *file, const char *key, struct err *err)
{
	char *known = alloc_copy("");

	for (const struct spec_option *row = spec_options; row->name; row++) {
		char *more;

		if (row->kind == SPEC_FILE || row->kind == SPEC_HELP)
			continue;
		more = alloc_print("%s%s%s", known, *known ? ", " : "", row->name);
		free(known);
		known = more;
	}
	err_set(err, ERR_USAGE, "%s: unknown key %s; known are: %s", file, key, known);
	free(known);
	return -1;
}

static int wrong_type(const char *file, const struct spec_option *row,
		      const struct toml_value *value, struct err *err)
{
	static const char *const is[] = {
		[TOML_STRING] = "a string",
		[TOML_BOOLEAN] = "true or false",
		[TOML_ITEM] = "an array",
		[TOML_EMPTY] = "an array",
	};
	static const char *const wanted[] = {
		[SPEC_FLAG] = "true or false",
		[SPEC_TEXT] = "a string",
		[SPEC_TEXTS] = "an array of strings",
		[SPEC_COMMAND] = "an array of strings",
	};

	return err_set(err, ERR_USAGE, "%s: %s must be %s, not %s", file, row->name,
		       wanted[row->kind],
		       value->type == TOML_OTHER ? value->text : is[value->type]);
}

static int take_value(struct spec *spec, const char *file, const struct toml_value *value,
		      struct err *err)
{
	const struct spec_option *row = spec_options;

	while (row->name && strcmp(row->name, value->key) != 0)
		row++;
	if (!row->name || row->kind == SPEC_FILE || row->kind == SPEC_HELP)
		return no_such_key(file, value->key, err);
	switch (row->kind) {
	case SPEC_FLAG:
		if (value->type != TOML_BOOLEAN)
			return wrong_type(file, row, value, err);
		set_flag(spec, row, strcmp(value->text, "true") == 0);
		return 0;
	case SPEC_TEXT:
		if (value->type != TOML_STRING)
			return wrong_type(file, row, value, err);
		break;
	default:
		if (value->type != TOML_ITEM && value->type != TOML_EMPTY)
			return wrong_type(file, row, value, err);
		if (row->kind == SPEC_COMMAND)
			spec->has_command = 1;
		if (value->type == TOML_EMPTY)
			return 0;
	}
	return row->take(spec, value->text, err) ? err_prefix(err, "%s", file) : 0;
}

static int take_file(struct spec *spec, const char *name, struct err *err)
{
	struct toml toml = {0};
	char *path = path_absolute(name, err);
	int result = path ? toml_read(path, name, &toml, err) : -1;

	if (!result)
		spec->base = path_folder(path);
	for (size_t i = 0; !result && i < toml.count; i++)
		result = take_value(spec, name, &toml.values[i], err);
	if (!result && spec->has_command && spec->entry)
		result = err_set(err, ERR_USAGE, "%s: entry and for exclude each other: the "
				 "command is the entry", name);
	free(spec->base);
	spec->base = NULL;
	free(path);
	toml_free(&toml);
	return result;
}

/* --- the command line --- */

/* getopt's own message would go to stderr unasked; this one goes up. */
static int unknown(int option, char **argv, int at, struct err *err)
{
	const char *word = argv[at] ? argv[at] : "";

	if (option == ':')
		return err_set(err, ERR_USAGE, "%s: an argument is missing", word);
	if (strncmp(word, "--", 2) == 0)
		return err_set(err, ERR_USAGE,
			       "%s: unknown or ambiguous option, or one without argument",
			       word);
	return err_set(err, ERR_USAGE, "-%c: unknown option", optopt);
}

static int takes_argument(const struct spec_option *row)
{
	return row->kind == SPEC_TEXT || row->kind == SPEC_TEXTS || row->kind == SPEC_FILE;
}

/* getopt's tables, of count + 1 rows and 2 * count + 3 letters. */
static void make_tables(struct option *longs, char *letters)
{
	*letters++ = '+';
	*letters++ = ':';
	for (const struct spec_option *row = spec_options; row->name; row++, longs++) {
		*longs = (struct option){
			row->name, takes_argument(row) ? required_argument : no_argument,
			NULL, FIRST_LONG + (int)(row - spec_options),
		};
		if (!row->letter)
			continue;
		*letters++ = row->letter;
		if (takes_argument(row))
			*letters++ = ':';
	}
}

static const struct spec_option *find_option(int option)
{
	const struct spec_option *row = spec_options;

	if (option >= FIRST_LONG)
		return row + (option - FIRST_LONG);
	while (row->letter != option)
		row++;
	return row;
}

/* What was given on the command line, of the two that exclude each other. */
struct given {
	int entry, command;
};

static int take_option(struct spec *spec, const struct spec_option *row, struct given *given,
		       struct err *err)
{
	if (row->letter == 'e') {
		given->entry = 1;
		spec->has_command = 0;	/* a file's */
		list_free(&spec->command);
	}
	switch (row->kind) {
	case SPEC_FLAG:
	case SPEC_HELP:
		set_flag(spec, row, 1);
		return 0;
	case SPEC_FILE:
		return 0;	/* read before */
	case SPEC_COMMAND:
		given->command = 1;
		spec->has_command = 1;
		list_free(&spec->command);	/* a file's */
		free(spec->entry);
		spec->entry = NULL;
		return 0;
	default:
		return row->take(spec, optarg, err);
	}
}

/* One pass over the options: for those files that --spec names, or for the rest. */
static int pass(int argc, char **argv, int files, struct spec *spec, struct given *given,
		struct err *err)
{
	struct option longs[64] = {{0}};
	char letters[2 * 64 + 3] = "";
	int result = 0;

	if (count_options() >= 64)
		return err_set(err, ERR_USAGE, "more options than spec_read.c has room for");
	make_tables(longs, letters);
	optind = 0;	/* glibc: start anew, also after another parse */
	while (!result) {
		int at = optind ? optind : 1;
		int option = getopt_long(argc, argv, letters, longs, NULL);
		const struct spec_option *row;

		if (option == -1)
			break;
		if (option == '?' || option == ':')
			return unknown(option, argv, at, err);
		row = find_option(option);
		if (!files)
			result = take_option(spec, row, given, err);
		else if (row->kind == SPEC_FILE)
			result = take_file(spec, optarg, err);
	}
	return result;
}

/* --venv says what the image is made of and where it goes. */
static int check_venv(const struct spec *spec, struct err *err)
{
	if (!spec->venv)
		return spec->install || spec->uninstall ?
			err_set(err, ERR_USAGE, "--%s is for --venv DIR",
				spec->install ? "install" : "uninstall") : 0;
	if (spec->install == spec->uninstall)
		return err_set(err, ERR_USAGE, "--venv %s: either --install or --uninstall "
			       "says what to do", spec->venv);
	if (spec->output || spec->python)
		return err_set(err, ERR_USAGE, "--venv %s: it says itself what --%s says",
			       spec->venv, spec->output ? "output" : "python");
	if (spec->has_command || spec->entry)
		return err_set(err, ERR_USAGE, "--venv %s: its python runs what it is told; "
			       "--%s is for images of their own", spec->venv,
			       spec->entry ? "entry" : "for");
	if (spec->uninstall && (spec->imports.count || spec->warmups.count ||
				spec->options.count || spec->keep_env.count))
		return err_set(err, ERR_USAGE, "--uninstall builds nothing: it takes --venv "
			       "only");
	return 0;
}

/* What stands behind the options, and what does not go together. */
static int finish(int argc, char **argv, const struct given *given, struct spec *spec,
		  struct err *err)
{
	if (given->entry && given->command)
		return err_set(err, ERR_USAGE, "--entry and --for exclude each other: the "
			       "command is the entry");
	for (; given->command && optind < argc; optind++)
		if (spec_add_word(spec, argv[optind], err))
			return -1;
	if (spec->has_command && (!spec->command.count || !*spec->command.items[0]))
		return err_set(err, ERR_USAGE, "--for: the command is missing "
			       "(--for -- COMMAND [ARG...])");
	if (spec->measure && !spec->has_command)
		return err_set(err, ERR_USAGE, "--measure is for the command of --for");
	if (optind < argc)
		return err_set(err, ERR_USAGE,
			       "%s: unexpected argument (modules are given with -i)",
			       argv[optind]);
	if (check_venv(spec, err))
		return -1;
	if (!spec->output && !spec->venv)
		return err_set(err, ERR_USAGE, "-o IMAGE is missing");
	if (spec->quiet && spec->verbose)
		return err_set(err, ERR_USAGE, "-q and -v exclude each other");
	entry_complete(spec);
	return 0;
}

int spec_parse(int argc, char **argv, struct spec *spec, struct err *err)
{
	struct given given = {0};

	*spec = (struct spec){0};
	if (pass(argc, argv, 1, spec, &given, err) ||
	    pass(argc, argv, 0, spec, &given, err))
		return -1;
	return spec->help ? 0 : finish(argc, argv, &given, spec, err);
}
