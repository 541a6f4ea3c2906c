/*
 * From 3.12 on an interpreter may have a GIL of its own (PEP 684). It refuses to
 * import a module that does not say by a slot that this does no harm.
 */
#include "versions/module_slots.h"

PyModuleDef_Slot module_slots[] = {
#if PY_VERSION_HEX >= 0x030c0000
	{ Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED },
#endif
	{ 0 }
};
