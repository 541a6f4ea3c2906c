/*
 * The allocator of small objects, pymalloc.
 */
#include "cpython.h"

#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

/* Exported for _testcapi and others; NULL where the allocator is not known. */
int cpython_uses_pymalloc(void)
{
	const char *(*name)(void) = (const char *(*)(void))dlsym(RTLD_DEFAULT,
		"_PyMem_GetCurrentAllocatorName");
	const char *now = name ? name() : NULL;

	return now && strcmp(now, "pymalloc") == 0;
}

/* Objects/obmalloc.c: struct pool_header begins with the count of blocks in
 * use; pools are aligned to their size, 16 KiB since 3.10. */
unsigned cpython_pool_count(const void *block)
{
	return *(const unsigned *)((uintptr_t)block & ~(uintptr_t)(CPYTHON_POOL - 1));
}
