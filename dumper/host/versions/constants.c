/*
 * Code that counts its constants without looking: CPython 3.14 alone.
 *
 * There LOAD_CONST rewrites itself when it is run first (bytecodes.c): as
 * LOAD_CONST_IMMORTAL where its constant is immortal then, as LOAD_CONST_MORTAL where
 * it is not. The latter adds 1 to any count and marks the reference on the stack as
 * counted. If that ends on the stack, 1 is taken off, without looking either. But
 * where it is handed on (stored in a list, say), who drops it looks: Py_DECREF takes
 * nothing off an immortal one. So each such load would add 1 for good, to 3 << 30 in
 * 32 bits: 2^30 loads later the count would be 0, and then that of an object that
 * ends.
 *
 * Code that is run first after the restore asks the immortal count: it never gets the
 * wrong form. Nothing else makes counted references of what it did not just make
 * (PyStackRef_FromPyObjectNewMortal()); 3.15 counts no constant at all: it borrows.
 */
#define Py_BUILD_CORE 1
#include "counts.h"

#if PY_VERSION_HEX >= 0x030e0000 && PY_VERSION_HEX < 0x030f0000
/* The tables themselves: the interpreter's are not exported. */
#define NEED_OPCODE_METADATA 1
#include <internal/pycore_opcode_metadata.h>

#include <internal/pycore_code.h>

static void settle(_Py_CODEUNIT *unit, PyObject *constants, int at)
{
	if (unit->op.code == LOAD_CONST_MORTAL && at < PyTuple_GET_SIZE(constants) &&
	    _Py_IsImmortal(PyTuple_GET_ITEM(constants, at)))
		unit->op.code = LOAD_CONST_IMMORTAL;
}

/* `base` has the instructions under those of tracers and coverage tools, else it is
 * the code itself. Caches stand behind their instruction. */
static void settle_all(PyCodeObject *code, const _Py_CODEUNIT *base)
{
	_Py_CODEUNIT *units = _PyCode_CODE(code);
	int argument = 0, kind;

	for (Py_ssize_t i = 0; i < Py_SIZE(code); i += 1 + _PyOpcode_Caches[kind]) {
		kind = _PyOpcode_Deopt[base[i].op.code];
		argument = argument << 8 | base[i].op.arg;
		if (kind == EXTENDED_ARG)
			continue;
		if (kind == LOAD_CONST)
			settle(&units[i], code->co_consts, argument);
		argument = 0;
	}
}

int counts_settle_code(PyCodeObject *code)
{
	PyObject *base;

	if (!code->_co_monitoring) {
		settle_all(code, _PyCode_CODE(code));
		return 0;
	}
	base = PyCode_GetCode(code);
	if (!base)
		return -1;
	settle_all(code, (const _Py_CODEUNIT *)(const void *)PyBytes_AS_STRING(base));
	Py_DECREF(base);
	return 0;
}
#else
int counts_settle_code(PyCodeObject *code)
{
	(void)code;
	return 0;
}
#endif
