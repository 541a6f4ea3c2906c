/*
 * Whose call it is, and where it would have gone; see interpose.h.
 */
#include "interpose.h"

#include <dlfcn.h>
#include <stddef.h>

void *interpose_object(void *address)
{
	Dl_info info;

	return dladdr(address, &info) ? dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD) : NULL;
}

/* What extensions need is in no scope but their own: RTLD_NEXT finds it only
 * where it was loaded for all. */
void *interpose_next(void *caller, const char *name)
{
	void *object = interpose_object(caller);
	void *found = object ? dlsym(object, name) : NULL;

	return found ? found : dlsym(RTLD_NEXT, name);
}
