/*
 * TOML files; see toml.h. A child parses, with the one parser of TOML that is
 * there wherever an image can be built, and prints three words for each value:
 * key, type, text, each with its NUL.
 */
#include "toml.h"

#include "alloc.h"
#include "environment.h"
#include "err.h"
#include "list.h"
#include "process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PARSER "/usr/bin/python3"
#define WAIT 30000	/* ms */

/* A NUL can stand in no string that is printed: such a string is of another type. */
static const char program[] =
	"import sys, tomllib\n"
	"def put(*words):\n"
	"    for word in words:\n"
	"        sys.stdout.buffer.write(word.encode('utf-8', 'surrogateescape') + b'\\0')\n"
	"def kind(value):\n"
	"    if isinstance(value, str):\n"
	"        return 'a string with a NUL in it' if '\\0' in value else ''\n"
	"    return {bool: 'true or false', int: 'a number', float: 'a number', list: 'an array',\n"
	"            dict: 'a table'}.get(type(value), 'a time')\n"
	"try:\n"
	"    with open(sys.argv[1], 'rb') as file:\n"
	"        table = tomllib.load(file)\n"
	"except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, OSError) as error:\n"
	"    sys.exit(str(error))\n"
	"for key, value in table.items():\n"
	"    key = key.replace('\\0', '?')\n"
	"    if isinstance(value, bool):\n"
	"        put(key, 'b', 'true' if value else 'false')\n"
	"    elif isinstance(value, list):\n"
	"        if not value:\n"
	"            put(key, 'e', 'an array')\n"
	"        bad = [kind(item) for item in value if kind(item)]\n"
	"        if bad:\n"
	"            put(key, 'o', 'an array with ' + bad[0])\n"
	"        for item in [] if bad else value:\n"
	"            put(key, 'i', item)\n"
	"    elif kind(value):\n"
	"        put(key, 'o', kind(value))\n"
	"    else:\n"
	"        put(key, 's', value)\n";

static const char letters[] = {
	[TOML_STRING] = 's', [TOML_BOOLEAN] = 'b', [TOML_ITEM] = 'i', [TOML_EMPTY] = 'e',
	[TOML_OTHER] = 'o',
};

/* The next word, or NULL. */
static const char *next_word(const struct buffer *text, size_t *at)
{
	const char *word = text->data + *at;
	const char *end = *at < text->used ? memchr(word, '\0', text->used - *at) : NULL;

	if (!end)
		return NULL;
	*at += (size_t)(end - word) + 1;
	return word;
}

static int take_words(struct toml *toml, const char *name, struct err *err)
{
	size_t at = 0;

	while (at < toml->text.used) {
		const char *key = next_word(&toml->text, &at);
		const char *type = next_word(&toml->text, &at);
		const char *text = next_word(&toml->text, &at);
		const char *letter = type && *type ? memchr(letters, *type, sizeof(letters)) :
			NULL;

		if (!text || !letter)
			return err_set(err, ERR_IO, "read %s: its parser's output is cut off",
				       name);
		toml->values = alloc_grow(toml->values, toml->count, &toml->room,
					  sizeof(*toml->values));
		toml->values[toml->count++] = (struct toml_value){
			key, (enum toml_type)(letter - letters), text,
		};
	}
	return 0;
}

static int parse(const char *path, const char *name, char *const *environment,
		 struct toml *toml, struct err *err)
{
	char *argv[] = {
		(char *)PARSER, (char *)"-I", (char *)"-S", (char *)"-c",
		(char *)(size_t)program, (char *)(size_t)path, NULL,
	};
	struct process process = {.argv = argv, .envp = environment, .keep = -1};
	struct buffer said = {0};
	int status, result = process_run(&process, WAIT, &toml->text, &said, &status, err);

	if (!result && (!WIFEXITED(status) || WEXITSTATUS(status))) {
		while (said.used && said.data[said.used - 1] == '\n')
			said.data[--said.used] = '\0';
		result = err_set(err, ERR_USAGE, "%s: %s", name, said.data);
	}
	buffer_free(&said);
	return result ? result : take_words(toml, name, err);
}

int toml_read(const char *path, const char *name, struct toml *toml, struct err *err)
{
	struct list none = {0}, environment = {0};
	int result;

	*toml = (struct toml){0};
	if (access(path, R_OK))
		return err_sys(err, "read %s", name);
	environment_clean(environ, &none, &environment);
	result = parse(path, name, environment.items, toml, err);
	list_free(&environment);
	return result;
}

void toml_free(struct toml *toml)
{
	free(toml->values);
	buffer_free(&toml->text);
	*toml = (struct toml){0};
}
