/*
 * Where the C stack of the main thread ends, which a thread state of 3.14+ holds:
 * RecursionError comes when the stack pointer nears it. ceval.c asks
 * pthread_getattr_np(3), which reads /proc/self/maps for the main thread; the
 * same numbers come from the kernel's own rules for less.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#if PY_VERSION_HEX >= 0x030e0000
#include <internal/pycore_ceval.h>
#include <internal/pycore_tstate.h>

#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>

#define PAGE ((uintptr_t)4096)

/* A stack that may grow by more than this may meet a mapping before: see maps. */
#define LARGE ((rlim_t)1 << 36)

extern void *__libc_stack_end;

/* fs/exec.c: the name of the program is the first that is copied to the stack,
 * below one word. 0: this is another kernel. */
static uintptr_t end_of_mapping(void)
{
	const char *name = (const char *)getauxval(AT_EXECFN);
	uintptr_t end = name ? (uintptr_t)name + strlen(name) + 1 + sizeof(void *) : 0;

	return end % PAGE ? 0 : end;
}

/* glibc, pthread_getattr_np(): the limit counts from the end of the mapping, the
 * stack from the end of the page where the program's began. */
static int set(PyThreadState *tstate, rlim_t limit)
{
	_PyThreadStateImpl *state = (_PyThreadStateImpl *)tstate;
	uintptr_t end = end_of_mapping(), top, size;

	top = ((uintptr_t)__libc_stack_end & ~(PAGE - 1)) + PAGE;
	if (!end || top > end || limit > LARGE || limit < end - top)
		return -1;
	size = (limit - (end - top)) & ~(PAGE - 1);
	if (size < _PyOS_MIN_STACK_SIZE)
		return -1;
	PyUnstable_ThreadState_SetStackProtection(tstate, (void *)(top - size), size);
	state->c_stack_init_base = top - size;
	state->c_stack_init_top = top;
	return 0;
}

void cpython_renew_stack_bounds(PyThreadState *tstate)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_STACK, &limit) || set(tstate, limit.rlim_cur))
		_Py_InitializeRecursionLimits(tstate);
}
#else
void cpython_renew_stack_bounds(PyThreadState *tstate)
{
	(void)tstate;
}
#endif
