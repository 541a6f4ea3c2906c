/*
 * pydump: builds images of Python processes and looks at them. Finds the
 * command; prints its error and exits, which nothing else does.
 */
#include "cmd.h"
#include "err.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv, struct err *err);
	const char *what;
} commands[] = {
	{"build", cmd_build, "write an image of a Python process"},
	{"info", cmd_info, "show what an image holds"},
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static int print_help(struct err *err)
{
	fputs("usage: pydump COMMAND [OPTION]...\n\n", stdout);
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].what);
	fputs("\npydump COMMAND --help tells more; pydump --version the version.\n",
	      stdout);
	return cmd_flush(err);
}

static int run(int argc, char **argv, struct err *err)
{
	if (argc < 2)
		return err_set(err, ERR_USAGE, "a command is missing");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return print_help(err);
	if (strcmp(argv[1], "--version") == 0) {
		puts("pydump " VERSION);
		return cmd_flush(err);
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1, err);
	return err_set(err, ERR_USAGE, "%s: unknown %s", argv[1],
		       argv[1][0] == '-' ? "option" : "command");
}

/* A file that got the number of a closed stdin, stdout or stderr would be
 * written to by accident. */
static void open_standard(void)
{
	/* open() takes the lowest number that is free */
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			_exit(ERR_IO);
}

int main(int argc, char **argv)
{
	struct err err = {0};
	int status = ERR_NONE;

	open_standard();
	if (run(argc, argv, &err)) {
		fprintf(stderr, "pydump: %s\n", err.text);
		if (err.status == ERR_USAGE)
			fputs("pydump --help tells how to use it\n", stderr);
		status = err.status;
	}
	err_clear(&err);
	return status;
}
