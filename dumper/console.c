/*
 * The interpreter's standard streams; see console.h.
 */
#include "console.h"

#include "err.h"
#include "progress.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Ends of file for whoever reads: nobody types here. */
#define ENDS 64

/* What is written must come out as it is, and what is typed not at all. */
static int set_terminal(int fd)
{
	const struct winsize size = {.ws_row = 24, .ws_col = 80};
	struct termios modes;

	if (tcgetattr(fd, &modes))
		return -1;
	modes.c_oflag &= ~(tcflag_t)OPOST;
	modes.c_lflag &= ~(tcflag_t)ECHO;
	return tcsetattr(fd, TCSANOW, &modes) || ioctl(fd, TIOCSWINSZ, &size) ? -1 : 0;
}

static int open_terminal(struct console *console)
{
	char name[64], ends[ENDS];
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	console->output = master;
	if (master < 0 || grantpt(master) || unlockpt(master) ||
	    ptsname_r(master, name, sizeof(name)))
		return -1;
	console->theirs[1] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (console->theirs[1] < 0 || set_terminal(console->theirs[1]))
		return -1;
	memset(ends, CEOF, sizeof(ends));
	if (write(master, ends, sizeof(ends)) != (ssize_t)sizeof(ends))
		return -1;
	console->theirs[0] = fcntl(console->theirs[1], F_DUPFD_CLOEXEC, 0);
	return console->theirs[0] < 0 ? -1 : 0;
}

static int open_streams(struct console *console)
{
	int ends[2];

	console->theirs[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (console->theirs[0] < 0)
		return -1;
	if (isatty(STDERR_FILENO)) {
		if (pipe2(ends, O_CLOEXEC))
			return -1;
		console->output = ends[0];
		console->theirs[1] = ends[1];
		return 0;
	}
	/* where it is closed, the child can't have it either */
	console->theirs[1] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	return console->theirs[1] < 0 ? -1 : 0;
}

int console_open(struct console *console, int terminal, struct err *err)
{
	*console = (struct console)CONSOLE_NONE;
	if (terminal ? open_terminal(console) : open_streams(console))
		return err_sys(err, terminal ? "make a terminal" : "make standard streams");
	if (console->output >= 0 && fcntl(console->output, F_SETFL, O_NONBLOCK))
		return err_sys(err, "read what the interpreter writes");
	return 0;
}

void console_started(struct console *console)
{
	for (int i = 0; i < 2; i++) {
		if (console->theirs[i] >= 0)
			close(console->theirs[i]);
		console->theirs[i] = -1;
	}
}

/* All that is there. A terminal whose other side is closed gives EIO, a pipe its end. */
static void pass_on(struct console *console, struct progress *progress)
{
	char text[4096];
	ssize_t n;

	while ((n = read(console->output, text, sizeof(text))) > 0) {
		if (progress)
			progress_clear(progress);
		fwrite(text, 1, (size_t)n, stderr);
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		close(console->output);
		console->output = -1;
	}
}

void console_pass(struct console *console, struct progress *progress, int other, int wait)
{
	for (;;) {
		struct pollfd polls[2] = {
			{.fd = other, .events = POLLIN},
			{.fd = console->output, .events = POLLIN},
		};

		if (poll(polls, 2, wait) <= 0)
			return;
		if (polls[1].revents)
			pass_on(console, progress);
		if (polls[0].revents)
			return;
	}
}

void console_close(struct console *console)
{
	console_started(console);
	if (console->output >= 0)
		pass_on(console, NULL);
	if (console->output >= 0)
		close(console->output);
	console->output = -1;
}
