#!/usr/bin/python3
"""What a program can see of its interpreter: in an image the same as in the plain
python3 that imports the same modules first, field by field. Where a field differs
by nature, BY_NATURE says why, and what must hold of it instead."""
import gc
import json
import os
import re
import subprocess
import sys

import lib
import tap

PROBE = lib.read(os.path.join(lib.ROOT, "tests/py/introspect.py")).decode()
PLACE = lib.folder("introspect")

# Runs before the freeze, or, under python3, before the probe.
WARM = """
import asyncio, contextvars, decimal, functools, json, logging, re, threading, warnings, weakref
variable = contextvars.ContextVar("leftover")
@functools.lru_cache(None)
def cached(n): return n
class Leftover:
    def __init__(self): self.me = self
for n in range(3000):
    Leftover()
cached(1), re.findall("[a-z]+", "some text"), json.loads("[1, {}]"), decimal.Decimal(1) / 3
done = []
thread = threading.Thread(target=done.append, args=(1,), name="warm")
thread.start()
thread.join()
async def nothing(): await asyncio.sleep(0)
asyncio.run(nothing())
weak = weakref.ref(thread)
try:
    1 / 0
except ZeroDivisionError as error:
    kept = error
"""
WARMUP = "exec(%r, {'__name__': '__main__'})\n" % WARM

# name: (what the image imports and warms up with, the same for python3)
SETS = {
    "bare": ([], [], ""),
    "stdlib": (lib.STDLIB, [], "import %s\n" % ", ".join(lib.STDLIB)),
    "warm": (["json"], ["warm.py"], "import json\n" + WARMUP),
}


def image(name):
    imports, warmups, _ = SETS[name]
    path = "%s/%s.pyimage" % (PLACE, name)
    if not os.path.exists(path):
        made = lib.build(path, imports, ["%s/%s" % (PLACE, w) for w in warmups])
        tap.equal((made.status, made.err), (0, b""), "pydump build's end")
    return path


# ------------------------------------------------------------ the same fields
def near(share, least=0):
    def check(got, want):
        tap.that(abs(got - want) <= max(share * want, least), "%r is far from %r" % (got, want))
    return check


def each_near(share, least=0):
    def check(got, want):
        for one, other in zip(got, want, strict=True):
            near(share, least)(one, other)
    return check


def subset(got, want):
    tap.equal([x for x in got if x not in want], [], "what python3 has not")


def counts(got, want):
    for kind in got.keys() | want.keys():
        near(.02, 3)(got.get(kind, 0), want.get(kind, 0))


def in_any_order(got, want):
    tap.equal(sorted(got), sorted(want))


def less_than_a_threshold_more(got, want):
    tap.that(got <= want + gc.get_threshold()[0], "%r is more than %r" % (got, want))


def other(got, want):
    tap.differ(got, want)


def anything(got, want):
    pass


def nothing(got, want):
    tap.equal(got, "None")


BY_NATURE = [
    # 3.13 imports linecache for a command first, here what is imported may have done so.
    *([("sys.modules at the start", in_any_order)] if sys.version_info >= (3, 13) else []),
    # Allocations of the way here, which no two processes have alike.
    # 3.13 keeps a command's syntax tree while it runs, of several hundred lines here.
    ("allocated blocks", near(.05 if sys.version_info < (3, 13) else .07)),
    # The build collected what imports had left. Where both import, one after the other
    # or in one program, the last collection may be a little before or after this.
    ("result of gc.collect", less_than_a_threshold_more),
    ("result of gc.get_stats", each_near(.2, 4)),
    # And tuples and dicts that a collection has seen may be tracked no more.
    ("number of objects( at first)?", near(.01)),
    ("kinds of objects", counts),
    ("sys.getrefcount of small things", each_near(.2, 60)),
    # sys.path had no script's folder at the imports before the freeze.
    ("sys.path_importer_cache", subset),
    # One image, one hash seed; so much is in the manual.
    ("hash", other),
    ("tokenize.*", anything),
    ("randomness", other),
    # Addresses and the time of the import.
    ("_?ctypes.*_addr", anything),
    ("ctypes.*pythonapi", anything),
    ("threading._active", anything),
    ("threading._main_thread", anything),
    ("logging._startTime", anything),
    # What may be another machine's is asked for again.
    ("platform._uname_cache", nothing),
    # check_cmdline() compares it with what was executed.
    ("/proc/self/cmdline", anything),
    # The alias that multiprocessing leaves: its own names tell these values.
    ("(names in )?__mp_main__.*", anything),
]
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}")


def rule(name):
    for pattern, check in BY_NATURE:
        if re.fullmatch(pattern, name):
            return check
    return tap.equal


def explain(got, want):
    """The part that differs."""
    if isinstance(want, list) and isinstance(got, list):
        return "%r more, %r missing" % ([x for x in got if x not in want],
                                        [x for x in want if x not in got])
    if isinstance(want, dict) and isinstance(got, dict):
        return {k: (got.get(k), want.get(k)) for k in got.keys() | want.keys()
                if got.get(k) != want.get(k)}
    return "%r, not %r" % (got, want)


def plain(value):
    return json.loads(ADDRESS.sub("0x...", json.dumps(value)))


def compare(got, want, name):
    for field in got.keys() | want.keys():
        tap.that(field in got and field in want,
                 "%s: only in %s" % (field, "the image" if field in got else "python3"))
    wrong = []
    for field in want:
        one, other = plain(got[field]), plain(want[field])
        try:
            rule(field)(one, other)
        except tap.Failed:
            wrong.append("%s: %.1500s" % (field, explain(one, other)))
    if wrong:
        raise tap.Failed("\n".join(wrong))
    tap.that(len(want) > 1000, "few fields")


FORMS = {
    "-c": lambda text: (["-c", text], b""),
    "FILE": lambda text: (["probe.py"], b""),
    "-m": lambda text: (["-m", "probe"], b""),
    "stdin": lambda text: ([], text.encode()),
}


def told(command, form, text, before=""):
    lib.write(PLACE + "/probe.py", text)
    lib.run([lib.PYTHON, "-m", "py_compile", "probe.py"], cwd=PLACE)
    args, stdin = FORMS[form](text)
    result = lib.shell(before, *command, *args, stdin=stdin, cwd=PLACE)
    tap.equal((result.status, result.err), (0, b""), "the probe's end")
    return json.loads(result.out), [*command, *args]


def check_cmdline(got, command):
    """It is the kernel's."""
    tap.equal(got["/proc/self/cmdline"], "".join(a + "\0" for a in command), "cmdline")


def fields():
    for name, forms in ("bare", FORMS), ("stdlib", ["-c"]), ("warm", ["-c", "FILE"]):
        text = SETS[name][2] + PROBE
        for form in forms:
            want, command = told([lib.PYTHON], form, text)
            check_cmdline(want, command)
            for way in ("pyimage", "kernel") if name == "bare" else ("kernel",):
                def test():
                    got, command = told(lib.WAYS[way](image(name)), form, text)
                    check_cmdline(got, command)
                    compare(got, want, name)
                tap.run("%s, %s, %s" % (name, form, way), test)


def limits():
    for before in ("ulimit -s 4096", "ulimit -n 100", "ulimit -s unlimited", "umask 027",
                   "trap '' INT QUIT", "ulimit -c 0; ulimit -f 1000"):
        want, _ = told([lib.PYTHON], "-c", PROBE, before)
        got, _ = told([image("bare")], "-c", PROBE, before)
        tap.run(before, compare, got, want, before)


def called_from_c():
    """With an empty tuple of names and no arguments: there is none to look at."""
    code = ("import ctypes, gc; call = ctypes.pythonapi.PyObject_Vectorcall\n"
            "call.restype, call.argtypes = ctypes.py_object, [ctypes.py_object, "
            "ctypes.c_void_p, ctypes.c_size_t, ctypes.py_object]\n"
            "print(len(call(gc.get_objects, None, 0, ())) > 1000)")
    for path in [lib.PYTHON], [image("bare")]:
        tap.equal(lib.run([*path, "-c", code]), (0, b"True\n", b""))


lib.write(PLACE + "/warm.py", WARM)
tap.test(called_from_c)
fields()
limits()
tap.done()
