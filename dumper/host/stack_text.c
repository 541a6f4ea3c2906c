/*
 * Python formats its stacks itself; see stack_text.h.
 */
#include "stack_text.h"
#include "cpython.h"
#include "imports.h"

#include <stddef.h>

/* Runs the code with `names`, which it takes over; its `text`. Never freed: what
 * asks for it ends the process. */
static const char *run(const char *code, PyObject *names)
{
	PyObject *text = imports_run(code, names) ? NULL : PyDict_GetItemString(names, "text");
	const char *found = NULL;

	if (text && PyUnicode_Check(text))
		text = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
	else
		text = NULL;
	if (text)
		found = PyBytes_AsString(text);
	PyErr_Clear();
	return found ? found : "";
}

const char *stack_text_here(void)
{
	static const char code[] =
		"import traceback\n"
		"text = 'Traceback (most recent call last):\\n' + ''.join(\n"
		"    line for line in traceback.format_stack(frame)\n"
		"    if not line.startswith('  File \"<frozen importlib.'))\n";
	PyFrameObject *frame = PyEval_GetFrame();
	PyObject *names = PyDict_New();

	if (!frame || !names || PyDict_SetItemString(names, "frame", (PyObject *)frame))
		return "";
	return run(code, names);
}

const char *stack_text_of_thread(unsigned long ident)
{
	static const char code[] =
		"import sys, threading, traceback\n"
		"frame = sys._current_frames().get(ident)\n"	/* none in C's functions */
		"thread = threading._active.get(ident)\n"
		"text = 'of Python\\'s, ' + (\n"
		"    'started by _thread.start_new_thread()' if thread is None else\n"
		"    'named %r%s' % (thread.name, ', a daemon' if thread.daemon else ''))\n"
		"text += ':\\n' + ''.join(traceback.format_stack(frame)) if frame else ', '\n";
	PyObject *names = PyDict_New(), *number = PyLong_FromUnsignedLong(ident);

	if (!cpython_has_thread(ident) || !names || !number || PyDict_SetItemString(names, "ident", number))
		return "";
	return run(code, names);
}
