/*
 * The standard streams. Each is three objects: TextIOWrapper, BufferedReader or
 * BufferedWriter, FileIO. Modules may hold any of them from before the freeze,
 * so their identity has to stay; what they contain depends on what the
 * descriptors are (Python/pylifecycle.c, create_stdio). So other streams are
 * made before the freeze by the same steps for descriptors of every common
 * kind, and a restore copies the bodies of the right one over: 3 x 3 short
 * copies instead of 3 calls of io.open. A kind that was not prepared is made on
 * the spot and copied in the same way.
 */
#include "streams.h"
#include "cpython.h"
#include "imports.h"
#include "talk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT, BUFFER, RAW, LEVELS };
enum seekable { SEEK_NONE, SEEK_START, SEEK_ELSEWHERE };

/* All that io.open and TextIOWrapper look at. */
struct kind {
	int folder;
	int terminal;
	enum seekable seekable;
	long block;
};

struct body {
	struct kind kind;
	char *bytes[LEVELS];	/* from behind PyObject_HEAD to tp_basicsize */
};

#define KINDS 4

static struct stream {
	const char *name, *shown, *original;
	int writes;
	PyObject *kept[LEVELS];
	struct body bodies[KINDS];
	int count;
} streams[3] = {
	{ .name = "stdin", .shown = "<stdin>", .original = "__stdin__" },
	{ .name = "stdout", .shown = "<stdout>", .original = "__stdout__", .writes = 1 },
	{ .name = "stderr", .shown = "<stderr>", .original = "__stderr__", .writes = 1 },
};

static PyObject *io_module, *encoding, *errors, *errors_of_stderr;

static int levels_of(PyObject *text, PyObject *levels[LEVELS])
{
	levels[TEXT] = text;
	levels[BUFFER] = PyObject_GetAttrString(text, "buffer");
	levels[RAW] = levels[BUFFER] ? PyObject_GetAttrString(levels[BUFFER], "raw") : NULL;
	return levels[RAW] ? 0 : -1;
}

static const char *const settings[] = {
	"encoding", "errors", "line_buffering", "write_through"
};

#define SETTINGS (sizeof settings / sizeof *settings)

static PyObject *kept_settings[3][SETTINGS];

static void keep_settings(void)
{
	for (int fd = 0; fd < 3; fd++)
		for (size_t i = 0; i < SETTINGS; i++)
			kept_settings[fd][i] = PyObject_GetAttrString(
				streams[fd].kept[TEXT], settings[i]);
	PyErr_Clear();
}

void streams_keep(void)
{
	PyConfig *config = cpython_config();

	io_module = PyImport_ImportModule("io");
	encoding = PyUnicode_FromWideChar(config->stdio_encoding, -1);
	errors = PyUnicode_FromWideChar(config->stdio_errors, -1);
	errors_of_stderr = PyUnicode_FromString("backslashreplace");
	for (int fd = 0; fd < 3; fd++) {
		PyObject *text = PySys_GetObject(streams[fd].original);

		if (!io_module || !encoding || !errors || !text || text == Py_None ||
		    levels_of(text, streams[fd].kept))
			talk_refuse("prepare sys.%s: %s", streams[fd].name,
				imports_traceback());
		Py_INCREF(text);
	}
	keep_settings();
}

void streams_check(void)
{
	for (int fd = 0; fd < 3; fd++)
		for (size_t i = 0; i < SETTINGS; i++) {
			PyObject *was = kept_settings[fd][i];
			PyObject *now = PyObject_GetAttrString(streams[fd].kept[TEXT],
				settings[i]);

			if (was && now && PyObject_RichCompareBool(was, now, Py_EQ) != 1)
				talk_refuse("the workload changed the %s of sys.%s, which an "
					"image does not hold; let it do so after the restore",
					settings[i], streams[fd].name);
			PyErr_Clear();	/* detached: nothing to compare */
			Py_XDECREF(now);
		}
}

/* -1: not open. */
static int kind_of(int fd, struct kind *kind)
{
	struct stat st;

	if (fstat(fd, &st))
		return -1;
	kind->terminal = S_ISCHR(st.st_mode) && isatty(fd);
	kind->block = st.st_blksize;
	kind->seekable = SEEK_NONE;
	if (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode)) {
		off_t at = lseek(fd, 0, SEEK_CUR);

		kind->seekable = at < 0 ? SEEK_NONE : at ? SEEK_ELSEWHERE : SEEK_START;
	}
	kind->folder = S_ISDIR(st.st_mode);
	return 0;
}

/* create_stdio() of Python/pylifecycle.c. */
static PyObject *create(int fd)
{
	struct stream *s = &streams[fd];
	PyObject *levels[LEVELS] = { 0 }, *text, *name = NULL, *mode = NULL;
	int terminal = isatty(fd);

	levels[BUFFER] = PyObject_CallMethod(io_module, "open", "isiOOOO", fd,
		s->writes ? "wb" : "rb", -1, Py_None, Py_None, Py_None, Py_False);
	if (!levels[BUFFER])
		return NULL;
	levels[RAW] = PyObject_GetAttrString(levels[BUFFER], "raw");
	name = PyUnicode_FromString(s->shown);
	if (!levels[RAW] || !name || PyObject_SetAttrString(levels[RAW], "name", name))
		return NULL;
	text = PyObject_CallMethod(io_module, "TextIOWrapper", "OOOsOO", levels[BUFFER],
		encoding, fd == 2 ? errors_of_stderr : errors, "\n",
		terminal || fd == 2 ? Py_True : Py_False, Py_False);
	mode = PyUnicode_FromString(s->writes ? "w" : "r");
	if (!text || !mode || PyObject_SetAttrString(text, "mode", mode))
		return NULL;
	Py_DECREF(levels[BUFFER]);
	Py_DECREF(levels[RAW]);
	Py_DECREF(name);
	Py_DECREF(mode);
	return text;
}

static int take_reference(PyObject *object, void *unused)
{
	(void)unused;
	Py_INCREF(object);
	return 0;
}

static size_t body_size(PyObject *object)
{
	return (size_t)Py_TYPE(object)->tp_basicsize - sizeof(PyObject);
}

/* Copies the bodies of a stream that lives for ever, with one more reference
 * to all that they hold, and with the kept objects in place of its own. */
static int snapshot(struct stream *s, PyObject *text, struct body *body)
{
	PyObject *levels[LEVELS];

	if (levels_of(text, levels))
		return -1;
	for (int l = 0; l < LEVELS; l++) {
		size_t size = body_size(levels[l]);
		PyObject **words;

		if (Py_TYPE(levels[l]) != Py_TYPE(s->kept[l]) ||
		    !(body->bytes[l] = malloc(size)))
			return -1;
		Py_TYPE(levels[l])->tp_traverse(levels[l], take_reference, NULL);
		memcpy(body->bytes[l], (char *)levels[l] + sizeof(PyObject), size);
		words = (PyObject **)body->bytes[l];
		for (size_t w = 0; w < size / sizeof *words; w++)
			for (int other = 0; other < LEVELS; other++)
				if (words[w] == levels[other])
					words[w] = s->kept[other];
		/* not to be finalised: that would flush and close */
		if (PyObject_GC_IsTracked(levels[l]))
			PyObject_GC_UnTrack(levels[l]);
	}
	return 0;
}

static void copy_in(struct stream *s, const struct body *body)
{
	for (int l = 0; l < LEVELS; l++) {
		char *to = (char *)s->kept[l];
		size_t weak = (size_t)Py_TYPE(to)->tp_weaklistoffset;
		size_t size = (size_t)Py_TYPE(to)->tp_basicsize, head = sizeof(PyObject);

		/* weak references to the kept object stay with it */
		if (weak < head || weak >= size)
			weak = size;
		memcpy(to + head, body->bytes[l], weak - head);
		if (weak < size)
			memcpy(to + weak + sizeof(void *),
				body->bytes[l] + weak + sizeof(void *) - head,
				size - weak - sizeof(void *));
	}
}

static void prepare_one(int fd, int with)
{
	struct stream *s = &streams[fd];
	struct body *body = &s->bodies[s->count];
	int saved;
	PyObject *text;

	if (with < 0)	/* no such thing here: made on the spot later */
		return;
	saved = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	if (saved < 0 || dup2(with, fd) < 0)
		talk_refuse("prepare sys.%s: %m", s->name);
	text = create(fd);
	if (!text || kind_of(fd, &body->kind) || snapshot(s, text, body))
		talk_refuse("prepare sys.%s: %s", s->name, imports_traceback());
	dup2(saved, fd);
	close(saved);
	s->count++;
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

void streams_prepare(void)
{
	int ends[2] = { -1, -1 };
	int file = memfd_create("stream", MFD_CLOEXEC);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), terminal = -1;

	if (pipe2(ends, O_CLOEXEC))
		talk_refuse("prepare the standard streams: %m");
	if (master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0)
		terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++) {
		prepare_one(fd, ends[fd != 0]);
		prepare_one(fd, null);
		prepare_one(fd, file);
		prepare_one(fd, terminal);
	}
	close_if_open(ends[0]);
	close_if_open(ends[1]);
	close_if_open(file);
	close_if_open(null);
	close_if_open(terminal);
	close_if_open(master);
}

static const struct body *find(const struct stream *s, const struct kind *kind)
{
	for (int i = 0; i < s->count; i++) {
		const struct kind *have = &s->bodies[i].kind;

		if (have->terminal == kind->terminal && have->block == kind->block &&
		    have->seekable == kind->seekable && kind->seekable != SEEK_ELSEWHERE)
			return &s->bodies[i];
	}
	return NULL;
}

/* The kept objects must not use a descriptor that belongs to others by then:
 * fileio.c, a raw file whose first member, fd, is negative is closed. */
static void set_none(const struct stream *s)
{
	*(int *)(void *)((char *)s->kept[RAW] + sizeof(PyObject)) = -1;
	PySys_SetObject(s->name, Py_None);
	PySys_SetObject(s->original, Py_None);
}

static void resume_one(int fd, const struct kind *kind)
{
	struct stream *s = &streams[fd];
	const struct body *body = find(s, kind);
	struct body made;

	if (!body) {
		PyObject *text = create(fd);

		if (!text || snapshot(s, text, &made)) {
			PyErr_Clear();
			set_none(s);
			return;
		}
		body = &made;
	}
	copy_in(s, body);
}

int streams_is_kept(const PyObject *object)
{
	for (int fd = 0; fd < 3; fd++)
		for (int l = 0; l < LEVELS; l++)
			if (streams[fd].kept[l] == object)
				return 1;
	return 0;
}

int streams_resume(void)
{
	struct kind kinds[3];
	int missing[3];

	for (int fd = 0; fd < 3; fd++) {
		missing[fd] = kind_of(fd, &kinds[fd]);
		if (!missing[fd] && kinds[fd].folder)
			return -1;
	}
	for (int fd = 0; fd < 3; fd++)
		if (missing[fd])
			set_none(&streams[fd]);
		else
			resume_one(fd, &kinds[fd]);
	return 0;
}

/* Text and buffer: either may be in use without the other (detach()). */
void streams_flush(void)
{
	for (int fd = 1; fd < 3; fd++)
		for (int l = TEXT; l <= BUFFER; l++) {
			PyObject *done = PyObject_CallMethod(streams[fd].kept[l], "flush", NULL);

			Py_XDECREF(done);
			PyErr_Clear();
		}
}
