/*
 * The standard streams. Each is three objects: TextIOWrapper, BufferedReader or
 * BufferedWriter, FileIO. Modules may hold any of them from before the freeze,
 * so their identity has to stay; what they contain depends on what the
 * descriptors are (Python/pylifecycle.c, create_stdio). So other streams are
 * made before the freeze by the same steps for descriptors of every common
 * kind, and a restore copies the bodies of the right one over: 3 x 3 short
 * copies instead of 3 calls of io.open. Of a file that is not at its start (a log
 * that others wrote to) the buffer keeps where it is: one was prepared at a place
 * that is known by its number, and gets the other number. A kind that was not
 * prepared is made on the spot and copied in the same way.
 */
#include "streams.h"
#include "cpython.h"
#include "gc_view.h"
#include "imports.h"
#include "python_options.h"
#include "stream_settings.h"
#include "stream_wishes.h"
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
	off_t at;
	long block;
};

struct body {
	struct kind kind;
	char *bytes[LEVELS];	/* from behind PyObject_HEAD to tp_basicsize */
	size_t at;		/* where the buffer's keep kind.at, or NOWHERE */
};

#define KINDS 5
#define NOWHERE ((size_t)-1)
#define ELSEWHERE 0x5eec0de15a11	/* no pointer, no size, no count */

static struct stream {
	const char *name, *shown, *original;
	int writes;
	PyObject *kept[LEVELS];
	Py_ssize_t references[LEVELS];	/* to these, before the workload */
	struct body bodies[KINDS];
	int count;
} streams[3] = {
	{ .name = "stdin", .shown = "<stdin>", .original = "__stdin__" },
	{ .name = "stdout", .shown = "<stdout>", .original = "__stdout__", .writes = 1 },
	{ .name = "stderr", .shown = "<stderr>", .original = "__stderr__", .writes = 1 },
};

static PyObject *io_module, *errors_of_stderr;

static struct stream_settings usual;

static int levels_of(PyObject *text, PyObject *levels[LEVELS])
{
	levels[TEXT] = text;
	levels[BUFFER] = PyObject_GetAttrString(text, "buffer");
	levels[RAW] = levels[BUFFER] ? PyObject_GetAttrString(levels[BUFFER], "raw") : NULL;
	return levels[RAW] ? 0 : -1;
}

static PyObject *kept_settings[3][STREAM_WISHES];

/* What the workload changed of them, by the arguments of reconfigure(), or NULL. */
static PyObject *changes[3];

static void keep_settings(void)
{
	for (int fd = 0; fd < 3; fd++)
		for (size_t i = 0; i < STREAM_WISHES; i++)
			kept_settings[fd][i] = PyObject_GetAttrString(
				streams[fd].kept[TEXT], stream_wishes_names[i]);
	PyErr_Clear();
}

void streams_keep(void)
{
	PyConfig *config = cpython_config();

	/* what create_stdio() uses; 3.14 has no `io` when it is started */
	io_module = PyImport_ImportModule("_io");
	usual.encoding = PyUnicode_FromWideChar(config->stdio_encoding, -1);
	usual.errors = PyUnicode_FromWideChar(config->stdio_errors, -1);
	errors_of_stderr = PyUnicode_FromString("backslashreplace");
	for (int fd = 0; fd < 3; fd++) {
		PyObject *text = PySys_GetObject(streams[fd].original);

		if (!io_module || !usual.encoding || !usual.errors || !text || text == Py_None ||
		    levels_of(text, streams[fd].kept))
			talk_refuse("prepare sys.%s: %s", streams[fd].name,
				imports_traceback());
		Py_INCREF(text);
		for (int l = 0; l < LEVELS; l++)
			streams[fd].references[l] = Py_REFCNT(streams[fd].kept[l]);
	}
	keep_settings();
}

void streams_watch(void)
{
	PyObject *text[3];

	for (int fd = 0; fd < 3; fd++)
		text[fd] = streams[fd].kept[TEXT];
	stream_wishes_watch(io_module, text);
}

/* reconfigure(encoding=) by itself makes the errors strict: so they go with it. */
static void note_change(int fd, size_t setting, PyObject *was, PyObject *now)
{
	const char *name = stream_wishes_names[setting];
	int errors = changes[fd] && strcmp(name, "errors") == 0 &&
		PyDict_GetItemString(changes[fd], "encoding");

	if (!was || !now || (!errors && !stream_wishes_has(fd, setting) &&
	    PyObject_RichCompareBool(was, now, Py_EQ) == 1))
		return;	/* NULL: detached, nothing to compare */
	if (!changes[fd])
		changes[fd] = PyDict_New();
	if (!changes[fd] || PyDict_SetItemString(changes[fd], name, now))
		talk_refuse("prepare sys.%s: %s", streams[fd].name, imports_traceback());
}

void streams_note_changes(void)
{
	for (int fd = 0; fd < 3; fd++)
		for (size_t i = 0; i < STREAM_WISHES; i++) {
			PyObject *now = PyObject_GetAttrString(streams[fd].kept[TEXT],
				stream_wishes_names[i]);

			note_change(fd, i, kept_settings[fd][i], now);
			PyErr_Clear();
			Py_XDECREF(now);
		}
}

/* The workload's own wishes come after create_stdio(), as they came there. */
static int reconfigure(PyObject *text, PyObject *settings)
{
	PyObject *method = PyObject_GetAttrString(text, "reconfigure");
	PyObject *none = method ? PyTuple_New(0) : NULL;
	PyObject *done = none ? PyObject_Call(method, none, settings) : NULL;

	Py_XDECREF(method);
	Py_XDECREF(none);
	Py_XDECREF(done);
	return done ? 0 : -1;
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
	kind->at = 0;
	if (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode)) {
		kind->at = lseek(fd, 0, SEEK_CUR);
		kind->seekable = kind->at < 0 ? SEEK_NONE :
			kind->at ? SEEK_ELSEWHERE : SEEK_START;
	}
	kind->folder = S_ISDIR(st.st_mode);
	return 0;
}

/* Whether the stream is text on a raw file, with no buffer in between. */
static int is_bare(const struct stream *s, const struct stream_settings *settings)
{
	return s->writes && settings->unbuffered;
}

static int set_text(PyObject *object, const char *name, const char *value)
{
	PyObject *text = PyUnicode_FromString(value);
	int failed = !text || PyObject_SetAttrString(object, name, text);

	Py_XDECREF(text);
	return failed;
}

/* create_stdio() of Python/pylifecycle.c. */
static PyObject *create(int fd, const struct stream_settings *settings)
{
	struct stream *s = &streams[fd];
	int bare = is_bare(s, settings), unbuffered = settings->unbuffered;
	PyObject *text = NULL, *raw = NULL, *below;

	below = PyObject_CallMethod(io_module, "open", "isiOOOO", fd,
		s->writes ? "wb" : "rb", bare ? 0 : -1, Py_None, Py_None, Py_None, Py_False);
	if (below && bare)
		Py_INCREF(raw = below);
	else if (below)
		raw = PyObject_GetAttrString(below, "raw");
	if (raw && set_text(raw, "name", s->shown) == 0)
		text = PyObject_CallMethod(io_module, "TextIOWrapper", "OOOsOO", below,
			settings->encoding, fd == 2 ? errors_of_stderr : settings->errors,
			"\n", !unbuffered && (fd == 2 || isatty(fd)) ? Py_True : Py_False,
			unbuffered ? Py_True : Py_False);
	Py_XDECREF(raw);
	Py_XDECREF(below);
	if (text && (set_text(text, "mode", s->writes ? "w" : "r") ||
	    (changes[fd] && reconfigure(text, changes[fd]))))
		Py_CLEAR(text);
	return text;
}

static size_t body_size(PyObject *object)
{
	return (size_t)Py_TYPE(object)->tp_basicsize - sizeof(PyObject);
}

/* Copies the bodies of a stream, with the kept objects in place of its own. It is
 * never looked at or freed again, so the references that it holds are the kept
 * objects' then. A bare one leaves the kept buffer as it is, which goes on to hold
 * the raw file. */
static int snapshot(struct stream *s, PyObject *text, int bare, struct body *body)
{
	PyObject *levels[LEVELS] = { text };

	if (bare) {
		levels[RAW] = PyObject_GetAttrString(text, "buffer");
		Py_INCREF(s->kept[RAW]);
	} else {
		levels_of(text, levels);
	}
	if (!levels[RAW])
		return -1;
	for (int l = 0; l < LEVELS; l++) {
		size_t size;
		PyObject **words;

		body->bytes[l] = NULL;
		if (!levels[l])
			continue;
		size = body_size(levels[l]);
		if (Py_TYPE(levels[l]) != Py_TYPE(s->kept[l]) ||
		    !(body->bytes[l] = malloc(size)))
			return -1;
		memcpy(body->bytes[l], (char *)levels[l] + sizeof(PyObject), size);
		words = (PyObject **)body->bytes[l];
		for (size_t w = 0; w < size / sizeof *words; w++)
			for (int other = 0; other < LEVELS; other++)
				if (levels[other] && words[w] == levels[other])
					words[w] = s->kept[other];
		/* not to be finalised: that would flush and close */
		if (PyObject_GC_IsTracked(levels[l]))
			PyObject_GC_UnTrack(levels[l]);
	}
	return 0;
}

/* Weak references to the kept object stay with it, and attributes that it was
 * given: those of create_stdio() are the same for all. */
static void copy_body(char *to, const char *from)
{
	const size_t head = sizeof(PyObject), word = sizeof(void *);
	size_t size = (size_t)Py_TYPE(to)->tp_basicsize;
	size_t weak = (size_t)Py_TYPE(to)->tp_weaklistoffset;
	size_t attributes = (size_t)Py_TYPE(to)->tp_dictoffset;

	for (size_t at = head, end; at < size; at = end + word) {
		end = size;
		if (weak >= at && weak < end)
			end = weak;
		if (attributes >= at && attributes < end)
			end = attributes;
		memcpy(to + at, from + at - head, end - at);
	}
}

static void copy_in(struct stream *s, const struct body *body)
{
	for (int l = 0; l < LEVELS; l++)
		if (body->bytes[l])
			copy_body((char *)s->kept[l], body->bytes[l]);
}

static void copy_in_at(struct stream *s, const struct body *body, off_t at)
{
	copy_in(s, body);
	if (body->kind.seekable == SEEK_ELSEWHERE)
		memcpy((char *)s->kept[BUFFER] + sizeof(PyObject) + body->at, &at, sizeof at);
}

/* bufferedio.c: abs_pos is where the raw file is, from the beginning on. textio.c
 * looks only whether it is 0. */
static size_t place_of(const struct body *body, PyObject *buffer, off_t number)
{
	size_t found = NOWHERE, count = 0;

	for (size_t at = 0; at + sizeof number <= body_size(buffer); at += sizeof number)
		if (memcmp(body->bytes[BUFFER] + at, &number, sizeof number) == 0) {
			found = at;
			count++;
		}
	return count == 1 ? found : NOWHERE;
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
	text = create(fd, &usual);
	if (!text || kind_of(fd, &body->kind) || snapshot(s, text, 0, body))
		talk_refuse("prepare sys.%s: %s", s->name, imports_traceback());
	dup2(saved, fd);
	close(saved);
	body->at = place_of(body, s->kept[BUFFER], body->kind.at);
	/* else its buffer does not keep where a file is: made on the spot, too */
	if (body->kind.seekable != SEEK_ELSEWHERE || body->at != NOWHERE)
		s->count++;
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* threading.py: each Thread keeps sys.stderr as it was made, the main one too. What
 * these hold is renewed, so it is none of the references that count. */
static PyObject *threads;	/* a list, or NULL */

static void prepare_thread(PyObject *thread)
{
	PyObject *held = PyObject_GetAttrString(thread, "_stderr");

	PyErr_Clear();
	if (held && held == streams[2].kept[TEXT] && PyList_Append(threads, thread) == 0)
		streams[2].references[TEXT]++;
	Py_XDECREF(held);
}

static void prepare_threads(void)
{
	PyObject *module = PyDict_GetItemString(PyImport_GetModuleDict(), "threading");
	PyObject *type = module ? PyObject_GetAttrString(module, "Thread") : NULL;
	PyObject *all = type && PyType_Check(type) ? gc_view_young() : NULL;

	threads = all ? PyList_New(0) : NULL;
	for (Py_ssize_t i = 0; threads && i < PyList_GET_SIZE(all); i++)
		if (PyObject_TypeCheck(PyList_GET_ITEM(all, i), (PyTypeObject *)type))
			prepare_thread(PyList_GET_ITEM(all, i));
	PyErr_Clear();
	Py_XDECREF(all);
	Py_XDECREF(type);
}

void streams_prepare(void)
{
	int ends[2] = { -1, -1 };
	int file = memfd_create("stream", MFD_CLOEXEC);
	int elsewhere = memfd_create("stream", MFD_CLOEXEC);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), terminal = -1;

	if (pipe2(ends, O_CLOEXEC) ||
	    (elsewhere >= 0 && lseek(elsewhere, ELSEWHERE, SEEK_SET) < 0))
		talk_refuse("prepare the standard streams: %m");
	if (master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0)
		terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	prepare_threads();
	for (int fd = 0; fd < 3; fd++) {
		prepare_one(fd, ends[fd != 0]);
		prepare_one(fd, null);
		prepare_one(fd, file);
		prepare_one(fd, elsewhere);
		prepare_one(fd, terminal);
	}
	close_if_open(ends[0]);
	close_if_open(ends[1]);
	close_if_open(file);
	close_if_open(elsewhere);
	close_if_open(null);
	close_if_open(terminal);
	close_if_open(master);
}

static const struct body *find(const struct stream *s, const struct kind *kind)
{
	for (int i = 0; i < s->count; i++) {
		const struct kind *have = &s->bodies[i].kind;

		if (have->terminal == kind->terminal && have->block == kind->block &&
		    have->seekable == kind->seekable)
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
	for (Py_ssize_t i = 0; threads && s == &streams[2] && i < PyList_GET_SIZE(threads); i++)
		if (PyObject_SetAttrString(PyList_GET_ITEM(threads, i), "_stderr", Py_None))
			PyErr_Clear();
}

static int make_one(int fd, const struct stream_settings *settings)
{
	struct stream *s = &streams[fd];
	struct body made;
	PyObject *text = create(fd, settings);

	if (!text || snapshot(s, text, is_bare(s, settings), &made)) {
		PyErr_Clear();
		return -1;
	}
	copy_in(s, &made);
	return 0;
}

static void resume_one(int fd, const struct kind *kind)
{
	const struct body *body = find(&streams[fd], kind);

	if (body)
		copy_in_at(&streams[fd], body, kind->at);
	else if (make_one(fd, &usual))
		set_none(&streams[fd]);
}

static int is_held(const struct stream *s, int level)
{
	return Py_REFCNT(s->kept[level]) > s->references[level];
}

/* By other settings than the ones that were prepared. A module that holds the
 * buffer of a stream which has none now would write where it should not. */
static const char *resume_otherwise(const struct python_options *options,
	const int missing[3])
{
	struct stream_settings settings;

	if (stream_settings_read(options, &usual, &settings))
		return "PYTHONIOENCODING names no codec";
	for (int fd = 0; fd < 3; fd++) {
		struct stream *s = &streams[fd];

		if (is_bare(s, &settings) && is_held(s, BUFFER))
			return "a frozen module holds the buffer of a standard stream, "
				"which is to be unbuffered";
		if (missing[fd])
			set_none(s);
		else if (make_one(fd, &settings))
			return "a standard stream can't be made so";
	}
	return NULL;
}

int streams_is_kept(const PyObject *object)
{
	for (int fd = 0; fd < 3; fd++)
		for (int l = 0; l < LEVELS; l++)
			if (streams[fd].kept[l] == object)
				return 1;
	return 0;
}

const char *streams_resume(const struct python_options *options)
{
	struct kind kinds[3];
	int missing[3];

	for (int fd = 0; fd < 3; fd++) {
		missing[fd] = kind_of(fd, &kinds[fd]);
		if (!missing[fd] && kinds[fd].folder)
			return "a standard stream is a folder";
		if (missing[fd] && (is_held(&streams[fd], TEXT) || is_held(&streams[fd], BUFFER)))
			return "a frozen module holds a standard stream, which is closed, so "
				"that it would have got None";
	}
	if ((options->flags & PYTHON_UNBUFFERED) || options->io_encoding)
		return resume_otherwise(options, missing);
	for (int fd = 0; fd < 3; fd++)
		if (missing[fd])
			set_none(&streams[fd]);
		else
			resume_one(fd, &kinds[fd]);
	return NULL;
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

void streams_release(void)
{
	for (int fd = 0; fd < 3; fd++) {
		for (int l = 0; l < LEVELS; l++)
			Py_CLEAR(streams[fd].kept[l]);
		for (size_t i = 0; i < STREAM_WISHES; i++)
			Py_CLEAR(kept_settings[fd][i]);
		Py_CLEAR(changes[fd]);
	}
	Py_CLEAR(threads);
	Py_CLEAR(io_module);
	Py_CLEAR(usual.encoding);
	Py_CLEAR(usual.errors);
	Py_CLEAR(errors_of_stderr);
}
