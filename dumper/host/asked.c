/*
 * Questions that imports put to their process; see asked.h. The functions of posix
 * are watched (watch.h), so it is no matter by which name a module got them.
 */
#include "asked.h"
#include "cpython.h"
#include "environment.h"
#include "frames.h"
#include "hooks.h"
#include "talk.h"
#include "watch.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum about { USER, FOLDER, HOST, INPUT, OUTPUT, ERRORS, ABOUTS };

static char asker[ABOUTS][256];	/* the first module; empty: none */
static int renewed[ABOUTS];	/* also asked by one whose row renews it */
static uid_t uid, euid;
static gid_t gid, egid;
static char folder[PATH_MAX], host[HOST_NAME_MAX + 1];

/* The module whose body asks, "" if none. Importlib itself asks for the entry "" of
 * sys.path. */
static const char *asking_module(void)
{
	PyFrameObject *frame = frames_innermost();
	const char *name = "";

	if (frame && frames_is_importlibs(frame))
		Py_CLEAR(frame);
	while (frame && !*name) {
		if (frames_is_called(frame, "<module>") && !frames_is_importlibs(frame))
			name = frames_module(frame);
		frame = frames_caller(frame);
	}
	Py_XDECREF(frame);
	return name;
}

const char *asked_keeper(void)
{
	const char *name = asking_module();

	return hooks_renew_answers(name) ? "" : name;
}

const char *asked_module(void)
{
	const char *name = asked_keeper();

	return strcmp(name, "__main__") == 0 ? "" : name;
}

char *asked_copy(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		talk_refuse("out of memory");
	return copy;
}

static void note(enum about about)
{
	const char *name = asking_module();

	if (hooks_renew_answers(name))
		renewed[about] = 1;
	else if (!asker[about][0] && strcmp(name, "__main__") != 0)
		snprintf(asker[about], sizeof asker[about], "%s", name);
}

void asked_folder(void)
{
	if (!hooks_pass_folder_by())
		note(FOLDER);
}

/* One function of posix: all of these take no argument. */
#define QUESTION(name, noted) \
	static PyCFunction their_##name; \
	static PyObject *hear_##name(PyObject *self, PyObject *none) \
	{ \
		noted; \
		return their_##name(self, none); \
	}

QUESTION(getuid, note(USER))
QUESTION(geteuid, note(USER))
QUESTION(getgid, note(USER))
QUESTION(getegid, note(USER))
QUESTION(gethostname, note(HOST))
QUESTION(getcwd, asked_folder())
QUESTION(getcwdb, asked_folder())

static int terminal[3];		/* what the descriptor was while building */

static void note_terminal(long fd)
{
	if (fd < 0 || fd > 2)
		return;
	if (hooks_renew_terminal(terminal[fd]))
		renewed[INPUT + fd] = 1;
	else
		note(INPUT + (enum about)fd);
}

static PyCFunction their_isatty, their_file_isatty;

static PyObject *hear_isatty(PyObject *self, PyObject *fd)
{
	if (PyLong_Check(fd))
		note_terminal(PyLong_AsLong(fd));
	PyErr_Clear();
	return their_isatty(self, fd);
}

static PyObject *hear_file_isatty(PyObject *file, PyObject *none)
{
	PyObject *fd = PyObject_CallMethod(file, "fileno", NULL);

	if (fd && PyLong_Check(fd))
		note_terminal(PyLong_AsLong(fd));
	PyErr_Clear();
	Py_XDECREF(fd);
	return their_file_isatty(file, none);
}

/* --- how large it is: os.get_terminal_size(fd), fcntl.ioctl(fd, TIOCGWINSZ, ...) --- */

static int size_asked[3];
static struct winsize sizes[3];	/* while building; zero: none */

static struct winsize size_of(int fd)
{
	struct winsize size = { 0 };

	if (ioctl(fd, TIOCGWINSZ, &size))
		return (struct winsize){ 0 };
	return size;
}

static void note_size(int fd)
{
	note_terminal(fd);
	if (fd >= 0 && fd <= 2)
		size_asked[fd] = 1;
}

static void note_size_of(PyObject *file)
{
	note_size(PyObject_AsFileDescriptor(file));
	PyErr_Clear();
}

typedef PyObject *(*short_function)(PyObject *, PyObject *const *, Py_ssize_t);

static short_function their_get_terminal_size, their_ioctl;

/* Standard output's, if no other is named. */
static PyObject *hear_get_terminal_size(PyObject *self, PyObject *const *given, Py_ssize_t count)
{
	if (count)
		note_size_of(given[0]);
	else
		note_size(STDOUT_FILENO);
	return their_get_terminal_size(self, given, count);
}

static PyObject *hear_ioctl(PyObject *self, PyObject *const *given, Py_ssize_t count)
{
	if (count > 1)
		note_size_of(given[0]);
	return their_ioctl(self, given, count);
}

static int size_differs(int fd)
{
	struct winsize now;

	if (!size_asked[fd])
		return 0;
	now = size_of(fd);
	return now.ws_col != sizes[fd].ws_col || now.ws_row != sizes[fd].ws_row;
}

static void watch_fcntl(PyObject *module, int late)
{
	(void)late;
	watch_named(module, "ioctl", METH_FASTCALL, (PyCFunction)(void (*)(void))hear_ioctl,
		(PyCFunction *)(void *)&their_ioctl);
}

static const struct question {
	const char *name;
	PyCFunction ours, *theirs;
} questions[] = {
	{"getuid", hear_getuid, &their_getuid},
	{"geteuid", hear_geteuid, &their_geteuid},
	{"getgid", hear_getgid, &their_getgid},
	{"getegid", hear_getegid, &their_getegid},
	{"getcwd", hear_getcwd, &their_getcwd},
	{"getcwdb", hear_getcwdb, &their_getcwdb},
};

static void watch_posix(PyObject *module, int late)
{
	(void)late;
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
		watch_named(module, questions[i].name, METH_NOARGS, questions[i].ours,
			questions[i].theirs);
	watch_named(module, "isatty", METH_O, hear_isatty, &their_isatty);
	watch_named(module, "get_terminal_size", METH_FASTCALL,
		(PyCFunction)(void (*)(void))hear_get_terminal_size,
		(PyCFunction *)(void *)&their_get_terminal_size);
}

static void watch_socket(PyObject *module, int late)
{
	(void)late;
	watch_named(module, "gethostname", METH_NOARGS, hear_gethostname, &their_gethostname);
}

/* All kinds of streams ask the raw one. */
static void watch_io(PyObject *module, int late)
{
	PyObject *file = PyObject_GetAttrString(module, "FileIO");

	(void)late;
	if (file)
		watch_named(file, "isatty", METH_NOARGS, hear_file_isatty, &their_file_isatty);
	PyErr_Clear();
	Py_XDECREF(file);
}

void asked_watch(void)
{
	uid = getuid();
	euid = geteuid();
	gid = getgid();
	egid = getegid();
	if (!getcwd(folder, sizeof folder))
		talk_refuse("ask for the working folder: %m");
	if (gethostname(host, sizeof host))
		talk_refuse("ask for the host's name: %m");
	for (int fd = 0; fd <= 2; fd++) {
		terminal[fd] = isatty(fd);
		sizes[fd] = size_of(fd);
	}
	watch_module("fcntl", watch_fcntl);
	watch_module("posix", watch_posix);
	watch_module("_socket", watch_socket);
	watch_module("_io", watch_io);
}

static const char *say(enum about about, const char *what)
{
	static char text[512];

	snprintf(text, sizeof text, "%s, which module %s asked for while it was imported",
		what, asker[about]);
	return text;
}

void asked_need(void (*put)(const char *key, const char *value), const char *format, ...)
{
	char text[2 * PATH_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	put("needs", text);
}

static const char *const streams[] = { "standard input", "standard output", "standard error" };

void asked_report(void (*put)(const char *key, const char *value))
{
	if (asker[USER][0])
		asked_need(put, "the user and group of the build (module %s asked)", asker[USER]);
	if (asker[FOLDER][0])
		asked_need(put, "working folder %s (module %s asked)", folder, asker[FOLDER]);
	if (asker[HOST][0])
		asked_need(put, "host name %s (module %s asked)", host, asker[HOST]);
	for (int fd = 0; fd <= 2; fd++)
		if (asker[INPUT + fd][0])
			asked_need(put, "%s that is %s terminal (module %s asked)", streams[fd],
				terminal[fd] ? "a" : "no", asker[INPUT + fd]);
}

/* A trial run has no terminal. */
static const char *stream_differs(int fd)
{
	static char text[64];

	if ((!asker[INPUT + fd][0] && !renewed[INPUT + fd]) || environment_is_trial())
		return NULL;
	if (asker[INPUT + fd][0] && (isatty(fd) != terminal[fd] || size_differs(fd))) {
		snprintf(text, sizeof text, "%s, a terminal or none", streams[fd]);
		return say(INPUT + (enum about)fd, text);
	}
	if (renewed[INPUT + fd] && fcntl(fd, F_GETFD) < 0) {
		snprintf(text, sizeof text, "%s, which is closed", streams[fd]);
		return text;
	}
	return NULL;
}

const char *asked_differs(void)
{
	const char *why = NULL;
	char here[PATH_MAX], name[HOST_NAME_MAX + 1];

	if (asker[USER][0] && (getuid() != uid || geteuid() != euid || getgid() != gid ||
			getegid() != egid))
		return say(USER, "user or group");
	if (asker[FOLDER][0] && (!getcwd(here, sizeof here) || strcmp(here, folder) != 0))
		return say(FOLDER, "working folder");
	if (renewed[FOLDER] && !getcwd(here, sizeof here))
		return "working folder, which is gone";
	if (asker[HOST][0] && (gethostname(name, sizeof name) || strcmp(name, host) != 0))
		return say(HOST, "host's name");
	for (int fd = 0; fd <= 2 && !why; fd++)
		why = stream_differs(fd);
	return why;
}
