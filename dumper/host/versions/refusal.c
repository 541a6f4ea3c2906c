/*
 * Which interpreters are known. A kind that can't be frozen is refused when the host
 * is compiled and when it starts: the interpreter may be of another build than the
 * headers. From 3.13 on it says itself where its structs are (debug_offsets of
 * pycore_runtime.h, made for debuggers).
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_runtime.h>

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define FREE_THREADED "a free-threaded build, which can't be frozen: objects are counted " \
	"and collected in another way there; use the build with a GIL"
#define INCREMENTAL "a build with the incremental collector (3.14.0 to some 3.14.x), which " \
	"can't be frozen: it knows no generation that it leaves alone; use a later 3.14"

#ifdef Py_GIL_DISABLED
#error "free-threaded builds of CPython can't be frozen"
#endif
#ifdef _PyGC_NEXT_MASK_OLD_SPACE_1
#error "builds of CPython with the incremental collector can't be frozen"
#endif

static char text[300];

static const char *version_refusal(void)
{
	const char *have = Py_GetVersion();
	char want[16];

	snprintf(want, sizeof want, "%d.%d.", PY_MAJOR_VERSION, PY_MINOR_VERSION);
	if (strncmp(have, want, strlen(want)) == 0)
		return NULL;
	snprintf(text, sizeof text, "this host is for CPython %sx, the interpreter is %.60s",
		want, have);
	return text;
}

#if PY_VERSION_HEX < 0x030d0000
static const char *layout_refusal(void)
{
	return NULL;
}
#else
#if PY_VERSION_HEX >= 0x030e0000
/* All that it says but the release. */
static int is_same_layout(const _Py_DebugOffsets *theirs)
{
	_Py_DebugOffsets ours = _Py_DebugOffsets_INIT(_Py_Debug_Cookie);

	ours.version = theirs->version;
	return memcmp(&ours, theirs, sizeof ours) == 0;
}
#else
static int is_same_layout(const _Py_DebugOffsets *theirs)
{
	return theirs->runtime_state.size == sizeof(_PyRuntimeState) &&
		theirs->interpreter_state.size == sizeof(PyInterpreterState) &&
		theirs->thread_state.size == sizeof(PyThreadState) &&
		theirs->interpreter_state.gc == offsetof(PyInterpreterState, gc) &&
		theirs->gc.size == sizeof(struct _gc_runtime_state);
}
#endif

static const char *layout_refusal(void)
{
	const _Py_DebugOffsets *theirs = &_PyRuntime.debug_offsets;

	if (theirs->free_threaded)
		return FREE_THREADED;
	/* what stands for the oldest generation has a threshold of 0 there */
	if (_PyRuntime._main_interpreter.gc.generations[CPYTHON_OLDEST].threshold == 0)
		return INCREMENTAL;
	if (is_same_layout(theirs))
		return NULL;
	snprintf(text, sizeof text, "this host was built with the headers of %s, and the "
		"interpreter (%.60s) has other structs; build the host anew", PY_VERSION,
		Py_GetVersion());
	return text;
}
#endif

const char *cpython_refusal(void)
{
	const char *why = version_refusal();

	return why ? why : layout_refusal();
}

/* gc.c, _PyGC_InitState() */
const char *cpython_collector_refusal(void)
{
	const struct _gc_runtime_state *gc = &PyInterpreterState_Get()->gc;

	return gc->generation0 == &gc->generations[0].head ? NULL : INCREMENTAL;
}
