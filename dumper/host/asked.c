/*
 * Questions that imports put to their process; see asked.h. The functions of posix
 * are watched (watch.h), so it is no matter by which name a module got them.
 */
#include "asked.h"
#include "cpython.h"
#include "frames.h"
#include "hooks.h"
#include "talk.h"
#include "watch.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum about { USER, FOLDER, ABOUTS };

static char asker[ABOUTS][256];	/* the first module; empty: none */
static uid_t uid, euid;
static gid_t gid, egid;
static char folder[PATH_MAX];

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

static void note(enum about about)
{
	const char *name = asker[about][0] ? "" : asking_module();

	if (*name && strcmp(name, "__main__") != 0 && !hooks_renew_answers(name))
		snprintf(asker[about], sizeof asker[about], "%s", name);
}

void asked_folder(void)
{
	note(FOLDER);
}

/* One function of posix: all of these take no argument. */
#define QUESTION(name, about) \
	static PyCFunction their_##name; \
	static PyObject *hear_##name(PyObject *self, PyObject *none) \
	{ \
		note(about); \
		return their_##name(self, none); \
	}

QUESTION(getuid, USER)
QUESTION(geteuid, USER)
QUESTION(getgid, USER)
QUESTION(getegid, USER)
QUESTION(getcwd, FOLDER)
QUESTION(getcwdb, FOLDER)

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
}

void asked_watch(void)
{
	uid = getuid();
	euid = geteuid();
	gid = getgid();
	egid = getegid();
	if (!getcwd(folder, sizeof folder))
		talk_refuse("ask for the working folder: %m");
	watch_module("posix", watch_posix);
}

static const char *say(enum about about, const char *what)
{
	static char text[512];

	snprintf(text, sizeof text, "%s, which module %s asked for while it was imported",
		what, asker[about]);
	return text;
}

const char *asked_differs(void)
{
	char here[PATH_MAX];

	if (asker[USER][0] && (getuid() != uid || geteuid() != euid || getgid() != gid ||
			getegid() != egid))
		return say(USER, "user or group");
	if (asker[FOLDER][0] && (!getcwd(here, sizeof here) || strcmp(here, folder) != 0))
		return say(FOLDER, "working folder");
	return NULL;
}
