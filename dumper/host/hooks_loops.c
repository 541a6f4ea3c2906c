/*
 * Descriptors of event loops; see hooks_loops.h. The table tells which ones a loop made
 * for itself: epoll instances, and a pipe or pair of sockets by which it wakes itself up.
 * The kernel keeps nothing else of them than what is watched, for which words, and their
 * flags. So objects stay as they are, and whoever keeps a number has the right one.
 * Bytes in a pipe are dropped: they wake up who sleeps, and no loop does.
 */
#define _GNU_SOURCE 1
#include "hooks_loops.h"
#include "cpython.h"
#include "imports.h"
#include "object_graph.h"
#include "talk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The type's name, and what its module's begins with: a module may be without its name
 * by now (eventlet takes epoll out of select). Expressions, `x` is an object of that type:
 * its descriptors, by an exception that there are none; and what waits for a time of the
 * building machine's clock. */
static const struct row {
	const char *type, *module, *descriptors, *timers;
} rows[] = {
	/* asyncio/selector_events.py, _make_self_pipe() */
	{ "BaseSelectorEventLoop", "asyncio.", "x._ssock.fileno(), x._csock.fileno()",
		"[t for t in x._scheduled if not t._cancelled]" },
	/* twisted/internet/posixbase.py, installWaker() */
	{ "PosixReactorBase", "twisted.internet.", "x.waker.i, x.waker.o",
		"x.getDelayedCalls()" },
	/* those of selectors.py, twisted, eventlet */
	{ "epoll", "select", "(x.fileno(),)", "[]" },
};

#define ROWS (sizeof rows / sizeof *rows)

static int make_epoll(int *fds)
{
	fds[0] = epoll_create1(EPOLL_CLOEXEC);
	return fds[0] < 0 ? -1 : 0;
}

static int make_pipe(int *fds)
{
	return pipe2(fds, O_CLOEXEC | O_NONBLOCK);
}

static int make_sockets(int *fds)
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds);
}

/* Its ends, or one descriptor, and what they were at the freeze. */
static struct channel {
	int (*make)(int *fds);
	int count;
	struct end {
		int fd, status_flags, inherited;
	} ends[2];
} *channels;
static size_t channel_count;

/* What an epoll instance watches. */
static struct watched {
	int epoll, fd;
	struct epoll_event event;
} *watched;
static size_t watched_count;

static int highest;	/* number of those */

static int is_ours(int fd)
{
	for (size_t i = 0; i < channel_count; i++)
		for (int j = 0; j < channels[i].count; j++)
			if (channels[i].ends[j].fd == fd)
				return 1;
	return 0;
}

/* signalmodule.c writes the numbers of signals there; or -1. */
static int wakeup = -1;
static PyObject *set_wakeup;

/* From 3.12 on asyncio/events.py takes the loop that was set out of its policy in each
 * forked child. What is restored is none in the program's eyes. */
static PyObject *policy, *loop_that_is_set;

/* ------------------------------------------------------------ before the freeze */

static void *grown(void *array, size_t count, size_t size)
{
	array = realloc(array, (count + 1) * size);
	if (!array)
		talk_refuse("out of memory");
	return array;
}

static int is_pair(const struct channel *channel, int domain)
{
	for (int i = 0; i < 2; i++) {
		int got = 0, type = 0, fd = channel->ends[i].fd;
		socklen_t size = sizeof got;

		if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &got, &size) || got != domain ||
		    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) || type != SOCK_STREAM)
			return 0;
	}
	return 1;
}

static int is_pipe(const struct channel *channel)
{
	struct stat in, out;

	return fstat(channel->ends[0].fd, &in) == 0 && fstat(channel->ends[1].fd, &out) == 0 &&
		S_ISFIFO(in.st_mode) && in.st_dev == out.st_dev && in.st_ino == out.st_ino &&
		(channel->ends[0].status_flags & O_ACCMODE) == O_RDONLY;
}

/* How one like it is made; NULL: it is of another kind. */
static int (*maker(const struct channel *channel))(int *fds)
{
	if (channel->count == 1)
		return make_epoll;
	if (is_pair(channel, AF_UNIX))
		return make_sockets;
	return is_pipe(channel) ? make_pipe : NULL;
}

/* A tuple of descriptors. */
static void note_channel(PyObject *descriptors)
{
	struct channel channel = { NULL, (int)PyTuple_GET_SIZE(descriptors), { { 0 } } };

	for (int i = 0; i < channel.count; i++) {
		struct end *end = &channel.ends[i];
		int flags;

		end->fd = (int)PyLong_AsLong(PyTuple_GET_ITEM(descriptors, i));
		end->status_flags = fcntl(end->fd, F_GETFL);
		flags = fcntl(end->fd, F_GETFD);
		end->inherited = !(flags & FD_CLOEXEC);
		if (flags < 0 || is_ours(end->fd))
			return;
		if (end->fd > highest)
			highest = end->fd;
	}
	channel.make = maker(&channel);
	if (!channel.make)
		return;
	channels = grown(channels, channel_count, sizeof *channels);
	channels[channel_count++] = channel;
}

/* NULL where it raises. */
static PyObject *evaluate(const char *expression, PyObject *x)
{
	PyObject *names = Py_BuildValue("{sOsO}", "__builtins__", PyEval_GetBuiltins(), "x", x);
	PyObject *value = names ? PyRun_String(expression, Py_eval_input, names, names) : NULL;

	PyErr_Clear();
	Py_XDECREF(names);
	return value;
}

static void note(const struct row *row, PyObject *x)
{
	PyObject *descriptors = evaluate(row->descriptors, x);
	PyObject *timers = descriptors ? evaluate(row->timers, x) : NULL;

	if (timers && PyList_Check(timers) && PyList_GET_SIZE(timers)) {
		PyObject *text = PyObject_Repr(PyList_GET_ITEM(timers, 0));
		const char *words = text ? PyUnicode_AsUTF8(text) : NULL;

		talk_refuse("an event loop is to call something later, by this machine's "
			"clock, which an image can't hold: %s; ask for it when the loop runs",
			words ? words : "?");
	}
	if (timers)
		note_channel(descriptors);
	Py_XDECREF(descriptors);
	Py_XDECREF(timers);
}

static int is_named(const PyTypeObject *type, const struct row *row)
{
	const char *dot = strrchr(type->tp_name, '.'), *text = NULL;
	PyObject *module;
	int is;

	if (strcmp(dot ? dot + 1 : type->tp_name, row->type) != 0)
		return 0;
	module = PyObject_GetAttrString((PyObject *)type, "__module__");
	if (module && PyUnicode_Check(module))
		text = PyUnicode_AsUTF8(module);
	is = text && strncmp(text, row->module, strlen(row->module)) == 0;
	PyErr_Clear();
	Py_XDECREF(module);
	return is;
}

/* Or of a subclass. */
static int is_of(const PyObject *x, const struct row *row)
{
	const PyObject *bases = Py_TYPE(x)->tp_mro;

	for (Py_ssize_t i = 0; bases && i < PyTuple_GET_SIZE(bases); i++)
		if (is_named((PyTypeObject *)PyTuple_GET_ITEM(bases, i), row))
			return 1;
	return 0;
}

static PyObject *find(const struct object_graph *graph, const struct row *row)
{
	PyObject *found = PyList_New(0);

	for (uint32_t i = 0; found && i < graph->count; i++)
		if (is_of(graph->nodes[i].object, row) &&
		    PyList_Append(found, graph->nodes[i].object))
			Py_CLEAR(found);
	if (!found)
		talk_refuse("out of memory");
	return found;
}

/* To look at all objects takes a while. One such descriptor is the way to pydump. */
static int may_be_some(void)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;
	struct stat status;
	int count = 0;

	while (folder && (entry = readdir(folder))) {
		int fd = atoi(entry->d_name);

		if (fd > 2 && fstat(fd, &status) == 0 && !S_ISREG(status.st_mode) &&
		    !S_ISCHR(status.st_mode) && !S_ISDIR(status.st_mode))
			count++;
	}
	if (folder)
		closedir(folder);
	return count > 1;
}

static void note_all(void)
{
	const struct object_graph *graph = object_graph_make();
	PyObject *found[ROWS];

	if (!graph)
		talk_refuse("out of memory");
	for (size_t i = 0; i < ROWS; i++)
		found[i] = find(graph, &rows[i]);
	object_graph_drop();
	for (size_t i = 0; i < ROWS; i++) {
		for (Py_ssize_t j = 0; j < PyList_GET_SIZE(found[i]); j++)
			note(&rows[i], PyList_GET_ITEM(found[i], j));
		Py_DECREF(found[i]);
	}
}

/* A line of fdinfo (fs/eventpoll.c, ep_show_fdinfo()): 0 where it tells of a descriptor
 * that is not ours, or that was another file's when it was entered. */
static int note_watched(int epoll, const char *line)
{
	struct watched new = { .epoll = epoll };
	unsigned long long data, inode;
	unsigned events;
	struct stat status;

	if (sscanf(line, "tfd: %d events: %x data: %llx pos:%*d ino:%llx", &new.fd, &events,
		&data, &inode) != 4)
		return strncmp(line, "tfd:", 4) != 0;
	if (!is_ours(new.fd) || fstat(new.fd, &status) || status.st_ino != inode)
		return 0;
	new.event.events = events;
	new.event.data.u64 = data;
	watched = grown(watched, watched_count, sizeof *watched);
	watched[watched_count++] = new;
	return 1;
}

static int note_watched_of(int epoll)
{
	char path[64], line[256];
	FILE *file;
	int fine;

	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", epoll);
	file = fopen(path, "re");
	fine = !!file;
	while (fine && fgets(line, sizeof line, file))
		fine = note_watched(epoll, line);
	if (file)
		fclose(file);
	return fine;
}

/* One that is not ours stays, unless it is closed: set_wakeup_fd() does not take that. */
static void keep_wakeup(void)
{
	PyObject *signals = PyImport_ImportModule("_signal"), *old;

	set_wakeup = signals ? PyObject_GetAttrString(signals, "set_wakeup_fd") : NULL;
	old = set_wakeup ? PyObject_CallFunction(set_wakeup, "i", -1) : NULL;
	if (!old)
		talk_refuse("prepare event loops for the freeze: %s", imports_traceback());
	wakeup = (int)PyLong_AsLong(old);
	if (!is_ours(wakeup)) {
		Py_XDECREF(PyObject_CallOneArg(set_wakeup, old));
		PyErr_Clear();
		wakeup = -1;
		Py_CLEAR(set_wakeup);
	}
	Py_DECREF(old);
	Py_DECREF(signals);
}

static void keep_policy(void)
{
	PyObject *events = PyDict_GetItemString(PyImport_GetModuleDict(), "asyncio.events");

	policy = events ? PyObject_GetAttrString(events, "_event_loop_policy") : NULL;
	loop_that_is_set = policy ? PyObject_GetAttrString(policy, "_local") : NULL;
	PyErr_Clear();
}

void hooks_loops_forked(void)
{
	if (loop_that_is_set && PyObject_SetAttrString(policy, "_local", loop_that_is_set))
		talk_refuse("prepare event loops for the freeze: %s", imports_traceback());
	Py_CLEAR(policy);
	Py_CLEAR(loop_that_is_set);
}

void hooks_loops_before(void)
{
	int fine = 1;

	keep_policy();
	if (may_be_some())
		note_all();
	for (size_t i = 0; fine && i < channel_count; i++)
		if (channels[i].make == make_epoll)
			fine = note_watched_of(channels[i].ends[0].fd);
	if (!fine)
		channel_count = watched_count = 0;
	keep_wakeup();
	for (size_t i = 0; i < channel_count; i++)
		for (int j = 0; j < channels[i].count; j++)
			close(channels[i].ends[j].fd);
}

/* ------------------------------------------------------------ after the restore */

static int move(int fd, int to)
{
	return fd != to && (dup3(fd, to, O_CLOEXEC) < 0 || close(fd));
}

/* The lowest free numbers are chosen for what is made: above all of ours, it is in
 * nobody's way. */
static int raised(int fd)
{
	int above = is_ours(fd) ? fcntl(fd, F_DUPFD_CLOEXEC, highest + 1) : fd;

	if (above != fd)
		close(fd);
	return above;
}

/* -1, or the number where it fails. */
static int make(const struct channel *channel)
{
	int fds[2];

	if (channel->make(fds))
		return channel->ends[0].fd;
	for (int i = 0; i < channel->count; i++)
		if ((fds[i] = raised(fds[i])) < 0)
			return channel->ends[i].fd;
	for (int i = 0; i < channel->count; i++)
		if (move(fds[i], channel->ends[i].fd))
			return channel->ends[i].fd;
	return -1;
}

static const char *why(const char *text, int fd, const char *error)
{
	static char message[160];

	snprintf(message, sizeof message,
		"descriptor %d of an event loop that imports made %s%s", fd, text, error);
	return message;
}

/* The number is one of the build's: whoever starts this process may have handed it on. */
static const char *in_use(void)
{
	for (size_t i = 0; i < channel_count; i++)
		for (int j = 0; j < channels[i].count; j++)
			if (fcntl(channels[i].ends[j].fd, F_GETFD) >= 0)
				return why("is in use", channels[i].ends[j].fd, "");
	return NULL;
}

const char *hooks_loops_differ(void)
{
	const char *differs = in_use();
	int fd;

	for (size_t i = 0; !differs && i < channel_count; i++)
		if ((fd = make(&channels[i])) >= 0)
			differs = why("can't be made: ", fd, strerror(errno));
	for (size_t i = 0; !differs && i < watched_count; i++)
		if (epoll_ctl(watched[i].epoll, EPOLL_CTL_ADD, watched[i].fd,
			&watched[i].event))
			differs = why("can't be watched: ", watched[i].fd, strerror(errno));
	return differs;
}

/* The flags come last: set_wakeup_fd() takes none that blocks. */
static void set_flags(const struct channel *channel)
{
	int usual = channel->make == make_epoll ? 0 : O_NONBLOCK;

	for (int i = 0; i < channel->count; i++) {
		const struct end *end = &channel->ends[i];

		if (end->inherited)
			fcntl(end->fd, F_SETFD, 0);
		if ((end->status_flags & ~O_ACCMODE) != usual)
			fcntl(end->fd, F_SETFL, end->status_flags);
	}
}

int hooks_loops_resume(void)
{
	PyObject *done = NULL;

	if (wakeup >= 0 && !(done = PyObject_CallFunction(set_wakeup, "i", wakeup)))
		return -1;
	Py_XDECREF(done);
	for (size_t i = 0; i < channel_count; i++)
		set_flags(&channels[i]);
	return 0;
}

void hooks_loops_release(void)
{
	Py_CLEAR(set_wakeup);
}
