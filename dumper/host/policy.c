/*
 * The I/O policy: a hook that hears CPython's audit events (PEP 578, table in
 * Doc/library/audit_events.rst). It is heard of in the very run that is frozen,
 * and taken out of the runtime's list before the freeze. What C code does by
 * itself raises no event.
 */
#include "policy.h"
#include "arena.h"
#include "cpython.h"
#include "frames.h"
#include "stack_text.h"
#include "talk.h"
#include "temporary.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>

enum act {
	FILES,			/* local allows it */
	LOCAL,			/* local allows it; no file */
	CONNECTS,
	LOOKS_UP,		/* connects to who knows, unless it is an address */
	SPAWNS,
};

/* An event, and which of its arguments says on what; -1: none. */
static const struct event {
	const char *name;
	enum act act;
	int argument;
	const char *what;
} events[] = {
	{"open", FILES, 0, "opening the file"},
	{"os.listdir", FILES, 0, "reading the folder"},
	{"os.scandir", FILES, 0, "reading the folder"},
	{"os.chmod", FILES, 0, "changing the mode of"},
	{"os.chown", FILES, 0, "changing the owner of"},
	{"os.link", FILES, 1, "making the link"},
	{"os.mkdir", FILES, 0, "making the folder"},
	{"os.remove", FILES, 0, "removing the file"},
	{"os.removexattr", FILES, 0, "removing an attribute of"},
	{"os.rename", FILES, 1, "renaming a file to"},
	{"os.rmdir", FILES, 0, "removing the folder"},
	{"os.setxattr", FILES, 0, "setting an attribute of"},
	{"os.symlink", FILES, 1, "making the link"},
	{"os.truncate", FILES, 0, "cutting off the file"},
	{"os.utime", FILES, 0, "setting the times of"},
	{"sqlite3.connect", FILES, 0, "opening the database"},
	{"socket.bind", LOCAL, 1, "listening at"},
	{"socket.connect", CONNECTS, 1, "connecting to"},
	{"socket.sendto", CONNECTS, 1, "sending to"},
	{"socket.sendmsg", CONNECTS, 1, "sending to"},
	{"socket.getaddrinfo", LOOKS_UP, 0, "looking up the host"},
	{"socket.gethostbyaddr", CONNECTS, 0, "looking up the host"},
	{"socket.gethostbyname", LOOKS_UP, 0, "looking up the host"},
	{"socket.getnameinfo", CONNECTS, 0, "looking up the host"},
	{"syslog.syslog", CONNECTS, -1, "sending to the system's log"},
	{"os.exec", SPAWNS, 0, "running the program"},
	{"os.fork", SPAWNS, -1, "forking a process"},
	{"os.forkpty", SPAWNS, -1, "forking a process"},
	{"os.posix_spawn", SPAWNS, 0, "running the program"},
	{"os.spawn", SPAWNS, 1, "running the program"},
	{"os.system", SPAWNS, 0, "running the command"},
	{"pty.spawn", SPAWNS, 0, "running the program"},
	{"subprocess.Popen", SPAWNS, 1, "running the program"},
};

/* Modules of the standard library that ask a program about this machine where
 * others make a system call: uname(1), ldconfig(8). An image is this machine's
 * anyway. */
static const char *const asking[] = {"platform", "ctypes.util", "uuid", "sysconfig"};
/* By which they run it. */
static const char *const running[] = {"subprocess", "os"};

static const char *policy;
static int forbidden;		/* a bit for each act */

/* --- who does it --- */

/* Import itself looks for a module, or reads or caches it: importlib's function
 * called by importlib's, or a loader that stands in for it (no module's body
 * lies between). pkgutil.get_data() and its like call a loader for something
 * else. */
static int is_import(void)
{
	PyFrameObject *frame = frames_innermost();
	int depth = 0, importing = 0;

	while (frame && !importing && !frames_is_called(frame, "<module>")) {
		int own = frames_is_importlibs(frame);

		if (own && (depth == 1 || frames_is_called(frame, "_find_and_load")))
			importing = 1;
		depth = own && !depth ? 1 : 2;
		frame = frames_caller(frame);
	}
	Py_XDECREF(frame);
	return importing;
}

static int is_asking(void)
{
	PyFrameObject *frame = frames_innermost();
	int found;

	while (frame && frames_is_of(frame, running, sizeof running / sizeof *running))
		frame = frames_caller(frame);
	found = frame && frames_is_of(frame, asking, sizeof asking / sizeof *asking);
	Py_XDECREF(frame);
	return found;
}

/* --- what is done --- */

/* A number is open already; SQLite makes a database of this name in memory. */
static int is_no_file(PyObject *file)
{
	return PyLong_Check(file) || (PyUnicode_Check(file) &&
		PyUnicode_CompareWithASCIIString(file, ":memory:") == 0);
}

/* getaddrinfo(3): nobody is asked about an address in numbers, or about none. */
static int is_address(PyObject *host)
{
	struct in6_addr address;
	const char *text = NULL;

	if (host == Py_None)
		return 1;
	if (PyBytes_Check(host))
		text = PyBytes_AS_STRING(host);
	else if (PyUnicode_Check(host))
		text = PyUnicode_AsUTF8(host);
	PyErr_Clear();
	return text && (inet_aton(text, (struct in_addr *)&address) ||
		inet_pton(AF_INET6, text, &address) == 1);
}

static int is_allowed(const struct event *event, PyObject *on)
{
	if (!(forbidden & 1 << event->act))
		return 1;
	if (event->act == FILES)
		return (on && is_no_file(on)) || is_import();
	if (event->act == LOOKS_UP)
		return on && is_address(on);
	return event->act == SPAWNS && is_asking();
}

static const char *how(const struct event *event, PyObject *args)
{
	PyObject *flags = NULL;

	if (strcmp(event->name, "open") == 0 && PyTuple_GET_SIZE(args) > 2)
		flags = PyTuple_GET_ITEM(args, 2);
	if (!flags || !PyLong_Check(flags))
		return "";
	return (PyLong_AsLong(flags) & O_ACCMODE) == O_RDONLY ? " for reading" : " for writing";
}

static void refuse(const struct event *event, PyObject *on, PyObject *args)
{
	PyObject *text = on ? PyObject_Repr(on) : PyUnicode_FromString("");
	const char *utf8 = text ? PyUnicode_AsUTF8(text) : NULL;

	PyErr_Clear();
	talk_refuse("%s%s%.500s%s (%s) while building, which --io %s forbids\n%s"
		"let it be done when it is needed, not at import, or build with --io %s",
		event->what, on ? " " : "", utf8 ? utf8 : "?", how(event, args), event->name,
		policy, stack_text_here(),
		event->act == FILES || event->act == LOCAL ? "local" : "network");
}

static int hear(const char *name, PyObject *args, void *unused)
{
	(void)unused;
	temporary_hear(name, args);
	arena_hear(name, args);
	for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
		const struct event *event = &events[i];
		PyObject *on = NULL;

		if (strcmp(event->name, name))
			continue;
		if (event->argument >= 0 && event->argument < PyTuple_GET_SIZE(args))
			on = PyTuple_GET_ITEM(args, event->argument);
		if (is_allowed(event, on))
			return 0;
		cpython_unhear();
		refuse(event, on, args);
	}
	return 0;
}

void policy_begin(const char *name)
{
	policy = name;
	if (strcmp(name, "strict") == 0)
		forbidden = 1 << FILES | 1 << LOCAL | 1 << CONNECTS |
			1 << LOOKS_UP | 1 << SPAWNS;
	else if (strcmp(name, "local") == 0)
		forbidden = 1 << CONNECTS | 1 << LOOKS_UP | 1 << SPAWNS;
	else if (strcmp(name, "network"))
		talk_refuse("pydump asked for the policy \"%s\", which this host does not "
			"know: pydump and host are of different versions", name);
	cpython_hear(hear);
}

void policy_end(void)
{
	cpython_unhear();
}
