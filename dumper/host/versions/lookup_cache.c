/*
 * The cache of attribute lookups, struct type_cache of pycore_typeobject.h.
 *
 * typeobject.c, _PyType_Lookup(): an entry's name is compared by address only, and
 * another one that takes its place gives a reference to it back, which is a write, and
 * more where nobody else had that string.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"
#include "counts.h"

#include <internal/pycore_interp.h>
#include <string.h>

#if PY_VERSION_HEX < 0x030c0000
/* A string of ours stands there, on a page that is written anyway. None would, too, but
 * so many more references to it would show. */
static PyObject *stand_in(void)
{
	static _Alignas(PyASCIIObject) char nobody[sizeof(PyASCIIObject) + 8];
	PyObject *text = PyUnicode_FromString("nobody");

	if (!text)
		return NULL;
	memcpy(nobody, text, sizeof(PyASCIIObject) + sizeof "nobody");
	Py_SET_REFCNT((PyObject *)nobody, 1 << 30);
	Py_DECREF(text);
	return (PyObject *)nobody;
}

static struct type_cache *get_cache(void)
{
	return &PyInterpreterState_Get()->type_cache;
}
#else
/* As PyType_ClearCache() leaves it; it is immortal. */
static PyObject *stand_in(void)
{
	return Py_None;
}

static struct type_cache *get_cache(void)
{
	return &PyInterpreterState_Get()->types.type_cache;
}
#endif

/* All, or those whose names are mortal, which are not freed. */
static void forget(int all)
{
	struct type_cache *cache = get_cache();
	PyObject *nobody = stand_in();

	for (size_t i = 0; nobody && i < sizeof cache->hashtable / sizeof *cache->hashtable;
	     i++) {
		struct type_cache_entry *entry = &cache->hashtable[i];
		PyObject *name = entry->name;

		if (!entry->version || (!all && counts_are_immortal(name)))
			continue;
		entry->version = 0;
		entry->name = nobody;
		entry->value = NULL;
		if (all)
			Py_XDECREF(name);
	}
}

void cpython_forget_lookups(void)
{
	forget(1);
}

void cpython_forget_mortal_lookups(void)
{
	forget(0);
}
