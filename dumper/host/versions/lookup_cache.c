/*
 * The cache of attribute lookups.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_interp.h>

/* typeobject.c, _PyType_Lookup(): the name in an entry that another takes the place
 * of loses a reference. From 3.12 on such names are immortal, and nothing is written. */
void cpython_forget_lookups(void)
{
#if PY_VERSION_HEX < 0x030c0000
	struct type_cache *cache = &PyInterpreterState_Get()->type_cache;

	for (size_t i = 0; i < sizeof cache->hashtable / sizeof *cache->hashtable; i++) {
		struct type_cache_entry *entry = &cache->hashtable[i];

		entry->version = 0;
		entry->value = NULL;
		Py_INCREF(Py_None);
		Py_XSETREF(entry->name, Py_None);
	}
#endif
}
