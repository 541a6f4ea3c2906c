/*
 * Files that were read or missed while building; see opened.h. open() is watched (watch.h).
 * Import reads bytecode and sources by open_code(), which calls it: those of modules,
 * which have guards of their own, pydump leaves out (identity.c).
 */
#include "opened.h"
#include "asked_files.h"
#include "cpython.h"
#include "talk.h"
#include "watch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static watch_fast theirs;

static struct opened {
	char *path;
	int read, written, missed;
	struct opened *next;
} *all;

static struct opened *remember(const char *path)
{
	struct opened *file = all;

	while (file && strcmp(file->path, path) != 0)
		file = file->next;
	if (!file) {
		file = calloc(1, sizeof *file);
		if (!file || !(file->path = strdup(path)))
			talk_refuse("out of memory");
		file->next = all;
		all = file;
	}
	return file;
}

void opened_missed(const char *path)
{
	remember(path)->missed = 1;
}

/* Absolute, by the working folder of the moment. */
static void note(const char *path, int written)
{
	char absolute[2 * PATH_MAX] = "";
	struct opened *file;
	size_t used = 0;

	if (*path != '/') {
		if (!getcwd(absolute, PATH_MAX))
			return;
		used = strlen(absolute);
		absolute[used++] = '/';
	}
	if (strlen(path) >= sizeof absolute - used)
		return;
	strcpy(absolute + used, path);
	file = remember(absolute);
	file->read |= !written;
	file->written |= written;
}

static int writes(PyObject *mode)
{
	const char *text = mode && PyUnicode_Check(mode) ? PyUnicode_AsUTF8(mode) : "r";

	return text && strpbrk(text, "wax+");
}

/* open(file, mode="r", ...). What is not there counts for who looked for it. */
static PyObject *our_open(PyObject *self, PyObject *const *args, Py_ssize_t count,
	PyObject *names)
{
	PyObject *file = watch_argument(args, count, names, 0, "file"), *path = NULL, *result;

	if (file)
		asked_file(file);
	result = theirs(self, args, count, names);
	if (!result || !file || PyLong_Check(file))
		return result;
	if (PyUnicode_FSConverter(file, &path))
		note(PyBytes_AS_STRING(path), writes(watch_argument(args, count, names, 1,
			"mode")));
	PyErr_Clear();
	Py_XDECREF(path);
	return result;
}

static void watch_io(PyObject *module, int late)
{
	(void)late;
	watch_fast_named(module, "open", our_open, &theirs);
}

void opened_watch(void)
{
	watch_module("_io", watch_io);
}

/* The kernel's own files have no content that stays. */
static int is_kernels(const char *path)
{
	return strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/sys/", 5) == 0 ||
		strncmp(path, "/dev/", 5) == 0;
}

/* A file that is not there counts as one that may come. */
static int counts(const struct opened *file)
{
	struct stat status;

	if (is_kernels(file->path))
		return 0;
	if (stat(file->path, &status))
		return file->missed && (errno == ENOENT || errno == ENOTDIR);
	return file->read && !file->written && S_ISREG(status.st_mode);
}

void opened_report(void (*put)(const char *key, const char *value))
{
	while (all) {
		struct opened *file = all;

		all = file->next;
		if (counts(file))
			put("read", file->path);
		free(file->path);
		free(file);
	}
}
