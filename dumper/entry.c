/*
 * Entries; see entry.h.
 */
#include "entry.h"

#include "alloc.h"
#include "err.h"
#include "path.h"
#include "script.h"
#include "spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".pyimage"

int entry_is_dotted(const char *name)
{
	for (const char *p = name; *p; p++) {
		int inside = strchr("abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ_", *p) ||
			     (unsigned char)*p >= 0x80;
		int later = p > name && (strchr("0123456789", *p) ||
			    (*p == '.' && p[-1] != '.' && p[1]));

		if (!inside && !later)
			return 0;
	}
	return *name != '\0';
}

static int is_path(const char *text)
{
	size_t length = strlen(text);

	return strchr(text, '/') || (length > 3 && strcmp(text + length - 3, ".py") == 0);
}

static int is_function(const char *text)
{
	const char *colon = strchr(text, ':');
	char *module = colon ? alloc_print("%.*s", (int)(colon - text), text) : NULL;
	int is = module && entry_is_dotted(module) && entry_is_dotted(colon + 1);

	free(module);
	return is;
}

int entry_take(struct spec *spec, const char *text, struct err *err)
{
	char *entry;

	if (is_path(text)) {
		char *path = spec_resolve(spec, text);

		entry = path_absolute(path, err);
		free(path);
		if (!entry)
			return -1;
	} else if (entry_is_dotted(text) || is_function(text)) {
		entry = alloc_copy(text);
	} else {
		return err_set(err, ERR_USAGE, "--entry %s: neither a script's path (with a "
			       "slash, or ending in .py) nor MODULE nor MODULE:FUNCTION", text);
	}
	free(spec->entry);
	spec->entry = entry;
	return 0;
}

/* As the inside of a string in Python source. To be freed. */
static char *quote(const char *text)
{
	char *out = alloc_array(strlen(text) * 2 + 1, 1), *to = out;

	for (; *text; text++) {
		if (strchr("\\'\n", *text))
			*to++ = '\\';
		*to++ = *text == '\n' ? 'n' : *text;
	}
	return out;
}

/* The name by which the program is known: the image's, less its suffix. */
static char *program_name(const char *output)
{
	const char *base = path_base(output);
	size_t length = strlen(base), suffix = strlen(SUFFIX);

	if (length > suffix && strcmp(base + length - suffix, SUFFIX) == 0)
		length -= suffix;
	return alloc_print("%.*s", (int)length, base);
}

/* What a console script does. python3 -c puts the working folder on sys.path,
 * which a console script does not. */
static void call_function(struct spec *spec)
{
	const char *colon = strchr(spec->entry, ':');
	char *program = program_name(spec->output), *name = quote(program);

	spec->function = alloc_copy(spec->entry);
	list_add(&spec->entry_words, "-c");
	list_print(&spec->entry_words, "import sys; '' in sys.path and sys.path.remove(''); "
		   "sys.argv[0] = '%s'; from %.*s import %.*s; sys.exit(%s())",
		   name, (int)(colon - spec->entry), spec->entry,
		   (int)strcspn(colon + 1, "."), colon + 1, colon + 1);
	free(name);
	spec->argv0 = program;
}

void entry_complete(struct spec *spec)
{
	list_free(&spec->entry_words);
	free(spec->argv0);
	spec->argv0 = NULL;
	if (!spec->entry)
		return;
	if (is_path(spec->entry)) {
		list_add(&spec->entry_words, spec->entry);
		spec->argv0 = alloc_copy(spec->entry);
	} else if (is_function(spec->entry)) {
		call_function(spec);
	} else {
		list_add(&spec->entry_words, "-m");
		list_add(&spec->entry_words, spec->entry);
	}
}

int entry_check(const struct spec *spec, struct err *err)
{
	struct list words = {0};
	struct script script;
	struct stat status;
	int result;

	if (!spec->entry || !is_path(spec->entry))
		return 0;
	if (stat(spec->entry, &status) || access(spec->entry, R_OK))
		return err_set(err, ERR_REFUSED, "entry %s: %s", spec->entry, strerror(errno));
	if (S_ISDIR(status.st_mode))
		return 0;	/* with a __main__ */
	if (!S_ISREG(status.st_mode))
		return err_set(err, ERR_REFUSED, "entry %s: it is neither a file nor a "
			       "folder", spec->entry);
	result = script_read(spec->entry, &script, err);
	if (!result)
		result = script_words(spec->entry, &script, &words, err);
	if (!result && words.count && !script_is_python(words.items[0]))
		result = err_set(err, ERR_REFUSED, "entry %s: it is a script of %s and not of "
				 "Python", spec->entry, words.items[0]);
	list_free(&words);
	script_free(&script);
	return result;
}
