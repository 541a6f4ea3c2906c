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
