/*
 * The configurations that the interpreter goes by while it runs: PyPreConfig,
 * PyConfig, sys.flags.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_interp.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_runtime.h>
#if PY_VERSION_HEX >= 0x030d0000
#include <internal/pycore_pylifecycle.h>
#endif

#include <stddef.h>
#include <string.h>
#include <structmember.h>

int cpython_utf8_mode(void)
{
	return _PyRuntime.preconfig.utf8_mode;
}

/* PEP 540: in the C and POSIX locales alone. PEP 686, from 3.15 on: in all. */
int cpython_utf8_mode_where(int coerced)
{
	return PY_VERSION_HEX >= 0x030f0000 || coerced;
}

/* sys.flags is a struct sequence: attributes can't be set, items can. */
static Py_ssize_t flag_index(PyObject *flags, const char *name)
{
	const PyMemberDef *member = Py_TYPE(flags)->tp_members;

	for (; member && member->name; member++)
		if (strcmp(member->name, name) == 0)
			return (member->offset - (Py_ssize_t)offsetof(PyTupleObject, ob_item)) /
				(Py_ssize_t)sizeof(PyObject *);
	return -1;
}

int cpython_set_flag(const char *name, PyObject *value)
{
	PyObject *flags = PySys_GetObject("flags");
	Py_ssize_t index = flags ? flag_index(flags, name) : -1;

	if (!value)
		return -1;
	if (index < 0) {
		PyErr_Format(PyExc_RuntimeError, "sys.flags has no %s", name);
		Py_DECREF(value);
		return -1;
	}
	PyStructSequence_SET_ITEM(flags, index, value);
	return 0;
}

_Py_COMP_DIAG_PUSH
_Py_COMP_DIAG_IGNORE_DEPR_DECLS
/* main.c's pymain_set_inspect(): from 3.14 on by PyConfig_Set(), which raises an audit
 * event and puts another object in the place of sys.flags. */
void cpython_set_inspect(int on)
{
#if PY_VERSION_HEX >= 0x030e0000
	PyObject *value = PyLong_FromLong(on);
	int status = value ? PyConfig_Set("inspect", value) : -1;

	Py_XDECREF(value);
	if (status) {
		fprintf(stderr, "Could not set the inspect flag\n");
		PyErr_Print();
		return;
	}
#else
	cpython_config()->inspect = on;
#endif
	Py_InspectFlag = on;
}
_Py_COMP_DIAG_POP

void cpython_set_preconfig(int isolated, int use_environment)
{
	_PyRuntime.preconfig.isolated = isolated;
	_PyRuntime.preconfig.use_environment = use_environment;
}

_Py_COMP_DIAG_PUSH
_Py_COMP_DIAG_IGNORE_DEPR_DECLS
int cpython_set_utf8_mode(int on)
{
	_PyRuntime.preconfig.utf8_mode = on;
	Py_UTF8Mode = on;
	return cpython_set_flag("utf8_mode", PyLong_FromLong(on));
}
_Py_COMP_DIAG_POP

/* gh-143135 */
int cpython_zero_inspects(void)
{
	return Py_Version >= 0x030e0300;
}

/* initconfig.c, PYCONFIG_SPEC: since 3.12 inspect, interactive and quiet are of kind
 * BOOL, so that the way through getpath.py's dict makes 1 of what was counted. */
int cpython_option_count(int count)
{
#if PY_VERSION_HEX >= 0x030c0000
	return count != 0;
#else
	return count;
#endif
}

/* Exported in 3.11 to 3.15; the prototype is internal, const from 3.14 on. */
PyConfig *cpython_config(void)
{
	return (PyConfig *)_Py_GetConfig();
}

#if PY_VERSION_HEX >= 0x030d0000
/* PyConfig.sys_path_0 is new in 3.13. Both none, or both empty, as -c has it: what
 * else there is need not be compared. */
static int is_path0(PyObject *text)
{
	const wchar_t *now = cpython_config()->sys_path_0;

	return text && now ? !*now && !PyUnicode_GET_LENGTH(text) : !text && !now;
}

static wchar_t *copy_of(PyObject *text)
{
	Py_ssize_t size = PyUnicode_AsWideChar(text, NULL, 0);
	wchar_t *copy = size > 0 ? PyMem_RawMalloc((size_t)size * sizeof *copy) : NULL;

	if (copy)
		PyUnicode_AsWideChar(text, copy, size);
	else if (size > 0)
		PyErr_NoMemory();
	return copy;
}

/* PyConfig_Clear() frees it at the end; the former one is left, for it may lie on
 * a page of the image. */
int cpython_set_path0(PyObject *text)
{
	wchar_t *copy = NULL;

	if (is_path0(text))
		return 0;
	if (text && !(copy = copy_of(text)))
		return -1;
	cpython_config()->sys_path_0 = copy;
	return 0;
}
#else
int cpython_set_path0(PyObject *text)
{
	(void)text;
	return 0;
}
#endif
