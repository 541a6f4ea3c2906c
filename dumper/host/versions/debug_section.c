/*
 * The section in which debuggers look for the interpreter's state. 3.13 put it there,
 * with a table of its own layout at its start; sys.remote_exec(), `pdb -p` and `asyncio
 * ps` of 3.14 go by it.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_runtime.h>

void *cpython_debug_section(size_t *size)
{
	*size = PY_VERSION_HEX < 0x030d0000 ? 0 : sizeof _PyRuntime;
	return &_PyRuntime;
}
