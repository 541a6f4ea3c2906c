/*
 * Differences between CPython versions, and the few internals that there is no
 * public call for. Facts are from the headers in internal/ of each version.
 */
#define Py_BUILD_CORE 1
#include "cpython.h"

#include <internal/pycore_frame.h>
#include <internal/pycore_gc.h>
#include <internal/pycore_runtime.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_interp.h>
#if PY_VERSION_HEX >= 0x030d0000
#include <internal/pycore_pylifecycle.h>
#endif

#include <dlfcn.h>
#include <structmember.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

const char *cpython_refusal(void)
{
	static char text[200];
	const char *have = Py_GetVersion();
	char want[16];

	snprintf(want, sizeof want, "%d.%d.", PY_MAJOR_VERSION, PY_MINOR_VERSION);
	if (strncmp(have, want, strlen(want)) == 0) {
#if PY_VERSION_HEX >= 0x030d0000 && defined(Py_GIL_DISABLED)
		return "free-threaded builds can't be frozen";
#endif
		return NULL;
	}
	snprintf(text, sizeof text, "this host is for CPython %sx, the interpreter is %.60s",
		want, have);
	return text;
}

void cpython_set_native_id(PyThreadState *tstate, unsigned long id)
{
	tstate->native_thread_id = id;
}

/* pycore_runtime.h: _PyRuntimeState_SetFinalizing is static inline; 3.13 keeps
 * the thread's id beside it and the interpreter has a pair of its own from
 * 3.12 on, which _Py_IsInterpreterFinalizing reads. */
void cpython_set_finalizing(PyThreadState *on)
{
#if PY_VERSION_HEX >= 0x030c0000
	_PyInterpreterState_SetFinalizing(PyInterpreterState_Get(), on);
#endif
	_PyRuntimeState_SetFinalizing(&_PyRuntime, on);
}

int cpython_is_finalizing(void)
{
	return _PyRuntimeState_GetFinalizing(&_PyRuntime) != NULL;
}

void cpython_set_uninitialized(void)
{
	_PyRuntime.initialized = 0;
	_PyRuntime.core_initialized = 0;
}

static int has_items(PyObject *list)
{
	return list && PyList_Check(list) && PyList_GET_SIZE(list);
}

/* Those of C are a list of the runtime's. */
static void *c_audit_hooks(void)
{
#if PY_VERSION_HEX >= 0x030c0000
	return &_PyRuntime.audit_hooks.head;
#else
	return &_PyRuntime.audit_hook_head;
#endif
}

int cpython_is_watched(PyThreadState *tstate)
{
	PyInterpreterState *interp = tstate->interp;
	void *hooks;

	memcpy(&hooks, c_audit_hooks(), sizeof hooks);
	return hooks || tstate->c_tracefunc || tstate->c_profilefunc || interp->audit_hooks ||
		interp->gc.debug || has_items(interp->gc.callbacks) ||
		has_items(interp->gc.garbage);
}

int cpython_is_generator(PyObject *object)
{
	return PyGen_CheckExact(object) || PyCoro_CheckExact(object) ||
		PyAsyncGen_CheckExact(object);
}

/* genobject.c, _PyGen_Finalize() and gen_close(). */
int cpython_generator_runs(PyObject *object)
{
	PyGenObject *generator = (PyGenObject *)object;
#if PY_VERSION_HEX < 0x030c0000
	PyCodeObject *code = generator->gi_code;
#else
	PyCodeObject *code = PyGen_GetCode(generator);

	Py_DECREF(code);	/* its frame holds it */
#endif
	if (generator->gi_frame_state == FRAME_CREATED)
		return PyCoro_CheckExact(object);
	return generator->gi_frame_state < FRAME_EXECUTING && (!PyGen_CheckExact(object) ||
		PyBytes_GET_SIZE(code->co_exceptiontable));
}

/* Exported for the interpreter's own extension modules; its parameters changed
 * in 3.12 (the list of threads is taken off under the lock first). */
void cpython_delete_other_threads(PyThreadState *tstate)
{
#if PY_VERSION_HEX < 0x030c0000
	void (*delete_except)(_PyRuntimeState *, PyThreadState *) =
		(void (*)(_PyRuntimeState *, PyThreadState *))
		dlsym(RTLD_DEFAULT, "_PyThreadState_DeleteExcept");

	if (delete_except && PyThreadState_Next(PyInterpreterState_ThreadHead(
			tstate->interp)))
		delete_except(&_PyRuntime, tstate);
#else
	(void)tstate;	/* 3.12+: frames of daemon threads are left alone */
#endif
}

int cpython_has_other_threads(PyThreadState *tstate)
{
	return PyThreadState_Next(PyInterpreterState_ThreadHead(
		PyThreadState_GetInterpreter(tstate))) != NULL;
}

/* pylifecycle.c, call_ll_exitfuncs() */
void cpython_call_exit_functions(void)
{
#if PY_VERSION_HEX >= 0x030c0000
	struct _atexit_runtime_state *state = &_PyRuntime.atexit;

	while (state->ncallbacks > 0)
		state->callbacks[--state->ncallbacks]();
#else
	while (_PyRuntime.nexitfuncs > 0)
		_PyRuntime.exitfuncs[--_PyRuntime.nexitfuncs]();
#endif
}

int *cpython_unhandled_interrupt(void)
{
#if PY_VERSION_HEX < 0x030c0000
	extern int _Py_UnhandledKeyboardInterrupt;

	return &_Py_UnhandledKeyboardInterrupt;
#else
	return (int *)&_PyRuntime.signals.unhandled_keyboard_interrupt;
#endif
}

unsigned long long cpython_dict_version(PyObject *dict)
{
#if PY_VERSION_HEX >= 0x030c0000
_Py_COMP_DIAG_PUSH
_Py_COMP_DIAG_IGNORE_DEPR_DECLS
	return ((PyDictObject *)dict)->ma_version_tag;
_Py_COMP_DIAG_POP
#else
	return ((PyDictObject *)dict)->ma_version_tag;
#endif
}

PyObject *cpython_quiet_attribute(const char *module, const char *name)
{
	PyObject *modules = PyImport_GetModuleDict(), *found, *value;
	int was = PyDict_GetItemString(modules, module) != NULL;

	found = PyImport_ImportModule(module);
	value = found ? PyObject_GetAttrString(found, name) : NULL;
	if (found && !was)
		PyDict_DelItemString(modules, module);
	Py_XDECREF(found);
	return value;
}

void cpython_restore_builtins(void)
{
	PyInterpreterState *interp = PyInterpreterState_Get();

	PyDict_Copy(interp->builtins);	/* kept: nothing frozen goes */
	PyDict_Clear(interp->builtins);
	PyDict_Update(interp->builtins, interp->builtins_copy);
	PyErr_Clear();
}

static void clear_dict(PyObject *dict)
{
	PyObject *name, *value;
	Py_ssize_t i = 0;

	PyDict_Copy(dict);		/* kept */
	while (PyDict_Next(dict, &i, &name, &value))
		if (value != Py_None && PyDict_SetItem(dict, name, Py_None))
			PyErr_Clear();
}

void cpython_clear_sys_and_builtins(void)
{
	PyInterpreterState *interp = PyInterpreterState_Get();

	clear_dict(interp->sysdict);
	clear_dict(interp->builtins);
}

void *cpython_finalize_address(void)
{
	return dlsym(RTLD_DEFAULT, "Py_FinalizeEx");
}

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

/* PyWeakref_GetObject() is deprecated where PyWeakref_GetRef() came. */
PyObject *cpython_referent(PyObject *weak)
{
	PyObject *object = NULL;

#if PY_VERSION_HEX >= 0x030d0000
	PyWeakref_GetRef(weak, &object);
#else
	object = PyWeakref_GetObject(weak);
	if (object == Py_None)
		return NULL;
	Py_INCREF(object);
#endif
	return object;
}

/* pythonrun.c of 3.13, run_mod(): what _PyRun_SimpleStringFlagsWithName does
 * before it runs the code; that function itself is not exported. */
void cpython_register_command(PyObject *text)
{
#if PY_VERSION_HEX >= 0x030d0000
	PyObject *linecache = PyImport_ImportModule("linecache"), *done = NULL;

	if (linecache)
		done = PyObject_CallMethod(linecache, "_register_code", "sOs", "<string>",
			text, "<string>");
	Py_XDECREF(done);
	Py_XDECREF(linecache);
	PyErr_Clear();
#else
	(void)text;
#endif
}

int cpython_utf8_mode(void)
{
	return _PyRuntime.preconfig.utf8_mode;
}

/* sys.flags is a struct sequence: attributes can't be set, items can. */
static Py_ssize_t flag_index(PyObject *flags, const char *name)
{
	const PyMemberDef *member = Py_TYPE(flags)->tp_members;

	for (; member && member->name; member++)
		if (strcmp(member->name, name) == 0)
			return (member->offset - (Py_ssize_t)offsetof(PyTupleObject, ob_item)) /
				(Py_ssize_t)sizeof(PyObject *);
	return -1;
}

int cpython_set_flag(const char *name, PyObject *value)
{
	PyObject *flags = PySys_GetObject("flags");
	Py_ssize_t index = flags ? flag_index(flags, name) : -1;

	if (!value)
		return -1;
	if (index < 0) {
		PyErr_Format(PyExc_RuntimeError, "sys.flags has no %s", name);
		Py_DECREF(value);
		return -1;
	}
	PyStructSequence_SET_ITEM(flags, index, value);
	return 0;
}

void cpython_set_preconfig(int isolated, int use_environment)
{
	_PyRuntime.preconfig.isolated = isolated;
	_PyRuntime.preconfig.use_environment = use_environment;
}

_Py_COMP_DIAG_PUSH
_Py_COMP_DIAG_IGNORE_DEPR_DECLS
int cpython_set_utf8_mode(int on)
{
	_PyRuntime.preconfig.utf8_mode = on;
	Py_UTF8Mode = on;
	return cpython_set_flag("utf8_mode", PyLong_FromLong(on));
}
_Py_COMP_DIAG_POP

/* Exported in 3.11 to 3.15; the prototype is internal, const from 3.14 on. */
PyConfig *cpython_config(void)
{
	return (PyConfig *)_Py_GetConfig();
}

static struct _gc_runtime_state *collector(void)
{
	return &PyInterpreterState_Get()->gc;
}

static PyGC_Head *generation_list(int generation)
{
	struct _gc_runtime_state *gc = collector();

	return generation == CPYTHON_PERMANENT ? &gc->permanent_generation.head :
		&gc->generations[generation].head;
}

PyObject *cpython_next_object(int generation, PyObject *object)
{
	PyGC_Head *list = generation_list(generation);
	PyGC_Head *next = _PyGCHead_NEXT(object ? _Py_AS_GC(object) : list);

	return next == list ? NULL : (PyObject *)(next + 1);
}

static void link_heads(PyGC_Head *one, PyGC_Head *next)
{
	_PyGCHead_SET_NEXT(one, next);
	_PyGCHead_SET_PREV(next, one);
}

void cpython_move_objects(PyObject *first, PyObject *last, int generation,
	PyObject *before)
{
	PyGC_Head *from = _Py_AS_GC(first), *to = _Py_AS_GC(last);
	PyGC_Head *next = before ? _Py_AS_GC(before) : generation_list(generation);

	if (from == next)
		return;
	link_heads(_PyGCHead_PREV(from), _PyGCHead_NEXT(to));
	link_heads(_PyGCHead_PREV(next), from);
	link_heads(to, next);
}

static _Py_AuditHookEntry hearing;

void cpython_hear(Py_AuditHookFunction hook)
{
	hearing.hookCFunction = hook;
	memcpy(&hearing.next, c_audit_hooks(), sizeof hearing.next);
	*(_Py_AuditHookEntry **)c_audit_hooks() = &hearing;
}

/* Others may have been added behind it (PySys_AddAuditHook goes to the end). */
void cpython_unhear(void)
{
	_Py_AuditHookEntry **at = c_audit_hooks();

	while (*at && *at != &hearing)
		at = &(*at)->next;
	if (*at)
		*at = hearing.next;
}

int cpython_has_thread(unsigned long ident)
{
	PyThreadState *tstate = PyInterpreterState_ThreadHead(PyInterpreterState_Get());

	while (tstate && tstate->thread_id != ident)
		tstate = PyThreadState_Next(tstate);
	return tstate != NULL;
}

/* PyEval_SetProfileAllThreads() is 3.12's. */
void cpython_profile_threads(Py_tracefunc profile)
{
#if PY_VERSION_HEX < 0x030c0000
	PyThreadState *tstate = PyInterpreterState_ThreadHead(PyInterpreterState_Get());

	for (; tstate; tstate = PyThreadState_Next(tstate))
		if (!tstate->c_profilefunc)
			_PyEval_SetProfile(tstate, profile, NULL);
#else
	PyEval_SetProfileAllThreads(profile, NULL);
#endif
}

static struct {
	void *c_audit;
	PyObject *audit, *callbacks, *trace_object, *profile_object;
	Py_tracefunc trace, profile;
} silenced;

void cpython_silence(void)
{
	PyThreadState *tstate = PyThreadState_Get();
	PyInterpreterState *interp = PyInterpreterState_Get();

	memcpy(&silenced.c_audit, c_audit_hooks(), sizeof silenced.c_audit);
	memset(c_audit_hooks(), 0, sizeof silenced.c_audit);
	silenced.audit = interp->audit_hooks;
	interp->audit_hooks = NULL;
	silenced.callbacks = interp->gc.callbacks;
	interp->gc.callbacks = PyList_New(0);	/* module gc needs one */
	silenced.trace = tstate->c_tracefunc;
	silenced.trace_object = tstate->c_traceobj;
	Py_XINCREF(silenced.trace_object);
	PyEval_SetTrace(NULL, NULL);
	silenced.profile = tstate->c_profilefunc;
	silenced.profile_object = tstate->c_profileobj;
	Py_XINCREF(silenced.profile_object);
	PyEval_SetProfile(NULL, NULL);
}

void cpython_unsilence(void)
{
	PyInterpreterState *interp = PyInterpreterState_Get();

	if (silenced.trace)
		PyEval_SetTrace(silenced.trace, silenced.trace_object);
	if (silenced.profile)
		PyEval_SetProfile(silenced.profile, silenced.profile_object);
	Py_XDECREF(silenced.trace_object);
	Py_XDECREF(silenced.profile_object);
	Py_XSETREF(interp->gc.callbacks, silenced.callbacks);
	interp->audit_hooks = silenced.audit;
	memcpy(c_audit_hooks(), &silenced.c_audit, sizeof silenced.c_audit);
}

/* Frames that run no code of Python's: not begun yet, or the interpreter's own that
 * stand for a call from C (3.12+). */
static int is_hidden(struct _PyInterpreterFrame *frame)
{
#if PY_VERSION_HEX >= 0x030c0000
	if (frame->owner == FRAME_OWNED_BY_CSTACK)
		return 1;
#endif
	return _PyFrame_IsIncomplete(frame);
}

const void *cpython_next_frame(const void *before)
{
	PyThreadState *tstate = PyThreadState_Get();
	struct _PyInterpreterFrame *frame;

	if (before)
		frame = ((const struct _PyInterpreterFrame *)before)->previous;
	else
#if PY_VERSION_HEX >= 0x030d0000
		frame = tstate->current_frame;
#else
		frame = tstate->cframe->current_frame;
#endif
	while (frame && is_hidden(frame))
		frame = frame->previous;
	return frame;
}

PyCodeObject *cpython_frame_code(const void *frame)
{
#if PY_VERSION_HEX >= 0x030d0000
	return (PyCodeObject *)((const struct _PyInterpreterFrame *)frame)->f_executable;
#else
	return ((const struct _PyInterpreterFrame *)frame)->f_code;
#endif
}

PyObject *cpython_frame_globals(const void *frame)
{
	return ((const struct _PyInterpreterFrame *)frame)->f_globals;
}

int cpython_frame_line(const void *frame)
{
	const struct _PyInterpreterFrame *at = frame;
	PyCodeObject *code = cpython_frame_code(frame);
#if PY_VERSION_HEX >= 0x030d0000
	const _Py_CODEUNIT *instruction = at->instr_ptr;
#else
	const _Py_CODEUNIT *instruction = at->prev_instr;
#endif

	return PyCode_Addr2Line(code, (int)((const char *)instruction -
		(const char *)_PyCode_CODE(code)));
}
