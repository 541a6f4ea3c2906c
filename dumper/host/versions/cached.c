/*
 * The name __cached__, which running a file sets in __main__, to None. 3.15 took it away
 * (Python/pythonrun.c, _PyRun_SimpleFile()).
 */
#include "cpython.h"

const char *cpython_cached_name(void)
{
	return PY_VERSION_HEX < 0x030f0000 ? "__cached__" : NULL;
}
