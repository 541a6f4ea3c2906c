/*
 * Scripts' first lines; see script.h.
 */
#include "script.h"

#include "alloc.h"
#include "err.h"
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* include/uapi/linux/binfmts.h, BINPRM_BUF_SIZE: the kernel reads no more. */
#define FIRST_BYTES 256

/* A copy of the text, less blanks around it; NULL where nothing is left. */
static char *copy_trimmed(const char *text, size_t length)
{
	while (length && strchr(" \t", *text)) {
		text++;
		length--;
	}
	while (length && strchr(" \t", text[length - 1]))
		length--;
	return length ? alloc_print("%.*s", (int)length, text) : NULL;
}

static void read_line(const char *text, struct script *script)
{
	size_t length = strcspn(text, "\n"), name;

	if (strncmp(text, "#!", 2) != 0)
		return;
	text += 2;
	length -= 2;
	while (length && strchr(" \t", *text)) {
		text++;
		length--;
	}
	name = strcspn(text, " \t\n");
	script->interpreter = copy_trimmed(text, name < length ? name : length);
	if (name < length)
		script->argument = copy_trimmed(text + name, length - name);
}

int script_read(const char *path, struct script *script, struct err *err)
{
	char text[FIRST_BYTES + 1] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	ssize_t n;

	*script = (struct script){0};
	if (fd < 0 || fstat(fd, &status)) {
		err_set(err, ERR_REFUSED, "read the script %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	n = S_ISREG(status.st_mode) ? read(fd, text, FIRST_BYTES) : 0;
	close(fd);
	if (n < 0)
		return err_set(err, ERR_REFUSED, "read the script %s: %s", path,
			       strerror(errno));
	if (n >= 4 && memcmp(text, "\177ELF", 4) == 0)
		return err_set(err, ERR_REFUSED, "%s is a compiled program and no Python "
			       "script", path);
	read_line(text, script);
	return 0;
}

/* "#!/usr/bin/env [-S] python3 [OPTION...]": the words behind env. */
static int read_env(const char *path, const struct script *script, struct list *words,
		    struct err *err)
{
	const char *text = script->argument ? script->argument : "";
	int split = strncmp(text, "-S", 2) == 0;

	if (split)
		text += 2;
	while (*text) {
		size_t length;

		while (*text == ' ' || *text == '\t')
			text++;
		length = split ? strcspn(text, " \t") : strlen(text);
		if (length)
			list_print(words, "%.*s", (int)length, text);
		text += length;
	}
	if (!words->count || *words->items[0] == '-' || strpbrk(words->items[0], "= \t"))
		return err_set(err, ERR_REFUSED, "%s: can't tell from its first line which "
			       "interpreter runs it: #!%s %s", path, script->interpreter,
			       script->argument ? script->argument : "");
	return 0;
}

int script_words(const char *path, const struct script *script, struct list *words,
		 struct err *err)
{
	if (!script->interpreter)
		return 0;
	if (strcmp(path_base(script->interpreter), "env") == 0)
		return read_env(path, script, words, err);
	list_add(words, script->interpreter);
	if (script->argument)
		list_add(words, script->argument);
	return 0;
}

int script_is_python(const char *program)
{
	const char *base = path_base(program);

	return strncmp(base, "python", 6) == 0 || strncmp(base, "pypy", 4) == 0;
}

void script_free(struct script *script)
{
	free(script->interpreter);
	free(script->argument);
	*script = (struct script){0};
}
