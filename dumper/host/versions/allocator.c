/*
 * The allocator of small objects, pymalloc.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_runtime.h>

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

#if PY_VERSION_HEX >= 0x030c0000
int cpython_in_main(void)
{
	const PyThreadState *state = PyThreadState_GetUnchecked();

	return !state || state->interp == PyInterpreterState_Main();
}
#else
int cpython_in_main(void)
{
	return 1;
}
#endif

/* Objects/obmalloc.c: struct pool_header begins with the count of blocks in
 * use; pools are aligned to their size, 16 KiB since 3.10. */
unsigned cpython_pool_count(const void *block)
{
	return *(const unsigned *)((uintptr_t)block & ~(uintptr_t)(CPYTHON_POOL - 1));
}

#if PY_VERSION_HEX >= 0x030c0000
/* tracemalloc.c: what it stands before, and puts back when it stops, which
 * Py_FinalizeEx has it do before the last objects end. */
static PyMemAllocatorEx *traced(PyMemAllocatorDomain domain)
{
	struct _tracemalloc_runtime_state *tracemalloc = &_PyRuntime.tracemalloc;

	if (!tracemalloc->config.tracing)
		return NULL;
	return domain == PYMEM_DOMAIN_MEM ? &tracemalloc->allocators.mem :
		&tracemalloc->allocators.obj;
}
#else
static PyMemAllocatorEx *traced(PyMemAllocatorDomain domain)
{
	(void)domain;
	return NULL;
}
#endif

void cpython_replace_free(PyMemAllocatorDomain domain, void (*instead)(void *, void *))
{
	PyMemAllocatorEx *below = traced(domain), now;

	if (below) {
		below->free = instead;
		return;
	}
	PyMem_GetAllocator(domain, &now);
	now.free = instead;
	PyMem_SetAllocator(domain, &now);
}
