# What a program can see of its interpreter, as a JSON object of names and texts.
# tests/e2e/introspect.py runs it, in each form, under python3 and under images.
import sys
_first = list(sys.modules)
_early = {"main": {k: repr(v) for k, v in globals().items() if k[0] != "_" or k[1] == "_"},
          "sys.modules": _first, "blocks": sys.getallocatedblocks()}


def _probe(sys=sys):
    told = {}

    def tell(name, value):
        assert name not in told, name
        told[name] = value if isinstance(value, (str, int, list, dict)) else repr(value)

    def attempt(what, *args):
        try:
            return what(*args)
        except Exception as error:
            return "%s: %s" % (type(error).__name__, error)

    plain = int, float, complex, str, bytes, bool, type(None), type(...), range

    def shown(value, depth=0):
        """Text that is the same wherever the value is."""
        kind = type(value)
        if kind in plain:
            return repr(value)
        if isinstance(value, type(sys)):
            return "<module %s>" % value.__name__
        if isinstance(value, tuple) and kind.__repr__ is not object.__repr__:
            if kind is not tuple:
                return repr(value)
            return "(%s)" % ", ".join(shown(v, depth + 1) for v in value)
        if kind is list and depth < 3:
            return "[%s]" % ", ".join(shown(v, depth + 1) for v in value)
        if kind in (set, frozenset) and depth < 3:
            return "%s(%s)" % (kind.__name__, sorted(shown(v, depth + 1) for v in value))
        if kind is dict and depth < 3 and "__builtins__" not in value:
            return "{%s}" % ", ".join("%s: %s" % (shown(k, 9), shown(v, depth + 1))
                                      for k, v in value.items())
        if kind is type or isinstance(value, type):
            return "<class %s.%s>" % (value.__module__, value.__qualname__)
        if kind.__repr__ is object.__repr__ or depth:
            return "<%s.%s>" % (kind.__module__, kind.__qualname__)
        return repr(value)

    # ---------------------------------------------------------------- early
    tell("__main__", _early["main"])
    tell("sys.modules at the start", _early["sys.modules"])
    import _imp
    tell("frozen modules", _imp._frozen_module_names())
    tell("allocated blocks", _early["blocks"])
    import gc
    tell("result of gc.collect", gc.collect())
    tell("result of gc.get_freeze_count", gc.get_freeze_count())
    tell("gc state", [gc.get_threshold(), gc.isenabled(), gc.get_debug(), gc.callbacks,
                      gc.garbage, [sorted(s) for s in gc.get_stats()]])
    stats = gc.get_stats()
    tell("result of gc.get_stats", [stats[0]["collections"], stats[1]["collections"],
                          stats[2]["collections"], stats[2]["uncollectable"]])
    if sys.version_info < (3, 14):
        tell("number of objects at first", len(gc.get_objects()))
    # A folder of which the image need not have a finder (tests/e2e/introspect.py) is
    # objects of several kinds.
    tell("sys.path_importer_cache", list(sys.path_importer_cache))
    sys.path_importer_cache.clear()
    # A tuple is tracked no more once a collection has seen that what is in it is not:
    # one around another takes one more, and an image's have had several.
    objects, tracked = gc.get_objects(), None
    while len(objects) != tracked:
        tracked = len(objects)
        del objects
        gc.collect()
        objects = gc.get_objects()
    tell("number of objects", len(objects))
    tell("tuples with nothing in them", sorted(
        len(o) for o in objects if type(o) is tuple and "<NULL>" in repr(o)))
    ids = set(map(id, objects))
    lost = []
    for name in _first:
        module = sys.modules[name]
        for key, value in [("", module), ("__dict__", vars(module)), *vars(module).items()]:
            if gc.is_tracked(value) and id(value) not in ids and value is not objects \
                    and value is not ids and value is not lost:
                lost.append("%s.%s" % (name, key))
    tell("tracked, but not in gc.get_objects", lost)
    import collections
    kinds = collections.Counter("%s.%s" % (type(o).__module__, type(o).__qualname__)
                                for o in objects)
    tell("kinds of objects", dict(kinds))
    del objects, ids
    referrers = gc.get_referrers(sys.modules)
    tell("referrers of sys.modules", sorted(shown(r, 9) for r in referrers))
    tell("referrers of a function", [shown(r, 9) for r in gc.get_referrers(
        sys.modules["os"].path.join)])
    tell("referents", shown(gc.get_referents(sys.modules["stat"])[:1], 9))
    # ---------------------------------------------------------------- sys
    tell("dir(sys)", dir(sys))
    for name in dir(sys):
        if name not in ("modules", "path_importer_cache"):
            tell("sys." + name, shown(getattr(sys, name)))
    for name in ("getrecursionlimit getswitchinterval getdlopenflags gettrace getprofile "
                 "get_asyncgen_hooks get_coroutine_origin_tracking_depth "
                 "get_int_max_str_digits getfilesystemencoding getfilesystemencodeerrors "
                 "getdefaultencoding is_finalizing exc_info").split():
        tell("sys.%s()" % name, getattr(sys, name)())
    tell("sys, originals", [
        sys.displayhook is sys.__displayhook__, sys.excepthook is sys.__excepthook__,
        sys.unraisablehook is sys.__unraisablehook__, sys.stdin is sys.__stdin__,
        sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__,
        sys.breakpointhook is sys.__breakpointhook__])
    new = object()
    tell("sys.getrefcount of a new object", sys.getrefcount(new))
    tell("sys.getrefcount of small things", [
        sys.getrefcount(v) for v in (None, True, 0, 1, (), "", b"")])
    tell("sizes", [sys.getsizeof(v) for v in (
        [], {}, set(), (), "", 0, sys, sys.modules["os"].environ)])
    frame = sys._getframe()
    depth = 0
    while frame:
        depth, frame = depth + 1, frame.f_back
    tell("frames", depth)
    tell("sys._getframe globals", sorted(sys._getframe(1).f_globals))
    import _thread
    tell("current frames", [k == _thread.get_ident() for k in sys._current_frames()])
    tell("current exceptions", list(sys._current_exceptions().values()))

    def blocks():
        before = sys.getallocatedblocks()
        many = [object() for _ in range(1000)]
        held = sys.getallocatedblocks() - before
        del many
        return [held, sys.getallocatedblocks() - before]

    first = blocks()	# numbers and frames then come from free lists that are long enough
    if sys.version_info < (3, 14):
        tell("blocks of 1000 objects at first", first)
    tell("blocks of 1000 objects", blocks())
    # ---------------------------------------------------------------- modules
    for name in _first:
        if name in ("__main__", "sys"):
            continue
        module = sys.modules[name]
        names = vars(module)
        tell("names in " + name, list(names))
        for key, value in names.items():
            if key != "__builtins__" and name + "." + key not in (
                    "os.environ", "os.environb", "posix.environ"):
                tell("%s.%s" % (name, key), shown(value))
            if type(value).__name__ == "_lru_cache_wrapper":
                tell("%s.%s.cache_info()" % (name, key), value.cache_info())
    import builtins
    tell("a last value in builtins", hasattr(builtins, "_"))
    import weakref
    tell("weak references", [weakref.getweakrefcount(v) for v in (
        object, int, type, Exception, __import__("io").IOBase, __import__("os").PathLike)])
    tell("subclasses", [shown(c) for c in object.__subclasses__()])
    tell("subclasses of exceptions", [shown(c) for c in Exception.__subclasses__()])
    # ---------------------------------------------------------------- library
    import copyreg, linecache, warnings
    tell("copyreg", [shown(copyreg.dispatch_table), list(copyreg._extension_registry)])
    tell("linecache", [k for k in linecache.cache if not k.startswith("<")])
    tell("warnings", [repr(getattr(warnings, n, None)) for n in (
        "filters", "_onceregistry", "onceregistry", "defaultaction", "_defaultaction")])
    import atexit, contextvars, faulthandler, locale, signal
    tell("atexit", atexit._ncallbacks())
    tell("contextvars", [shown(v) for v in contextvars.copy_context()])
    tell("faulthandler", faulthandler.is_enabled())
    tell("locale", [locale.getlocale(), locale.setlocale(locale.LC_ALL),
                    locale.localeconv(), locale.getpreferredencoding()])
    tell("signals", {str(int(n)): shown(signal.getsignal(n)) for n in signal.valid_signals()})
    tell("signal state", [sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
                          signal.getitimer(signal.ITIMER_REAL), signal.set_wakeup_fd(-1)])
    import threading
    main = threading.main_thread()
    tell("threading", [
        [t.name for t in threading.enumerate()], threading.active_count(),
        main is threading.current_thread(), main.ident == threading.get_ident(),
        main.native_id == threading.get_native_id() == sys.modules["os"].getpid(),
        main.is_alive(), main._started.is_set(), getattr(main, "_is_stopped", None), main.daemon,
        list(vars(main)), len(getattr(threading, "_shutdown_locks", ())), len(threading._dangling),
        len(threading._active), len(threading._limbo), threading._SHUTTING_DOWN,
        threading._threading_atexits, threading.stack_size(),
        threading.Thread(target=print).name, repr(getattr(main, "_tstate_lock", None)).split()[0]])
    if hasattr(main, "_os_thread_handle"):	# 3.13
        tell("threading's handle", [
            main._os_thread_handle.ident == main.ident, main._os_thread_handle.is_done(),
            repr(main._os_thread_handle).split("ident")[0]])
    import asyncio, decimal
    tell("asyncio", [asyncio.events._event_loop_policy,
                     type(getattr(asyncio.events, "_get_event_loop_policy",
                                  asyncio.get_event_loop_policy)()).__name__])
    tell("decimal", decimal.getcontext())
    import inspect, json, os, sysconfig, traceback
    tell("sysconfig", [sysconfig.get_paths(), sysconfig.get_platform(),
                       sorted(map(repr, sysconfig.get_config_vars().items()))])
    tell("inspect", [attempt(inspect.getsource, os.path.join), inspect.getsource(json.loads),
                     inspect.getsourcefile(json),
                     attempt(inspect.getsource, _probe)[:40]])
    try:
        json.loads("{")
    except ValueError:
        tell("a traceback", traceback.format_exc())
    # ---------------------------------------------------------------- process
    import posix
    import resource
    tell("environ", [list(os.environ.items()), os.environ._data is os.environb._data,
                     os.environ._data is posix.environ, os.environ._data == posix.environ,
                     list(posix.environ.items())])
    tell("/proc/self/environ", open("/proc/self/environ").read())
    import ctypes
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_char_p
    tell("getenv", [repr(libc.getenv(os.fsencode(k))) for k in os.environ])
    tell("symbols", [hasattr(libc, n) for n in (
        "finish_python", "handoff", "image_entry", "arena_open", "resume_process")])
    name = ctypes.create_string_buffer(17)
    libc.prctl(16, name)
    tell("prctl(PR_GET_NAME)", repr(name.value))
    tell("dumpable, subreaper, death signal", [
        libc.prctl(3), ctypes.c_int.in_dll(libc, "optind").value])
    tell("/proc/self/comm", open("/proc/self/comm").read())
    tell("/proc/self/cmdline", open("/proc/self/cmdline").read())
    fields = "Umask FDSize Threads SigQ SigBlk SigIgn SigCgt NoNewPrivs Seccomp".split()
    status = dict(line.rstrip("\n").split(":\t", 1) for line in open("/proc/self/status"))
    for field in fields:
        if field not in ("SigQ", "FDSize"):
            tell("/proc/self/status " + field, status[field])
    tell("/proc/self/limits", open("/proc/self/limits").read())
    tell("rlimits", {n: resource.getrlimit(getattr(resource, n)) for n in dir(resource)
                     if n.startswith("RLIMIT_")})
    tell("descriptors", sorted(map(int, os.listdir("/proc/self/fd")))[:-1])
    tell("flags of descriptors", [open("/proc/self/fdinfo/%d" % n).read().split()[3]
                                  for n in range(3)])
    tell("process", [
        os.sched_getaffinity(0), os.nice(0), os.umask(os.umask(0o22)) == 0o22, os.getcwd(),
        os.getpgid(0) == os.getpgid(os.getppid()), os.getsid(0), os.sched_getscheduler(0),
        os.getuid(), os.getgroups(), os.getpriority(os.PRIO_PROCESS, 0), os.getppid()])
    import time
    times = os.times()
    used = resource.getrusage(resource.RUSAGE_SELF)
    boot = open("/proc/self/stat").read().rpartition(")")[2].split()[19]
    began = int(boot) / os.sysconf("SC_CLK_TCK")
    tell("times", [
        0 < time.process_time() < 20, 0 < time.thread_time() <= time.process_time(),
        0 <= times.user + times.system < 20, times.children_user, times.children_system,
        abs(time.monotonic() - time.perf_counter()) < 1,
        0 <= time.clock_gettime(time.CLOCK_BOOTTIME) - began < 60,
        used.ru_utime + used.ru_stime < 20, used.ru_maxrss > 1000])
    import random
    tell("randomness", [random.random(), os.urandom(4).hex()])
    tell("hash", hash("text"))
    print(json.dumps(told, default=repr))


_probe()
