/*
 * Frames of the running thread, without making frame objects.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_code.h>
#include <internal/pycore_frame.h>
#if PY_VERSION_HEX >= 0x030e0000
#include <internal/pycore_interpframe.h>
#include <internal/pycore_stackref.h>
#endif

/* Frames that run no code of Python's: not begun yet, or the interpreter's own that
 * stand for a call from C (3.12+), which _PyFrame_IsIncomplete() counts in 3.14. */
static int is_hidden(struct _PyInterpreterFrame *frame)
{
#if PY_VERSION_HEX >= 0x030c0000 && PY_VERSION_HEX < 0x030e0000
	if (frame->owner == FRAME_OWNED_BY_CSTACK)
		return 1;
#endif
	return _PyFrame_IsIncomplete(frame);
}

const void *cpython_next_frame(const void *before)
{
	/* none where the interpreter is let go: in 3.15 while another one is made */
	PyThreadState *tstate = PyThreadState_GetUnchecked();
	struct _PyInterpreterFrame *frame;

	if (!tstate)
		return NULL;
	if (before)
		frame = ((const struct _PyInterpreterFrame *)before)->previous;
	else
#if PY_VERSION_HEX >= 0x030d0000
		frame = tstate->current_frame;
#else
		frame = tstate->cframe->current_frame;
#endif
	while (frame && is_hidden(frame))
		frame = frame->previous;
	return frame;
}

PyCodeObject *cpython_frame_code(const void *frame)
{
#if PY_VERSION_HEX >= 0x030e0000
	/* a tagged _PyStackRef */
	return _PyFrame_GetCode((struct _PyInterpreterFrame *)frame);
#elif PY_VERSION_HEX >= 0x030d0000
	return (PyCodeObject *)((const struct _PyInterpreterFrame *)frame)->f_executable;
#else
	return ((const struct _PyInterpreterFrame *)frame)->f_code;
#endif
}

PyObject *cpython_frame_globals(const void *frame)
{
	return ((const struct _PyInterpreterFrame *)frame)->f_globals;
}

int cpython_frame_line(const void *frame)
{
	const struct _PyInterpreterFrame *at = frame;
	PyCodeObject *code = cpython_frame_code(frame);
#if PY_VERSION_HEX >= 0x030d0000
	const _Py_CODEUNIT *instruction = at->instr_ptr;
#else
	const _Py_CODEUNIT *instruction = at->prev_instr;
#endif

	return PyCode_Addr2Line(code, (int)((const char *)instruction -
		(const char *)_PyCode_CODE(code)));
}
