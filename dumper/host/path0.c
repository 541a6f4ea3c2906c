/*
 * The first item of sys.path: the script's folder, the working folder or nothing,
 * by the rules of pymain_run_python.
 */
#define _GNU_SOURCE 1
#include "path0.h"
#include "cpython.h"
#include "enter.h"
#include "handoff.h"
#include "path_copies.h"
#include "talk.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Absolute, so that who looks what is there need not know the working folder. */
#define STAND_IN "/<script>"

static PyObject *path;		/* sys.path */

static PyObject *stand_in;
static int is_folder;		/* it is the script's: modules may come from there */
static Py_ssize_t place;	/* of the script's folder in sys.path */

static PyObject *path0_of_file(const char *file);

void path0_reserve(const char *script)
{
	is_folder = script && !(handoff.options.flags & PYTHON_SAFE_PATH);
	stand_in = is_folder ? path0_of_file(script) : PyUnicode_FromString(STAND_IN);
	path = PySys_GetObject("path");
	if (!stand_in || !path || PyList_Insert(path, 0, stand_in))
		talk_refuse("prepare sys.path");
}

/* The same folder may be there twice: that very object first. */
static Py_ssize_t find(PyObject *list)
{
	for (Py_ssize_t i = 0; PyList_Check(list) && i < PyList_GET_SIZE(list); i++)
		if (PyList_GET_ITEM(list, i) == stand_in)
			return i;
	return PySequence_Index(list, stand_in);
}

const char *path0_inside(const char *name)
{
	size_t length = strlen(STAND_IN);

	if (strncmp(name, STAND_IN, length) || (name[length] && name[length] != '/'))
		return NULL;
	return name + length + (name[length] == '/');
}

int path0_is_known(void)
{
	return is_folder;
}

void path0_unreserve(void)
{
	PyObject *list = PySys_GetObject("path");
	PyObject *cache = PySys_GetObject("path_importer_cache");

	place = list ? find(list) : -1;
	if (place >= 0)
		PySequence_DelItem(list, place);
	else
		place = 0;	/* the workload took it out */
	if (!is_folder && cache && PyDict_GetItem(cache, stand_in))
		PyDict_DelItem(cache, stand_in);
	PyErr_Clear();
}

void path0_report(void (*put)(const char *key, const char *value))
{
	PyObject *bytes = is_folder ? PyUnicode_EncodeFSDefault(stand_in) : NULL;

	if (bytes)
		put("modules_in", PyBytes_AS_STRING(bytes));
	PyErr_Clear();
	Py_XDECREF(bytes);
}

/* As -c has it, which then writes nothing. */
static void expect_nothing(void)
{
	PyObject *nothing = PyUnicode_FromString("");

	if (!nothing || cpython_set_path0(nothing))
		talk_refuse("prepare the first item of sys.path");
	Py_DECREF(nothing);
}

void path0_forget(void)
{
	PySequence_DelItem(path, place);
	path_copies_change(stand_in);
	expect_nothing();
}

void path0_prepare(void)
{
	path = PySys_GetObject("path");
	Py_XINCREF(path);
	if (!is_folder)
		path_copies_find(stand_in);
	expect_nothing();
}

void path0_release(void)
{
	path_copies_release();
	Py_CLEAR(stand_in);
	Py_CLEAR(path);
}

/* Copies first: there may be some in sys.path itself. */
int path0_insert(PyObject *text)
{
	return cpython_set_path0(text) || path_copies_change(text) ||
		PyList_Insert(path, place, text) ? -1 : 0;
}

/* pathconfig.c, _PyPathConfig_ComputeSysPath0: for a file its folder, after one
 * symbolic link and realpath. NULL: leave sys.path alone. */
static char *folder_of(const char *file, char *buffer)
{
	char link[PATH_MAX + 1], joined[2 * PATH_MAX + 2];
	ssize_t n = readlink(file, link, PATH_MAX);
	char *slash;

	if (n > 0) {
		const char *last = strrchr(file, '/');

		link[n] = 0;
		if (link[0] == '/' || (strchr(link, '/') && !last))
			file = link;
		else if (strchr(link, '/') && strlen(file) < PATH_MAX) {
			snprintf(joined, sizeof joined, "%.*s/%s",
				(int)(last - file), file, link);
			file = joined;
		}
	}
	if (!realpath(file, buffer))
		snprintf(buffer, PATH_MAX, "%.*s", PATH_MAX - 1, file);
	slash = strrchr(buffer, '/');
	if (!slash)
		buffer[0] = 0;
	else if (slash > buffer)
		*slash = 0;
	else
		slash[1] = 0;
	return buffer;
}

/* Functions of their own: their buffers must not make the stack deeper for -c. */
__attribute__((noinline)) static PyObject *path0_of_module(void)
{
	char buffer[PATH_MAX + 1];

	return getcwd(buffer, sizeof buffer) ? PyUnicode_DecodeFSDefault(buffer) : Py_None;
}

__attribute__((noinline)) static PyObject *path0_of_file(const char *file)
{
	char buffer[PATH_MAX + 1];

	return PyUnicode_DecodeFSDefault(folder_of(file, buffer));
}

/* Whether it is a folder or a zip file, which python3 puts there itself, also under -P
 * (pymain_run_python). zipimport.py, _read_directory: the end of the directory stands in
 * the file's last 64 kB. Who has that elsewhere in these is taken for one, too. */
static int runs_from(const char *file)
{
	static const size_t most = (1 << 16) - 1 + 22;
	struct stat status;
	size_t size, start;
	char *bytes;
	int fd, is;

	if (stat(file, &status))
		return 0;
	if (!S_ISREG(status.st_mode) || !status.st_size)	/* opening a FIFO would be seen */
		return S_ISDIR(status.st_mode);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	size = (size_t)status.st_size;
	bytes = fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (fd >= 0)
		close(fd);
	if (bytes == MAP_FAILED)
		return 0;
	start = size > most ? size - most : 0;
	is = memmem(bytes + start, size - start, "PK\5\6", 4) != NULL;
	munmap(bytes, size);
	return is;
}

const char *path0_folder(const struct startup *s, char *buffer)
{
	const char *file = s->mode == STARTUP_FILE && strcmp(s->what, "-m") &&
		strcmp(s->what, "-c") ? s->what : NULL;

	if (file && runs_from(file))
		return file;
	if (s->options.flags & PYTHON_SAFE_PATH)
		return NULL;
	return file ? folder_of(file, buffer) : ".";
}

/* CPython goes by sys.argv[0], which is "-c" also for a file of that name. */
static PyObject *path0_of(const struct startup *s)
{
	const char *file = s->mode == STARTUP_FILE ? s->what : NULL;

	if (s->mode == STARTUP_MODULE || (file && strcmp(file, "-m") == 0))
		return path0_of_module();
	if (file && strcmp(file, "-c"))
		return path0_of_file(file);
	return PyUnicode_FromString("");
}

int path0_add(const struct startup *s)
{
	PyObject *text;
	int bad;

	text = s->options.flags & PYTHON_SAFE_PATH ? Py_None : path0_of(s);
	if (text == Py_None)	/* or no working folder: leave sys.path alone */
		return cpython_set_path0(NULL) || path_copies_remove(place < PyList_GET_SIZE(path) ?
			PyList_GET_ITEM(path, place) : Py_None);
	bad = !text || path0_insert(text);
	Py_XDECREF(text);
	return bad ? -1 : 0;
}
