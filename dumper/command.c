/*
 * Commands; see command.h.
 */
#include "command.h"

#include "alloc.h"
#include "entry.h"
#include "environment.h"
#include "err.h"
#include "path.h"
#include "python_options.h"
#include "script.h"
#include "spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_PATH "/bin:/usr/bin"	/* execvp(3), where PATH is not set */

static int is_program(const char *path)
{
	struct stat status;

	if (stat(path, &status))
		return 0;
	errno = EACCES;
	return S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* An absolute path, to be freed; NULL where there is no such program. */
static char *look_up(const char *name, char *const *environment, struct err *err)
{
	const char *folders = environment_get(environment, "PATH");
	int error = ENOENT;

	if (strchr(name, '/')) {
		char *path = path_absolute(name, err);

		if (path && !is_program(path)) {
			err_set(err, ERR_REFUSED, "command %s: %s", name, strerror(errno));
			free(path);
			path = NULL;
		}
		return path;
	}
	for (const char *at = folders ? folders : DEFAULT_PATH; *name;) {
		size_t length = strcspn(at, ":");
		char *joined = alloc_print("%.*s/%s", (int)length, at, name);
		char *path = path_absolute(length ? joined : name, err);

		free(joined);
		if (!path)
			return NULL;
		if (is_program(path))
			return path;
		if (errno == EACCES)
			error = errno;
		free(path);
		if (!at[length])
			break;
		at += length + 1;
	}
	err_set(err, ERR_REFUSED, "command %s: %s", name,
		error == ENOENT ? "it is not in PATH" : strerror(error));
	return NULL;
}

/* Options of the first line come before those of the command line. */
static int take_options(struct spec *spec, const char *path, const struct list *words,
			struct err *err)
{
	struct python_options unused = {0};
	struct python_words read;
	struct list all = {0};

	python_read_words((int)words->count - 1, words->items + 1, PYTHON_BAKED, &unused,
			  &read);
	if (read.refused || read.letter || read.at + 1 < (int)words->count)
		return err_set(err, ERR_REFUSED, "%s: its first line has an option that no "
			       "image can hold, or python3 does not know: %s", path,
			       read.refused ? read.refused : words->items[read.at + 1]);
	for (size_t i = 1; i < words->count; i++)
		list_add(&all, words->items[i]);
	for (size_t i = 0; i < spec->options.count; i++)
		list_add(&all, spec->options.items[i]);
	list_free(&spec->options);
	spec->options = all;
	return 0;
}

static int take_line(struct spec *spec, const char *path, const struct script *script,
		     char *const *environment, struct err *err)
{
	struct list words = {0};
	int result;

	if (!script->interpreter)
		return err_set(err, ERR_REFUSED, "%s: it is no Python script: it has no #! "
			       "line", path);
	result = script_words(path, script, &words, err);
	if (!result && !script_is_python(words.items[0]))
		result = err_set(err, ERR_REFUSED, "%s: it is a script of %s and not of "
				 "Python", path, words.items[0]);
	if (!result && !spec->python) {
		spec->python = look_up(words.items[0], environment, err);
		result = spec->python ? 0 : err_prefix(err, "%s: its first line", path);
	}
	if (!result)
		result = take_options(spec, path, &words, err);
	list_free(&words);
	return result;
}

int command_find(struct spec *spec, char *const *environment, struct err *err)
{
	struct script script = {0};
	char *path;
	int result;

	if (!spec->command.count)
		return 0;
	path = look_up(spec->command.items[0], environment, err);
	if (!path)
		return -1;
	result = script_read(path, &script, err);
	if (!result)
		result = take_line(spec, path, &script, environment, err);
	if (!result) {
		free(spec->entry);
		spec->entry = alloc_copy(path);
		entry_complete(spec);
	}
	script_free(&script);
	free(path);
	return result;
}
