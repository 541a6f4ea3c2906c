/*
 * The state of generators, coroutines and asynchronous generators: enum
 * _framestate of pycore_frame.h, whose numbers rise from created over suspended and
 * executing to over. 3.12 took gi_code away and made suspended two states.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_frame.h>
#if PY_VERSION_HEX >= 0x030e0000
#include <internal/pycore_interpframe_structs.h>
#endif

int cpython_is_generator(PyObject *object)
{
	return PyGen_CheckExact(object) || PyCoro_CheckExact(object) ||
		PyAsyncGen_CheckExact(object);
}

/* genobject.c, _PyGen_Finalize() and gen_close(). */
int cpython_generator_runs(PyObject *object)
{
	PyGenObject *generator = (PyGenObject *)object;
#if PY_VERSION_HEX < 0x030c0000
	PyCodeObject *code = generator->gi_code;
#else
	PyCodeObject *code = PyGen_GetCode(generator);

	Py_DECREF(code);	/* its frame holds it */
#endif
	if (generator->gi_frame_state == FRAME_CREATED)
		return PyCoro_CheckExact(object);
	return generator->gi_frame_state < FRAME_EXECUTING && (!PyGen_CheckExact(object) ||
		PyBytes_GET_SIZE(code->co_exceptiontable));
}
