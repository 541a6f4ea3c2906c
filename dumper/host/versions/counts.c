/*
 * Immortal reference counts: 64 bits, with the GIL. Facts are from object.h (3.12,
 * 3.13), refcount.h (3.14+), and dictobject.c of each.
 */
#define Py_BUILD_CORE 1
#include "counts.h"

#if PY_VERSION_HEX >= 0x030c0000
#include <internal/pycore_dict.h>

int counts_can_be_immortal(void)
{
	return 1;
}

int counts_are_immortal(PyObject *object)
{
	return _Py_IsImmortal(object);
}

#if PY_VERSION_HEX >= 0x030e0000
/* ob_refcnt has 32 bits, beside ob_flags. Py_INCREF leaves alone what is at least
 * _Py_IMMORTAL_INITIAL_REFCNT (3 << 30), Py_DECREF what has bit 31: at the former
 * neither writes. */
static void set_immortal(PyObject *object)
{
	object->ob_flags |= _Py_IMMORTAL_FLAGS;
	object->ob_refcnt = (uint32_t)_Py_IMMORTAL_INITIAL_REFCNT;
}

void counts_set(PyObject *object, Py_ssize_t count)
{
	object->ob_flags &= (uint16_t)~_Py_IMMORTAL_FLAGS;
	object->ob_refcnt = (uint32_t)count;
}

/* _Py_DICT_IMMORTAL_INITIAL_REFCNT; any negative count is immortal. */
#define IMMORTAL_NAMES PY_SSIZE_T_MIN
#else
/* Py_INCREF leaves alone what would become 0 in its lower 32 bits, Py_DECREF what has
 * bit 31 of them: only at UINT_MAX neither writes. */
static void set_immortal(PyObject *object)
{
	object->ob_refcnt = _Py_IMMORTAL_REFCNT;
}

void counts_set(PyObject *object, Py_ssize_t count)
{
	object->ob_refcnt = count;
}

/* dictkeys_incref(), dictkeys_decref() */
#define IMMORTAL_NAMES _Py_IMMORTAL_REFCNT
#endif

void counts_make_immortal(PyObject *object)
{
	PyHeapTypeObject *type = (PyHeapTypeObject *)object;

	set_immortal(object);
	if (PyType_Check(object) && (type->ht_type.tp_flags & Py_TPFLAGS_HEAPTYPE) &&
	    type->ht_cached_keys)
		type->ht_cached_keys->dk_refcnt = IMMORTAL_NAMES;
}
#else
int counts_can_be_immortal(void)
{
	return 0;
}

int counts_are_immortal(PyObject *object)
{
	(void)object;
	return 0;
}

void counts_make_immortal(PyObject *object)
{
	(void)object;
}

void counts_set(PyObject *object, Py_ssize_t count)
{
	Py_SET_REFCNT(object, count);
}
#endif
