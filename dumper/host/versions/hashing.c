/*
 * Whether strings were hashed before the interpreter made its first object.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_global_strings.h>
#include <internal/pycore_runtime.h>

/* The interpreter's static strings begin without a hash. In 3.11 the first object is
 * made before the first of them is hashed; from 3.12 on they are interned before. */
int cpython_has_hashed(void)
{
	return ((PyASCIIObject *)&_Py_ID(builtins))->hash != -1 ||
		((PyASCIIObject *)&_Py_ID(__name__))->hash != -1;
}
