/*
 * Questions that imports put to their process; see asked.h. The functions of posix
 * are led to ours by their rows of the method table while imports run, so that it
 * is no matter by which name a module got them.
 */
#include "asked.h"
#include "cpython.h"
#include "hooks.h"
#include "imports.h"
#include "talk.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum about { USER, FOLDER, ABOUTS };

static PyObject *ask_uid(PyObject *self, PyObject *none);
static PyObject *ask_euid(PyObject *self, PyObject *none);
static PyObject *ask_gid(PyObject *self, PyObject *none);
static PyObject *ask_egid(PyObject *self, PyObject *none);
static PyObject *ask_cwd(PyObject *self, PyObject *none);
static PyObject *ask_cwdb(PyObject *self, PyObject *none);

static struct question {
	const char *name;
	enum about about;
	PyCFunction ours, theirs;
	PyMethodDef *row;
} questions[] = {
	{"getuid", USER, ask_uid, NULL, NULL},
	{"geteuid", USER, ask_euid, NULL, NULL},
	{"getgid", USER, ask_gid, NULL, NULL},
	{"getegid", USER, ask_egid, NULL, NULL},
	{"getcwd", FOLDER, ask_cwd, NULL, NULL},
	{"getcwdb", FOLDER, ask_cwdb, NULL, NULL},
};

#define QUESTIONS (sizeof questions / sizeof *questions)

static char asker[ABOUTS][256];	/* the first module; empty: none */
static uid_t uid, euid;
static gid_t gid, egid;
static char folder[PATH_MAX];

static int is_import_system(PyCodeObject *code)
{
	const char *file = PyUnicode_AsUTF8(code->co_filename);
	int is = file && strncmp(file, "<frozen importlib.", 18) == 0;

	PyErr_Clear();
	return is;
}

/* The module whose body asks, a new reference; NULL: none. */
static PyObject *asking_module(void)
{
	PyFrameObject *frame = PyEval_GetFrame();
	PyObject *name = NULL;
	int first = 1;

	Py_XINCREF(frame);
	while (frame && !name) {
		PyCodeObject *code = PyFrame_GetCode(frame);
		PyFrameObject *back = PyFrame_GetBack(frame);
		int system = is_import_system(code);

		if (!system && PyUnicode_CompareWithASCIIString(code->co_name, "<module>") == 0) {
			PyObject *globals = PyFrame_GetGlobals(frame);

			name = PyDict_GetItemString(globals, "__name__");
			Py_XINCREF(name);
			Py_DECREF(globals);
		}
		Py_DECREF(code);
		Py_DECREF(frame);
		frame = back;
		if (first && system)
			Py_CLEAR(frame);	/* sys.path has an entry "" */
		first = 0;
	}
	Py_XDECREF(frame);
	return name;
}

static void note(enum about about)
{
	PyObject *name = asker[about][0] ? NULL : asking_module();
	const char *text = name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;

	PyErr_Clear();
	if (text && strcmp(text, "__main__") != 0 && !hooks_renew_answers(text))
		snprintf(asker[about], sizeof asker[about], "%s", text);
	Py_XDECREF(name);
}

void asked_folder(void)
{
	note(FOLDER);
}

static PyObject *answer(const struct question *question, PyObject *self)
{
	note(question->about);
	return question->theirs(self, NULL);
}

static PyObject *ask_uid(PyObject *self, PyObject *none)
{
	(void)none;
	return answer(&questions[0], self);
}

static PyObject *ask_euid(PyObject *self, PyObject *none)
{
	(void)none;
	return answer(&questions[1], self);
}

static PyObject *ask_gid(PyObject *self, PyObject *none)
{
	(void)none;
	return answer(&questions[2], self);
}

static PyObject *ask_egid(PyObject *self, PyObject *none)
{
	(void)none;
	return answer(&questions[3], self);
}

static PyObject *ask_cwd(PyObject *self, PyObject *none)
{
	(void)none;
	return answer(&questions[4], self);
}

static PyObject *ask_cwdb(PyObject *self, PyObject *none)
{
	(void)none;
	return answer(&questions[5], self);
}

/* Of the module itself: os holds the same functions, if nobody replaced them. */
static void find_rows(void)
{
	PyObject *module = imports_private("posix");

	for (size_t i = 0; i < QUESTIONS; i++) {
		PyObject *function = PyObject_GetAttrString(module, questions[i].name);

		if (function && PyCFunction_Check(function) &&
		    ((PyCFunctionObject *)function)->m_ml->ml_flags == METH_NOARGS)
			questions[i].row = ((PyCFunctionObject *)function)->m_ml;
		Py_XDECREF(function);
		PyErr_Clear();
	}
	Py_DECREF(module);
}

void asked_begin(void)
{
	uid = getuid();
	euid = geteuid();
	gid = getgid();
	egid = getegid();
	if (!getcwd(folder, sizeof folder))
		talk_refuse("ask for the working folder: %m");
	find_rows();
	for (size_t i = 0; i < QUESTIONS; i++) {
		if (!questions[i].row)
			continue;
		questions[i].theirs = questions[i].row->ml_meth;
		questions[i].row->ml_meth = questions[i].ours;
	}
}

void asked_end(void)
{
	for (size_t i = 0; i < QUESTIONS; i++)
		if (questions[i].row && questions[i].row->ml_meth == questions[i].ours)
			questions[i].row->ml_meth = questions[i].theirs;
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
