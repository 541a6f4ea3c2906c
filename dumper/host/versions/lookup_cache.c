/*
 * The cache of attribute lookups.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_interp.h>
#include <string.h>

/* typeobject.c, _PyType_Lookup(): an entry's name is compared by address only, and
 * another one that takes its place gives a reference to it back: a string of ours
 * stands there, on a page that is written anyway. (None would, but so many more
 * references to it would show.) From 3.12 on names are immortal, nothing is written. */
void cpython_forget_lookups(void)
{
#if PY_VERSION_HEX < 0x030c0000
	struct type_cache *cache = &PyInterpreterState_Get()->type_cache;
	static _Alignas(PyASCIIObject) char nobody[sizeof(PyASCIIObject) + 8];
	PyObject *text = PyUnicode_FromString("nobody");

	if (!text)
		return;
	memcpy(nobody, text, sizeof(PyASCIIObject) + sizeof "nobody");
	Py_SET_REFCNT((PyObject *)nobody, 1 << 30);
	Py_DECREF(text);
	for (size_t i = 0; i < sizeof cache->hashtable / sizeof *cache->hashtable; i++) {
		struct type_cache_entry *entry = &cache->hashtable[i];
		PyObject *name = entry->name;

		if (!entry->version)
			continue;
		*entry = (struct type_cache_entry){ .name = (PyObject *)nobody };
		Py_XDECREF(name);
	}
#endif
}
