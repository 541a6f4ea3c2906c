/*
 * The prompt on a terminal is a module of the library (_pyrepl) from 3.13 on.
 */
#include "cpython.h"

int cpython_prompt_is_module(void)
{
	return PY_VERSION_HEX >= 0x030d0000;
}
