#!/usr/bin/python3
"""What a program can hook into its interpreter, and what it hears then: trace and
profile functions, audit hooks, tracemalloc, the collector, threads, the source of
code. An image tells the same as plain python3, in the same order."""
import os
import re
import stat

import lib
import tap

CASES = {}
PLACE = lib.folder("observe")
ADDRESS = re.compile(rb"0x[0-9a-f]{6,16}")
ID = re.compile(rb"\('builtins\.id', \[\d+\]\)")	# 3.14's tracebacks ask for it
PROCESS = re.compile(rb"\bpid=\d+")	# which DeprecationWarning tells of a fork
# Modules that this image imported, and python3 imports first.
IMPORTS = ["json", "threading", "gc", "colorsys", "tracemalloc", "weakref"]
IMPORT = "import %s\n" % ", ".join(IMPORTS)


def case(name, text, form="-c"):
    assert name not in CASES, name
    CASES[name] = text, form


# ------------------------------------------------------------ trace and profile
TRACE = """
import sys, threading
seen = []
def look(frame, event, arg):
    code = frame.f_code
    seen.append((event, code.co_name, code.co_filename.rpartition("/")[2], frame.f_lineno))
    return look
def work(n):
    return [json.dumps([i]) for i in range(n)]
import json
"""
case("sys.settrace", TRACE + "sys.settrace(look)\nwork(2)\nsys.settrace(None)\nprint(seen)")
case("sys.settrace, FILE", TRACE + "sys.settrace(look)\nwork(2)\nsys.settrace(None)\nprint(seen)",
     "FILE")
case("sys.settrace, an import", TRACE + "sys.settrace(look)\nimport colorsys\n"
     "colorsys.rgb_to_hsv(1, 0, 0)\nsys.settrace(None)\nprint(seen)")
case("sys.settrace, opcodes", TRACE + "def each(f, e, a):\n f.f_trace_opcodes = True\n"
     " return look(f, e, a) and each\nsys.settrace(each)\nwork(1)\nsys.settrace(None)\nprint(seen)")
case("sys.settrace until the end", "import sys\n"
     "sys.settrace(lambda f, e, a: print(e, f.f_code.co_name, f.f_lineno))\n"
     "class D:\n def __del__(self): pass\nd = D()\n"
     "import atexit\natexit.register(D.__del__, d)")
case("sys.setprofile", TRACE + "sys.setprofile(look)\nwork(2)\nsys.setprofile(None)\nprint(seen)")
case("sys.setprofile until the end", "import sys\n"
     "sys.setprofile(lambda f, e, a: print(e, f.f_code.co_name, getattr(a, '__name__', '')))\n"
     "class D:\n def __del__(self): pass\nd = D()")
case("threading.settrace, setprofile", TRACE + "threading.settrace(look)\n"
     "threading.setprofile(look)\nt = threading.Thread(target=work, args=(1,))\nt.start()\n"
     "t.join()\nprint(seen, threading.gettrace() is look, threading.getprofile() is look)")
case("trace.Trace", "import trace\ndef f(n): return sum(range(n))\n"
     "t = trace.Trace(count=1, trace=0)\nt.runfunc(f, 3)\nprint(t.results().counts)")
case("cProfile", "import cProfile, json, pstats, sys\np = cProfile.Profile()\n"
     "p.runcall(json.dumps, [1])\n"
     "print(sorted((k[2], v[0]) for k, v in pstats.Stats(p).stats.items()))")
case("bdb", "import bdb, json\nclass B(bdb.Bdb):\n def user_line(self, frame):\n"
     "  print(frame.f_code.co_name, frame.f_lineno)\nB().runcall(json.dumps, 1)")
case("breakpoint hook", "import sys\nsys.breakpointhook = lambda *a: print('stopped', a)\n"
     "breakpoint(1)\nprint(sys.__breakpointhook__)")

# ------------------------------------------------------------ audit hooks
# python3 looks for linecache in the working folder before it runs a command (3.13);
# an image has it, and lists the folder when it looks for something else.
AUDIT = """
import os, sys
def hear(event, args):
    if sys.version_info >= (3, 13) and (event, args) == ("os.listdir", (os.getcwd(),)):
        return
    if event == "builtins.id" and args[0] > 1 << 32:	# of an object, by traceback.py
        args = ["an address"]
    shown = [a if isinstance(a, (int, str)) else type(a).__name__ for a in args]
    os.write(1, (repr((event, shown)) + "\\n").encode())
sys.addaudithook(hear)
"""
case("audit, to the end", AUDIT)
case("audit, to the end, FILE", AUDIT, "FILE")
case("audit, to the end, -m", AUDIT, "-m")
case("audit, to the end, stdin", AUDIT, "stdin")
case("audit, an exception", AUDIT + "1/0")
case("audit, an exit", AUDIT + "sys.exit(3)")
case("audit, compile and exec", AUDIT + "exec(compile('1', 'x', 'eval'))\neval('2')")
case("audit, open", AUDIT + "open('/dev/null').close()\nos.listdir('/proc/self/fd')")
# Not uncaught: 3.15's traceback then looks through folders in the order of a set.
case("audit, imports", AUDIT + "import colorsys\ntry: import this_is_missing\n"
     "except ImportError: pass")
case("audit, an import that is there", AUDIT + "import json, os.path")
case("audit, interpreter", AUDIT + "sys._getframe()\nsys.settrace(None)\nsys.setprofile(None)\n"
     "sys._current_frames()\nid(1)\nobject.__getattribute__(hear, '__code__')")
case("audit, gc", AUDIT + "import gc\ngc.get_objects()\ngc.get_objects(generation=1)\n"
     "gc.get_referrers(1)\ngc.get_referents(1)\ngc.collect()\ngc.freeze()\ngc.unfreeze()")
case("audit, processes", AUDIT + "import subprocess\nsubprocess.run(['true'])\n"
     "os.system('true')\nos.kill(1, 0)")
case("audit, sockets", AUDIT + "import socket\ns = socket.socket()\ns.bind(('127.0.0.1', 0))\n"
     "s.close()")
case("audit, threads", AUDIT + "import threading\nt = threading.Thread(target=int)\n"
     "t.start()\nt.join()")
case("audit, a hook that refuses", "import sys\ndef h(e, a):\n if e == 'open':"
     " raise RuntimeError('no')\nsys.addaudithook(h)\nopen('/dev/null')")
case("audit, a second hook", AUDIT + "sys.addaudithook(hear)\nsys.audit('own', 1)")

# ------------------------------------------------------------ memory
case("tracemalloc", IMPORT + """
tracemalloc.start(5)
print(tracemalloc.is_tracing(), tracemalloc.get_traceback_limit())
kept = [[n] for n in range(5000)]
held = tracemalloc.get_traced_memory()[0]
shot = tracemalloc.take_snapshot()
del kept
gc.collect()
left = tracemalloc.get_traced_memory()
print(held > 5000 * 60, left[0] < held / 4, left[1] >= held)
top = shot.statistics("lineno")[0]
print(top.traceback, top.count > 5000)
tracemalloc.clear_traces()
print(tracemalloc.get_traced_memory()[0] < 100)
tracemalloc.stop()
print(tracemalloc.is_tracing(), tracemalloc.get_traced_memory())
""")
case("tracemalloc, where an object came from", IMPORT + """
early = object()
tracemalloc.start()
late = [object()]
print(tracemalloc.get_object_traceback(early), tracemalloc.get_object_traceback(late))
tracemalloc.stop()
""")
case("tracemalloc and what was allocated before it", IMPORT + """
before = [[n] for n in range(3000)]
tracemalloc.start()
del before
more = [bytearray(n % 600) for n in range(4000)]
tracemalloc.stop()
del more
again = [[n] for n in range(3000)]
tracemalloc.start()
for n in range(3000): again[n].append("x" * n)
print(tracemalloc.get_traced_memory()[0] > 3000 * 1500)
""")
BLOCKS = """
import sys
def deltas(make):
    begin = sys.getallocatedblocks()
    kept = make()
    held = sys.getallocatedblocks() - begin
    del kept
    return held, sys.getallocatedblocks() - begin
def measure():
    return [deltas(m) for m in (
        lambda: [object() for _ in range(1000)], lambda: [[n] for n in range(1000)],
        lambda: ["%d" % n for n in range(1000)], lambda: [b"x" * n for n in range(700)],
        lambda: {n: str(n) for n in range(1000)})]
measure()
print(measure(), measure())
"""
case("sys.getallocatedblocks", BLOCKS)
# A megabyte of small objects: the arena is full, and what it held is freed.
case("sys.getallocatedblocks, many objects before", "first = [[n] for n in range(9000)]\n"
     + BLOCKS + "del first\nprint(measure())")
case("the allocators' name", "import _testcapi, tracemalloc\n"
     "def name():\n try: print(_testcapi.pymem_getallocatorsname())\n"
     " except Exception as e: print(repr(e))\nname()\nkept = [[n] for n in range(9000)]\nname()\n"
     "tracemalloc.start()\nname()\ntracemalloc.stop()\nname()\ndel kept\nname()")
case("sys._debugmallocstats", "import os, sys\nr, w = os.pipe()\nif os.fork() == 0:\n"
     " os.dup2(w, 2)\n sys._debugmallocstats()\n os._exit(0)\nos.close(w)\n"
     "text = open(r).read()\nprint([l.split(' = ')[0].strip() for l in text.splitlines()"
     " if l.startswith('#')], 'Small block threshold' in text)")
case("sys.getrefcount", "import sys\nclass C: pass\nc = C()\nx = [c] * 5\nt = 'a new text'\n"
     "print(sys.getrefcount(c), sys.getrefcount(x), sys.getrefcount(object()),"
     " sys.getrefcount(C()), sys.getrefcount(C))")
case("sys.getsizeof", "import sys\nprint([sys.getsizeof(v) for v in (0, 2**70, '', 'ä', b'',"
     " [], {}, (), set(), 1.5, print, sys, type, len.__class__, lambda: 0)])")

# ------------------------------------------------------------ collector
case("gc.get_objects", IMPORT + """
class C: pass
c = C()
print(any(o is c for o in gc.get_objects()), any(o is c for o in gc.get_objects(0)),
      any(o is c for o in gc.get_objects(generation=2)))
gc.collect()
print(any(o is c for o in gc.get_objects(2)), any(o is json.__dict__ for o in gc.get_objects(2)),
      any(o is json for o in gc.get_objects(None)), any(o is json for o in gc.get_objects(0)))
objects = gc.get_objects()
print(len(objects) == len(set(map(id, objects))), objects in objects)
for wrong in 3, -2, "x", 1.5:
    try: gc.get_objects(wrong)
    except Exception as e: print(repr(e))
try: gc.get_objects(gen=1)
except TypeError as e: print(e)
""")
case("gc.get_objects, files", IMPORT + "import io, sys\n"
     "print(sorted(repr(o) for o in gc.get_objects() if isinstance(o, io.IOBase)))")
case("gc.get_objects, by kind", IMPORT + "gc.collect()\n"
     "print(*sorted({str(type(o)) for o in gc.get_objects()}), sep='\\n')")
case("gc.get_referrers", IMPORT + """
thing = object()
json.thing = thing
gc.collect()
print([type(r) for r in gc.get_referrers(thing)], globals() in gc.get_referrers(thing),
      json.__dict__ in gc.get_referrers(thing))
print(len(gc.get_referrers(json.dumps)), len(gc.get_referrers(json)), gc.get_referrers())
print(len(gc.get_referrers(json.dumps, json.loads)), gc.get_referrers(object()))
""")
case("gc.get_referents", IMPORT + "print(len(gc.get_referents(json, json.__dict__)),"
     " gc.get_referents(1), gc.get_referents([5, 6]))")
case("gc.freeze", IMPORT + """
print(gc.get_freeze_count())
gc.freeze()
gc.freeze()
count = gc.get_freeze_count()
print(count > 4000, len(gc.get_objects()) < 20, gc.get_referrers(json.dumps))
new = [[]]
print(any(o is new for o in gc.get_objects()), gc.collect(), gc.get_freeze_count() - count)
gc.unfreeze()
print(gc.get_freeze_count(), len(gc.get_objects()) > 4000, len(gc.get_referrers(json.dumps)) > 0)
gc.unfreeze()
print(gc.get_freeze_count())
""")
case("gc.freeze in a fork", IMPORT + """
import os, sys
gc.disable()
gc.freeze()
if os.fork() == 0:
    gc.enable()
    gc.collect()
    print(gc.get_freeze_count() > 4000, gc.isenabled())
    sys.exit(4)
print(os.waitstatus_to_exitcode(os.wait()[1]), gc.isenabled())
""")
AT_THE_END = """
import gc, os, sys
class D:
    def __del__(self, count=gc.get_freeze_count, write=os.write, text=str):
        write(1, text(count() > 4000).encode())
gc.freeze()
%s
sys.d = D()
"""
case("gc.freeze and the end", AT_THE_END % "")
case("gc.unfreeze and the end", AT_THE_END % "gc.unfreeze()")
case("gc.get_objects, by generation", IMPORT + """
class Number:
    asked = 0
    def __index__(self): Number.asked += 1; return 2
gc.get_objects(Number())
print(Number.asked)
gc.collect()
print([len(gc.get_objects(generation=n)) > 1000 for n in (0, 1, 2, -1, None)])
for wrong in 3, -2, "x", 2**70:
    try: gc.get_objects(wrong)
    except Exception as e: print(repr(e))
""")
# With imports they are in two generations, of which an image knows one.
case("gc.get_objects at the start", "import gc\n"
     "print([len(gc.get_objects(generation=n)) > 1000 for n in (0, 1, 2)])")
case("gc in another interpreter", IMPORT + """
import %s as s
i = s.create()
s.run_string(i, "import gc; gc.collect(); n = len(gc.get_objects()); gc.freeze()\\n"
    "print(gc.get_freeze_count() > 100, gc.get_referrers(gc) != [])\\n"
    "gc.unfreeze(); print(gc.get_freeze_count(), n > 1000, len(gc.get_objects()) > 1000)")
print(len(gc.get_objects()) > 1000, gc.get_freeze_count())
s.destroy(i)
""" % lib.INTERPRETERS)
# 3.15 tells how long a collection took, too, and how many objects it looked at: of an
# image these are not the frozen ones, which is what pyimage(1) says.
COUNTS = """
def counts(info):
    return {k: info[k] for k in info if k not in ("duration", "candidates")}
"""
case("gc.collect", IMPORT + COUNTS + """
class C:
    def __init__(self): self.me = self
def garbage(n): [C() for _ in range(n)]
print(gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.garbage, gc.callbacks)
gc.collect()
gc.disable()
garbage(100); print(gc.collect())
garbage(100); print(gc.collect(0))
garbage(100); print(gc.collect(generation=1))
garbage(100); print(gc.collect(generation=2), gc.collect(2))
before = gc.get_stats()
garbage(7); gc.collect()
after = gc.get_stats()
print([{k: b[k] - a[k] for k in counts(a)} for a, b in zip(before, after)])
for wrong in 3, -1, None, "x":
    try: gc.collect(wrong)
    except Exception as e: print(repr(e))
gc.set_debug(gc.DEBUG_SAVEALL)
garbage(2); print(gc.collect(), len(gc.garbage))
gc.set_debug(0); gc.garbage.clear()
print(gc.is_tracked(json), gc.is_tracked(json.__dict__), gc.is_tracked(1), gc.is_tracked({}))
print(gc.is_finalized(json), gc.is_finalized(1))
""")
case("gc.callbacks", IMPORT + COUNTS + """
gc.disable()
gc.collect()
gc.callbacks.append(lambda phase, info: print(phase, counts(info), gc.collect(),
                                              gc.get_freeze_count()))
gc.collect(0); gc.collect()
gc.enable()
""")
case("gc.callbacks at the end, disabled", "import gc\ngc.callbacks.append(print)\ngc.disable()\n"
     "class D:\n def __del__(self): print('del')\nd = D()\nd.d = d")
case("gc.set_debug", IMPORT + "import os\ngc.collect()\nos.dup2(1, 2)\n"
     "gc.set_debug(gc.DEBUG_COLLECTABLE)\nx = []; x.append(x); del x; gc.collect()\n"
     "gc.set_debug(0)")
case("automatic collections", IMPORT + "seen = []\n"
     "gc.callbacks.append(lambda phase, info: seen.append(info['generation']))\n"
     "kept = [[] for _ in range(100000)]\ngc.callbacks.clear()\n"
     "print(len(seen) // 20, max(seen))")

# ------------------------------------------------------------ threads
case("threads", IMPORT + """
import sys, _thread
def names(): return [(t.name, t.daemon, t.is_alive()) for t in threading.enumerate()]
print(names(), threading.main_thread(), threading.active_count())
go, here = threading.Event(), threading.Event()
def f():
    here.set(); go.wait()
t = threading.Thread(target=f)
t.start(); here.wait()
print(names(), len(sys._current_frames()), t.ident in sys._current_frames(), _thread._count())
print(t.native_id != threading.get_native_id(), threading.main_thread().native_id ==
      threading.get_native_id(), len(sys._current_exceptions()))
go.set(); t.join()
print(names(), t.ident is None, len(getattr(threading, "_shutdown_locks", ())))
""".replace("main_thread(), threading.act", "main_thread().name, threading.act"))
case("threads and fork", IMPORT + """
import os
def f():
    if os.fork() == 0:
        print(threading.main_thread() is threading.current_thread(), threading.active_count())
        print(threading.current_thread().native_id == os.getpid())
        os._exit(0) if os.sync() else None
t = threading.Thread(target=f, name="forker")
t.start(); t.join()
""".replace("        os._exit(0) if os.sync() else None\n", "") + "import time\n"
     "if threading.current_thread() is not t:\n os.wait()\n print('parent')")
case("exceptions of threads", IMPORT + "import sys\ntry: 1/0\nexcept Exception:\n"
     " print(sys._current_exceptions()[threading.get_ident()][0], sys.exc_info()[0])\n"
     "print(list(sys._current_exceptions().values()), sys.exc_info())")

# ------------------------------------------------------------ source
case("the source of things", IMPORT + """
import inspect, linecache, traceback
print(inspect.getsource(colorsys.rgb_to_yiq), inspect.getsourcelines(json.dumps)[1])
print(inspect.getmodule(json.dumps), inspect.getfile(json), inspect.getdoc(json.dump)[:40])
print(linecache.getline(json.__file__, 1), inspect.signature(json.dumps))
def here(): pass
try: print(inspect.getsource(here))
except OSError as e: print(e)
try: json.loads("{")
except ValueError: traceback.print_exc()
""")
case("the source of things, FILE", "import inspect\ndef here(): pass\n"
     "print(inspect.getsource(here), __file__, __cached__, __spec__)", "FILE")
case("the source of things, -m", "import inspect\ndef here(): pass\n"
     "print(inspect.getsource(here), __file__, __cached__, __spec__)", "-m")
case("every module's origin", IMPORT + """
import sys
for name, m in list(sys.modules.items()):
    spec = getattr(m, "__spec__", None)
    print(name, getattr(m, "__file__", None), getattr(m, "__cached__", None), spec and (
        spec.name, spec.origin, spec.cached, spec.has_location, spec.parent,
        spec.submodule_search_locations, str(spec.loader_state)), getattr(m, "__package__", 0),
        type(getattr(m, "__loader__", None)), getattr(m, "__path__", None), repr(m))
""", "FILE")	# a command has 3.13 import linecache first
case("reload", IMPORT + "import importlib\nold = json.dumps\nimportlib.reload(json)\n"
     "print(json.dumps is old, json.dumps([1]))\nimport sys\ndel sys.modules['colorsys']\n"
     "new = importlib.import_module('colorsys')\nprint(new is colorsys)")
case("pickles of what was frozen", IMPORT + "import pickle, copy\n"
     "print(pickle.loads(pickle.dumps(json.dumps)) is json.dumps, copy.deepcopy(json.loads),"
     " pickle.loads(pickle.dumps(json.JSONDecodeError('m', 'd', 0))))")


# ------------------------------------------------------------ running them
def outcome(command, text, form):
    lib.write(PLACE + "/program.py", text)
    lib.run([lib.PYTHON, "-m", "py_compile", "program.py"], cwd=PLACE)
    args = {"-c": ["-c", text], "FILE": ["program.py"], "-m": ["-m", "program"], "stdin": []}
    stdin = text.encode() if form == "stdin" else b""
    status, *texts = lib.run([*command, *args[form]], stdin=stdin, cwd=PLACE)
    for pattern, word in (ADDRESS, b"0x..."), (ID, b"id"), (PROCESS, b"pid=..."):
        texts = [pattern.sub(word, text) for text in texts]
    return status, *(text.decode() for text in texts)


def compare(got, want):
    tap.equal(got[0], want[0], "status")
    for what, one, other in ("stdout", got[1], want[1]), ("stderr", got[2], want[2]):
        if one != other:
            ours, theirs = one.splitlines(), other.splitlines()
            raise tap.Failed("%s has\n%s\nand not\n%s" % (
                what, "\n".join(x for x in ours if x not in theirs) or ours[:30],
                "\n".join(x for x in theirs if x not in ours) or theirs[:30]))


def main():
    path = PLACE + "/imports.pyimage"
    made = lib.build(path, IMPORTS)
    tap.equal((made.status, made.err), (0, b""), "pydump build's end")
    for name, (text, form) in CASES.items():
        images = {"bare": lib.image("bare")}
        if text.startswith(IMPORT):
            images["imports"] = path
        want = outcome([lib.PYTHON], text, form)
        for target, image in images.items():
            tap.run("%s (%s)" % (name, target),
                    lambda: compare(outcome([image], text, form), want))


@tap.test
def the_first_events():
    """sitecustomize may add a hook; an image's workload may, too."""
    hook = ("import builtins, sys\nbuiltins.heard = []\n"
            "sys.addaudithook(lambda e, a: heard.append((e, a)) if e[:7] == 'cpython' or"
            " (e == 'open' and a[1] == 'rb' and str(a[0]).endswith('show.py')) else 0)\n")
    show = "print(heard)\nimport sys\nsys.stdout.flush()\n"
    site = lib.folder("site")
    lib.write(site + "/sitecustomize.py", hook)
    lib.write(PLACE + "/hook.py", hook)
    lib.write(PLACE + "/show.py", show)
    path = PLACE + "/hook.pyimage"
    made = lib.build(path, (), [PLACE + "/hook.py"])
    tap.equal((made.status, made.err), (0, b""), "pydump build's end")
    for args, stdin in ((["-c", show], b""), (["show.py"], b""), (["-m", "show"], b""),
                        ([], show.encode()), (["-"], show.encode()), (["."], b"")):
        if args == ["."]:
            lib.write(PLACE + "/__main__.py", show)
        want = lib.run([lib.PYTHON, *args], stdin=stdin, cwd=PLACE,
                       env={"PYTHONPATH": site})
        got = lib.run([path, *args], stdin=stdin, cwd=PLACE)
        tap.equal(got, want, "what is heard with %s" % args)
        tap.that(b"cpython.run" in got.out, "nothing was heard with %s" % args)


@tap.test
def hooks_that_a_workload_leaves():
    """They hear what its programs do, and nothing of the build."""
    lib.write(PLACE + "/leave.py", """
import builtins, gc, sys
builtins.heard = []
gc.callbacks.append(lambda phase, info: heard.append((phase, info["generation"])))
sys.setprofile(lambda frame, event, arg: heard.append((event, frame.f_code.co_filename)))
""")
    path = PLACE + "/leave.pyimage"
    made = lib.build(path, (), [PLACE + "/leave.py"])
    tap.equal((made.status, made.err), (0, b""), "pydump build's end")
    result = lib.run([path, "-c", "def f(): pass\nf()\nimport gc, sys\nsys.setprofile(None)\n"
                      "gc.collect()\ngc.callbacks.clear()\nprint([h for h in heard if not "
                      "str(h[1]).startswith('<frozen')])"])
    tap.equal((result.status, result.err), (0, b""), "its end")
    tap.equal([h for h in eval(result.out) if not str(h[1]).endswith(("leave.py", "linecache.py"))], [
        ("call", "<string>"), ("call", "<string>"), ("return", "<string>"),
        ("c_call", "<string>"), ("start", 2), ("stop", 2)], "what they hear")


@tap.test
def counts_of_the_collector():
    """When it runs next, and so in which order things are finalised. A few objects
    more or less: each start makes some by itself."""
    lib.write(PLACE + "/count.py", "import gc\nprint(*gc.get_count())\n")
    for args, stdin in (["count.py"], b""), ([], b"import gc\nprint(*gc.get_count())\n"), \
            (["-c", "import gc\nprint(*gc.get_count())\n"], b""):
        want = lib.run([lib.PYTHON, *args], stdin=stdin, cwd=PLACE).out.split()
        for way in lib.WAYS.values():
            got = lib.run([*way(lib.image("bare")), *args], stdin=stdin, cwd=PLACE).out.split()
            tap.equal(got[1:], want[1:], "collections")
            tap.that(abs(int(got[0]) - int(want[0])) < 6, "%s: %s, not %s" % (args, got, want))


@tap.test
def names_of_the_process():
    """The kernel makes cmdline at execve: of an image its name, of a script its first
    line's; comm is as python3's. ps shows the same."""
    show = ("import ctypes\nb = ctypes.create_string_buffer(17)\nctypes.CDLL(None).prctl(16, b)\n"
            "print(open('/proc/self/comm').read().strip(), b.value.decode(),"
            " open('/proc/self/cmdline').read().split(chr(0))[:-1])\n"
            "import os, subprocess\nprint(subprocess.run(['ps', '-ww', '-o', 'comm=', '-o', 'args=', '-p',"
            " str(os.getpid())], capture_output=True, text=True).stdout.rstrip())\n"
            "import sys\nprint(sys.argv, sys.orig_argv, sys.executable)\n")
    image = lib.image("bare")
    for name, line in ("by-pyimage", "%s %s" % (lib.PYIMAGE, image)), ("by-kernel", image):
        script = lib.write("%s/%s" % (PLACE, name), "#!%s\n%s" % (line, show))
        os.chmod(script, stat.S_IRWXU)
        result = lib.run([script, "a", "b c"])
        first = line.split()
        shown = [*first, script, "a", "b c"]
        tap.equal(result.err, b"", "stderr")
        # binfmt_script: comm is the script's name, argv begins with the line's words
        lines = result.out.decode().splitlines()
        tap.equal(lines[0], "%s %s %r" % (name, name, shown), "comm, PR_GET_NAME, cmdline")
        tap.equal(lines[1].split(), [name, *" ".join(shown).split()], "ps")
        tap.equal(lines[2], "%r %r %s" % (
            [script, "a", "b c"], [lib.PYTHON, script, "a", "b c"], lib.PYTHON), "sys.argv")


# execveat() without a path, as fexecve(3): the kernel names the file /dev/fd/N.
BY_NUMBER = """import os, sys
file = os.open(sys.argv[1], os.O_RDONLY)
os.execve(file, ["python3", "-c", sys.argv[2], "/dev/fd/%d" % file], {"PATH": "/usr/bin:/bin"})
"""


@tap.test
def names_by_unusual_ways():
    """Scripts run scripts, five at most (exec_binprm() of fs/exec.c): the first one
    names the process. A file that was run by its number does not."""
    show = "print(open('/proc/self/comm').read(), end='')\n"
    image = last = lib.image("bare")
    for level in range(5):
        script = lib.write("%s/level%d" % (PLACE, level), "#!%s -B\n%s" % (last, show))
        os.chmod(script, stat.S_IRWXU)
        last = script
        tap.equal(lib.run([script]), (0, b"level%d\n" % level, b""), "a script of scripts")
    script = lib.write(PLACE + "/by_number.py", BY_NUMBER)
    tap.equal(lib.run([lib.PYTHON, script, image, show]), (0, b"python3\n", b""), "by number")


@tap.test
def a_collection_writes_to_no_frozen_object():
    """Each page written is memory of one process; plain python3 writes to all."""
    grown = """import gc
def private():
    lines = open('/proc/self/smaps_rollup').read().splitlines()
    return int(next(l.split()[1] for l in lines if l.startswith('Anonymous:')))
gc.collect(); x = private(); gc.collect(); print(private() - x, x)
"""
    for name in "bare", "stdlib":
        result = lib.run([lib.image(name), "-c", grown])
        more, all_of_it = map(int, result.out.split())
        tap.that(more <= 100 and all_of_it < 2000, result)


if __name__ == "__main__":
    main()
    tap.done()
