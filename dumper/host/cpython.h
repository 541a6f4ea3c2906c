/*
 * Everything that differs between CPython versions or needs more than the
 * public API. The functions are in cpython.c or, where versions differ, in one
 * file of versions/ for each difference: docs/porting.md lists them.
 */
#ifndef CPYTHON_H
#define CPYTHON_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if PY_VERSION_HEX < 0x030b0000 || PY_VERSION_HEX >= 0x03100000
#error "only CPython 3.11 to 3.15 is known"
#endif

#if PY_VERSION_HEX < 0x030d0000	/* its name until then */
#define PyThreadState_GetUnchecked _PyThreadState_UncheckedGet
#endif

/* NULL if this interpreter is of the version that the host was built for and
 * of no kind that can't be frozen; else why not. Before Py_Initialize. */
const char *cpython_refusal(void);

/* Likewise, when the interpreter is there and before it runs any program. */
const char *cpython_collector_refusal(void);

/* Likewise, when it is wholly started. */
const char *cpython_jit_refusal(void);

/* The running thread's OS id, kept in its thread state (3.11+). */
void cpython_set_native_id(PyThreadState *tstate, unsigned long id);

/* The C stack is the one that the process has now (3.14+ keeps its bounds). */
void cpython_renew_stack_bounds(PyThreadState *tstate);

/* The running thread is the one that runs __main__, or none is any more (3.13+). The
 * first writes nothing where it is so already. */
void cpython_begin_main(void);
void cpython_end_main(void);

/* sys.is_finalizing() becomes true, and all threads but the running one, `on`, stop at
 * the GIL for ever. */
void cpython_set_finalizing(PyThreadState *on);
int cpython_is_finalizing(void);

/* Py_IsInitialized() says no, as it does after atexit's functions. */
void cpython_set_uninitialized(void);

/* PyInterpreterState_Head() finds none, as after Py_FinalizeEx (pystate.c,
 * PyInterpreterState_Delete()): greenlet's threads ask when they go. */
void cpython_take_out_interpreter(void);

/* The first of the names in sys that hold the exception that was not caught last. */
const char *cpython_last_exc(void);

/* Whether the interpreter tells somebody what it does: a trace function, an
 * audit hook, the collector's callbacks or debug flags. */
int cpython_is_watched(PyThreadState *tstate);

/* Generators, coroutines and asynchronous generators; whether one would run or
 * warn if it went: it waits inside a try or with, or was never awaited. */
int cpython_is_generator(PyObject *object);
int cpython_generator_runs(PyObject *object);

/* They stop at the GIL (3.14+, where it is not the runtime that says so). */
void cpython_stop_other_threads(PyThreadState *tstate);

/* Deletes the thread states of all other threads, running the destructors of
 * what their frames hold, as Py_FinalizeEx does after atexit. */
void cpython_delete_other_threads(PyThreadState *tstate);

/* Their end is not waited for (3.15+, where that is repeated). */
void cpython_make_daemons(PyThreadState *tstate);

/* Waits while threads of C hold the interpreter's end up (guards: 3.15+). Exits where an
 * interrupt ends the waiting, as python3 does. */
void cpython_wait_for_guards(PyThreadState *tstate);

/* Whether what comes before the interpreter's end has to be done once more: threads,
 * functions of atexit's, pending calls or guards have come. If not, none can take a
 * guard from here on. No before 3.15. */
int cpython_has_more_before_end(PyThreadState *tstate);

/* Py_FinalizeEx may be called: it asks all that once more. */
void cpython_allow_guards(PyThreadState *tstate);

/* Whether the interpreter has thread states but this one. */
int cpython_has_other_threads(PyThreadState *tstate);

/* Whether Python goes on in a forked child: not where there is another interpreter,
 * from 3.13 on. */
int cpython_may_fork(void);

/* Functions registered with Py_AtExit(), last first, each once. */
void cpython_call_exit_functions(void);

/* Whether SystemExit of a command or script leads back to what runs it. */
int cpython_main_returns(void);

/* What running a file adds to __main__ beside __file__, as None; NULL: nothing (3.15+). */
const char *cpython_cached_name(void);

/* A flag that PyRun_* sets when a KeyboardInterrupt went through. */
int *cpython_unhandled_interrupt(void);

/* At the end, with every handler the default one already: there is none, so that a
 * signal which still trips (_thread.interrupt_main()) is told as python3 tells it. */
void cpython_forget_handlers(void);

/* Another value, of one digit and positive, of an int that is such a one already and
 * that nobody shares but who shall see it. */
void cpython_set_small_long(PyObject *object, unsigned value);

/* A number that changes whenever the dict does. */
unsigned long long cpython_dict_version(PyObject *dict);

/* An attribute of a built-in module, which stays out of sys.modules where the
 * workload has not imported it. A new reference, or NULL. */
PyObject *cpython_quiet_attribute(const char *module, const char *name);

/* finalize_restore_builtins(), finalize_clear_sys_builtins_dict(): builtins as
 * before site and io.open added to it; later both modules are empty. What they
 * held lives on. */
void cpython_restore_builtins(void);
void cpython_clear_sys_and_builtins(void);

/* The names of module sys, borrowed. */
PyObject *cpython_sys_dict(void);

/* Of the code that ends the interpreter, whether Py_FinalizeEx or Py_Exit is
 * called; it may be called as Py_FinalizeEx is. NULL if it is not known. */
void *cpython_finalize_address(void);

/* Whether small objects come from pymalloc, and nobody stands in between (-X dev,
 * tracemalloc, PYTHONMALLOC). */
int cpython_uses_pymalloc(void);

/* Whether what runs here holds the main interpreter's GIL, or there is no other one: an
 * interpreter may have its own since 3.12 (PEP 684), and pymalloc's state with it. */
int cpython_in_main(void);

/* Empties the cache of attributes that types were asked for: each entry that a start
 * replaces is a write to an object that has nothing to do with it. Where objects have
 * been made immortal only names that are not cost that: the cache alone holds them, or
 * C code. These are not freed, since no hole among frozen objects is to be left. */
void cpython_forget_lookups(void);
void cpython_forget_mortal_lookups(void);

/* Bytes of a pymalloc block's pool, and the number of blocks in use of the
 * pool that holds this block. */
#define CPYTHON_POOL 16384u
unsigned cpython_pool_count(const void *block);

/* The dict of a class; borrowed, or NULL. */
PyObject *cpython_class_dict(PyTypeObject *type);

/* What a weak reference refers to: a new reference, NULL if it is gone. */
PyObject *cpython_referent(PyObject *weak);

/* Makes of the text of -c, in its place, what python3 compiles of it. */
void cpython_dedent(char *text);

/* From 3.13 on, tracebacks show the lines of a -c command: they are told to module
 * linecache before its code runs. Its name, else NULL; tells it, 0, or -1 with an
 * exception; the dict where it has what it was told, borrowed. */
const char *cpython_lines_module(void);
int cpython_register_lines(PyObject *module, PyObject *code, const char *text);
PyObject *cpython_registered_lines(PyObject *module);

/* Says of the exception that is set that it was ignored: on what, or NULL, or where. */
void cpython_unraisable(const char *on, PyObject *where);

/* Whether what is said depends on what can be imported then. */
int cpython_unraisable_imports(void);

/* Takes the place of what frees memory of a domain, MEM or OBJ; for good, also where
 * tracemalloc is on or comes to its end. */
void cpython_replace_free(PyMemAllocatorDomain domain, void (*instead)(void *, void *));

/* Whether python3's prompt on a terminal is Python code. */
int cpython_prompt_is_module(void);

/* Whether it is never run as a module of its own; the arguments of what is called
 * there, a new dict, NULL with an exception. */
int cpython_prompt_is_in_main(void);
PyObject *cpython_prompt_names(int with_startup);

/* Whether SystemExit leads to the prompt, as under -i. If it can't be set, that is
 * said. */
void cpython_set_inspect(int on);

/* Whether PYTHONINSPECT=0 asks for a prompt, as any other number does (3.14.3+). */
int cpython_zero_inspects(void);

/* PEP 540's UTF-8 mode, as sys.flags and the runtime know it. Needs the GIL; -1
 * with an exception set. What it is where nobody asked for it, in a locale that was
 * coerced or in another. */
int cpython_utf8_mode(void);
int cpython_utf8_mode_where(int coerced);
int cpython_set_utf8_mode(int on);

/* Sets an item of sys.flags; takes the reference to `value`, NULL: an exception
 * is set. 0 or -1. */
int cpython_set_flag(const char *name, PyObject *value);

/* The two of the config that the preliminary config of the runtime has, too. */
void cpython_set_preconfig(int isolated, int use_environment);

/* The frames of the running thread, from the innermost: the first for NULL, then
 * what is behind `frame`; NULL at the end. No frame object is made, which would count
 * as an allocation of the collector's. */
const void *cpython_next_frame(const void *frame);

/* Of such a frame; borrowed. */
PyCodeObject *cpython_frame_code(const void *frame);
PyObject *cpython_frame_globals(const void *frame);
int cpython_frame_line(const void *frame);

/* The collector's generations are lists; from 0 to this one, which gc.freeze()
 * fills and no collection looks at. The next of an object, the first for NULL;
 * NULL at the end. Borrowed. */
#define CPYTHON_OLDEST 2
#define CPYTHON_PERMANENT 3
PyObject *cpython_next_object(int generation, PyObject *object);

/* Moves a run of objects from its generation to another, before an object of that
 * or to its end (NULL). */
void cpython_move_objects(PyObject *first, PyObject *last, int generation,
	PyObject *before);

/* Calls `hook` at each audit event, until cpython_unhear(): one at a time. Unlike
 * PySys_AddAuditHook() it tells nobody, and can be taken back. */
void cpython_hear(Py_AuditHookFunction hook);
void cpython_unhear(void);

/* Whether there is a thread of Python's with this threading.get_ident(). */
int cpython_has_thread(unsigned long ident);

/* Makes `profile` the profile function of each thread that has none. */
void cpython_profile_threads(Py_tracefunc profile);

/* Audit hooks, the collector's callbacks, trace and profile function are not to
 * hear of what the host does; and are there again. */
void cpython_silence(void);
void cpython_unsilence(void);

/* What sys.flags has of -i and -q that were given `count` times. */
int cpython_option_count(int count);

/* The text that was put before sys.path, or NULL, where the config tells it: import's
 * errors and other interpreters go by it. 0, or -1 with an exception set. */
int cpython_set_path0(PyObject *text);

/* The config that CPython itself reads at run time. */
PyConfig *cpython_config(void);

#endif
