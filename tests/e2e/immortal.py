#!/usr/bin/python3
"""Frozen objects that have no reference count (CPython 3.12 and later): to use them writes
nothing, unless --no-immortal was asked for; and a collection does not touch them."""
import json
import sys

import lib
from tap import done, equal, skip, test, that

# Functions that call each other, and what else code uses; warm, so that they change
# nothing else than counts. In two rounds: the second finds all that is learned late.
WARM = """
import sys, types
m = sys.modules["used"] = types.ModuleType("used")
source = "\\n".join(
    "def f%d(a=None):\\n    return %r, %r, len, type(a), C%d, a\\n"
    "class C%d:\\n    name = %r\\n" % (n, "text %d" % n, 10000 + n, n, n, "name %d" % n)
    for n in range(2000))
exec(source, m.__dict__)
m.functions = tuple(m.__dict__["f%d" % n] for n in range(2000))
for _ in range(100):
    for function in m.functions:
        function()
"""

USE = """
import gc, sys
m = sys.modules["used"]
def own():
    with open("/proc/self/smaps_rollup") as file:
        for line in file:
            if line.startswith("Anonymous:"):
                return int(line.split()[1])
def use():
    for function in m.functions:
        function()
own(), gc.isenabled()
before = own()
use()
used = own()
gc.collect()
print(used - before, own() - used)
print(sys.getrefcount(m.f1) >= 1 << 30, sys.getrefcount(m.C1) >= 1 << 30)
"""

# What code that has run knows of its constants, and their counts before and after it
# runs again: 3.14 has an instruction that adds to any (versions/constants.c).
CONSTANTS = """
import dis, sys
m = sys.modules["used"]
codes = [f.__code__ for f in m.functions]
def loads(name):
    return [i.argval for code in codes for i in dis.get_instructions(code, adaptive=True)
            if i.opname == name]
def counts():
    return [sys.getrefcount(c) for code in codes for c in code.co_consts]
print(len(loads("LOAD_CONST_IMMORTAL")), sum(
    sys.getrefcount(c) >= 1 << 30 for c in loads("LOAD_CONST_MORTAL")))
before = counts()
for f in m.functions:
    f(), f()
print(sum(a != b for a, b in zip(before, counts())), len(before))
"""

FOLDER = lib.folder("immortal")
WARMUP = lib.write(FOLDER + "/warm.py", WARM)


def built(name, *options):
    path = "%s/%s.pyimage" % (FOLDER, name)
    made = lib.build(path, [], [WARMUP], ["-q", *options])
    equal((made.status, made.err), (0, b""), "pydump build's end")
    info = json.loads(lib.run([lib.PYDUMP, "info", "--json", path]).out)
    text = lib.run([lib.PYDUMP, "info", path]).out.decode().splitlines()
    return path, info["immortal"], [line.split()[1] for line in text
                                    if line.startswith("immortal ")]


def figures(path):
    got = lib.run([path, "-c", USE])
    equal((got.status, got.err), (0, b""), "its end")
    numbers, are = got.out.decode().splitlines()
    return list(map(int, numbers.split())), are


def use_of(name, *options):
    path, said, shown = built(name, *options)
    (used, collected), are = figures(path)
    return used, collected, are, said, shown


def immortal():
    used, collected, are, said, shown = use_of("immortal")
    equal((are, said, shown), ("True True", True, ["yes"]))
    that(used <= 100, "to use 2000 functions and classes took %d kB" % used)
    that(collected <= 100, "gc.collect() took %d kB" % collected)


def constants():
    """Also under a tracer, which writes over the instructions. 3.15 has only one."""
    for name, warm in ("plain", WARM), ("traced", "import sys\n"
                       "sys.settrace(lambda *_: lambda *_: None)\n" + WARM):
        warmup = lib.write("%s/%s.py" % (FOLDER, name), warm + "sys.settrace(None)\n")
        path = "%s/%s.pyimage" % (FOLDER, name)
        made = lib.build(path, [], [warmup], ["-q"])
        equal((made.status, made.err), (0, b""), "pydump build's end")
        got = lib.run([path, "-c", CONSTANTS])
        equal((got.status, got.err), (0, b""), "its end")
        (loads, wrong), (moved, all_of_them) = (
            map(int, line.split()) for line in got.out.decode().splitlines())
        equal((wrong, moved), (0, 0), name + ": loads that count, and counts that moved")
        that(all_of_them >= 4000, all_of_them)
        if sys.version_info[:2] == (3, 14):
            that(loads >= 2000, "%s: %d loads of immortal constants" % (name, loads))


def mortal():
    used, collected, are, said, shown = use_of("mortal", "--no-immortal")
    equal((are, said, shown), ("False False", False, ["no"]))
    that(used >= 300, "counts of 2000 functions and classes took %d kB only" % used)
    that(collected <= 100, "gc.collect() took %d kB" % collected)


@test
def a_file_of_options_has_it_too():
    path = FOLDER + "/file.pyimage"
    lib.write(FOLDER + "/it.toml", "output = %r\nno-immortal = true\n" % path)
    made = lib.run([lib.PYDUMP, "build", "-q", "-f", FOLDER + "/it.toml"])
    equal((made.status, made.err), (0, b""), "pydump build's end")
    info = json.loads(lib.run([lib.PYDUMP, "info", "--json", path]).out)
    equal(info["immortal"], False)


# C keeps a frozen tuple, which it took when that had no count, and gives it back
# when other tuples were made. A collection would empty the free lists.
GIVE_BACK = """
import ctypes, gc, sys
gc.disable()
class Last:
    def __init__(self, kept):
        self.address, self.drop = id(kept), ctypes.pythonapi.Py_DecRef
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))
        self.drop.argtypes = [ctypes.c_void_p]
    def __del__(self, print=print, tuple=tuple, range=range):
        made = [tuple([n, n]) for n in range(3000)]
        self.drop(self.address)
        more = [tuple([n, -n]) for n in range(3000)]
        print(made == [(n, n) for n in range(3000)], more[-1])
m = sys.modules["given"]
last = Last(m.kept)
del m.kept
"""


@test
def the_end_uses_no_memory_of_what_it_frees():
    path = FOLDER + "/given.pyimage"
    warm = lib.write(FOLDER + "/given.py", "import ctypes, sys, types\n"
                     "m = sys.modules['given'] = types.ModuleType('given')\n"
                     "m.kept = tuple([str(n) * 9 for n in range(2)])\n")
    made = lib.run([lib.PYDUMP, "build", "-q", "-i", "ctypes", "-w", warm, "-o", path])
    equal((made.status, made.err), (0, b""), "pydump build's end")
    script = lib.write(FOLDER + "/give.py", GIVE_BACK)
    equal(lib.run([path, script], env={"PYIMAGE_FINALIZE": "full"}),
          (0, b"True (2999, -2999)\n", b""))


# A frozen function, which has no count to end it before that, lets a finalizer go
# that wakes a thread and gives the GIL away.
RUNS_ON = """
import _thread, os, sys, time
ran, (r, w) = [], os.pipe()
def f():
    os.read(r, 1)
    ran.append('on')
_thread.start_new_thread(f, ())
class Last:
    def __del__(self):
        os.write(w, b'.')
        time.sleep(.3)
        print(sys.is_finalizing(), ran)
m = sys.modules["used"]
m.f0.last = Last()
del m.f0, m.functions
"""


def threads_stop():
    """Before objects get their counts back: frames are not counted."""
    path, _, _ = built("threads")
    equal(lib.run([path, "-c", RUNS_ON], env={"PYIMAGE_FINALIZE": "full"}),
          (0, b"True []\n", b""))


test(mortal)
if sys.version_info < (3, 12):
    for name in "immortal", "constants", "threads stop":
        skip(name, "optional: objects are made immortal from CPython 3.12 on")
else:
    test(immortal)
    test(constants)
    test(threads_stop)
done()
