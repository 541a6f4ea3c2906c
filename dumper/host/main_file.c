/*
 * Python/pythonrun.c's _PyRun_AnyFile(), _PyRun_SimpleFile() and run_pyc_file(), whose
 * public likes end the process for SystemExit.
 */
#include "main_file.h"
#include "command.h"
#include "cpython.h"
#include "imports.h"
#include "module_run.h"
#include "talk.h"

#include <marshal.h>
#include <string.h>
#include <unistd.h>

static PyObject *source_loader, *bytecode_loader;

static PyObject *loader_type(const char *name)
{
	PyObject *type = cpython_quiet_attribute("_frozen_importlib_external", name);

	if (!type)
		talk_refuse("prepare the loader of files: %s", imports_traceback());
	return type;
}

void main_file_prepare(void)
{
	source_loader = loader_type("SourceFileLoader");
	bytecode_loader = loader_type("SourcelessFileLoader");
}

void main_file_release(void)
{
	Py_CLEAR(source_loader);
	Py_CLEAR(bytecode_loader);
}

PyObject *main_file_loader(PyObject *filename)
{
	return PyObject_CallFunction(source_loader, "sO", "__main__", filename);
}

static void flush(const char *name)
{
	PyObject *stream = PySys_GetObject(name), *done;

	done = stream ? PyObject_CallMethod(stream, "flush", NULL) : NULL;
	if (!done)
		PyErr_Clear();
	Py_XDECREF(done);
}

static void flush_streams(void)
{
	PyObject *type, *value, *trace;

	PyErr_Fetch(&type, &value, &trace);
	flush("stderr");
	flush("stdout");
	PyErr_Restore(type, value, trace);
}

static int set_file(PyObject *names, PyObject *filename)
{
	const char *cached = cpython_cached_name();

	return PyDict_SetItemString(names, "__file__", filename) ||
		(cached && PyDict_SetItemString(names, cached, Py_None));
}

static void forget(PyObject *names, const char *name)
{
	if (PyDict_DelItemString(names, name))
		PyErr_Clear();
}

static void forget_file(PyObject *names)
{
	PyObject *type, *value, *trace;

	PyErr_Fetch(&type, &value, &trace);
	forget(names, "__file__");
	if (cpython_cached_name())
		forget(names, cpython_cached_name());
	PyErr_Restore(type, value, trace);
}

/* PyErr_Print() ends the process for SystemExit, and the end must not find the module
 * held. Its names may be gone with it. */
static int print_first(PyObject *module, int set)
{
	Py_DECREF(module);
	PyErr_Print();
	if (set && PyDict_GetItemString(PyImport_GetModuleDict(), "__main__") == module)
		forget_file(PyModule_GetDict(module));
	return 1;
}

/* The module is held: the program may take it out of sys.modules. */
int main_file_evaluate(PyObject *filename, PyObject *loader,
	PyObject *(*evaluate)(void *of, PyObject *names), void *of)
{
	PyObject *module = PyImport_AddModule("__main__"), *names, *result = NULL;
	int set;

	if (!module)
		return module_failed();
	Py_INCREF(module);
	names = PyModule_GetDict(module);
	set = !PyDict_GetItemString(names, "__file__");
	if ((!set || !set_file(names, filename)) &&
	    !PyDict_SetItemString(names, "__loader__", loader))
		result = evaluate(of, names);
	flush_streams();
	if (!result && !cpython_main_returns())
		return print_first(module, set);
	if (set)
		forget_file(names);
	Py_DECREF(module);
	Py_XDECREF(result);
	return result ? 0 : module_failed();
}

/* ------------------------------------------------------------ a file that is open */

struct text {
	FILE *file;
	const char *name;
};

static PyObject *evaluate_text(void *of, PyObject *names)
{
	PyCompilerFlags flags = { .cf_flags = 0, .cf_feature_version = PY_MINOR_VERSION };
	struct text *text = of;

	return PyRun_FileExFlags(text->file, text->name, Py_file_input, names, names, 1,
		&flags);
}

/* run_pyc_file(), from the second long of the file on */
static PyObject *read_code(FILE *file)
{
	PyObject *code = NULL;

	for (int i = 0; i < 3; i++)
		PyMarshal_ReadLongFromFile(file);
	if (PyErr_Occurred())
		return NULL;
	code = PyMarshal_ReadLastObjectFromFile(file);
	if (code && PyCode_Check(code))
		return code;
	Py_XDECREF(code);
	PyErr_SetString(PyExc_RuntimeError, "Bad code object in .pyc file");
	return NULL;
}

static PyObject *evaluate_bytecode(void *of, PyObject *names)
{
	const struct text *text = of;
	PyObject *code = NULL, *result;

	if (PyMarshal_ReadLongFromFile(text->file) == PyImport_GetMagicNumber())
		code = read_code(text->file);
	else if (!PyErr_Occurred())
		PyErr_SetString(PyExc_RuntimeError, "Bad magic number in .pyc file");
	fclose(text->file);
	result = code ? command_execute(code, names) : NULL;
	Py_XDECREF(code);
	return result;
}

/* maybe_pyc_file(): by its name, or the first half of the magic number */
static int is_bytecode(FILE *file, const char *name)
{
	size_t length = strlen(name);
	unsigned magic = (unsigned)PyImport_GetMagicNumber() & 0xffff;
	unsigned char bytes[2];
	int is = 0;

	if (length >= 4 && strcmp(name + length - 4, ".pyc") == 0)
		return 1;
	if (ftell(file) == 0) {
		is = fread(bytes, 1, 2, file) == 2 &&
			(unsigned)(bytes[1] << 8 | bytes[0]) == magic;
		rewind(file);
	}
	return is;
}

/* It is opened again, which audit hooks hear of. */
static FILE *open_bytecode(FILE *file, const char *name, PyObject *filename)
{
	fclose(file);
	file = PySys_Audit("open", "Osi", filename, "rb", 0) < 0 ? NULL : fopen(name, "rbe");
	if (!file) {
		PyErr_Clear();
		fprintf(stderr, "python: Can't reopen .pyc file\n");
	}
	return file;
}

/* An interactive session has a loop of its own, which is not to be had elsewhere. */
int main_file_run(FILE *file, const char *name, PyObject *filename)
{
	PyCompilerFlags flags = { .cf_flags = 0, .cf_feature_version = PY_MINOR_VERSION };
	int is_pyc, status;
	PyObject *loader;

	if (!cpython_main_returns() || isatty(fileno(file)))
		return PyRun_AnyFileExFlags(file, name, 1, &flags) != 0;
	is_pyc = is_bytecode(file, name);
	if (is_pyc && !(file = open_bytecode(file, name, filename)))
		return 1;
	loader = PyObject_CallFunction(is_pyc ? bytecode_loader : source_loader, "sO",
		"__main__", filename);
	status = loader ? main_file_evaluate(filename, loader,
		is_pyc ? evaluate_bytecode : evaluate_text,
		&(struct text){ file, name }) : module_failed();
	Py_XDECREF(loader);
	return status;
}
