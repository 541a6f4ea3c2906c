#!/usr/bin/python3
"""What some versions of CPython have of their own."""
import os
import re
import signal
import struct

import lib
from tap import Skip, done, equal, run, that

VERSION = tuple(map(int, lib.run([lib.PYTHON, "-c",
    "import sys; print(*sys.version_info[:2])"]).out.split()))

# Before 3.14 the limit is a count of calls; since then calls of C end where the stack does.
DEEP = """
import sys
if sys.version_info >= (3, 14):
    sys.setrecursionlimit(10 ** 8)
deep = []
for _ in range(10 ** 6):
    deep = [deep]
class Caller:
    calls = 0
    def __getattr__(self, name):
        Caller.calls += 1
        return getattr(self, name)
def stops(function):
    try:
        function()
    except RecursionError as error:
        return error
def in_thread(function):
    import threading
    threading.stack_size(1 << 20)
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()
print(stops(lambda: repr(deep)))
print(stops(lambda: Caller().x), Caller.calls)
in_thread(lambda: print(stops(lambda: repr(deep))))
import os
if not os.fork():
    print(stops(lambda: repr(deep)))
    os._exit(0)
os.wait()
"""


def depths(limit, command):
    """All numbers that DEEP prints, and what it says between them."""
    got = lib.shell("ulimit -s %s" % limit, *command, "-uc", DEEP)
    if command == [lib.PYTHON] and got.status == -signal.SIGSEGV and VERSION < (3, 14):
        raise Skip("optional: this python3 overflows that stack itself")
    equal((got.status, got.err), (0, b""), "ulimit -s %s" % limit)
    text = got.out.decode()
    that(text.count("\n") == 4, text)
    return list(map(int, re.findall(r"\d+", text))), re.sub(r"\d+", "N", text)


def recursion(limit):
    """An image has another stack than the process that was frozen."""
    want, words = depths(limit, [lib.PYTHON])
    for way in lib.WAYS.values():
        got, said = depths(limit, way(lib.image("bare")))
        equal(said, words)
        equal(len(got), len(want))
        for ours, theirs in zip(got, want):
            that(abs(ours - theirs) <= 0.03 * theirs, "%s, and python3: %s" % (got, want))


def unlimited_stack():
    """There is no limit that the bounds could be counted from."""
    code = ("deep = []\nfor _ in range(800):\n    deep = [deep]\n"
            "print(len(repr(deep)))")
    for way in lib.WAYS.values():
        got = lib.shell("ulimit -s unlimited", *way(lib.image("bare")), "-c", code)
        equal(got, (0, b"1602\n", b""))


# --- interpreters that can't be frozen ---

PLACE = lib.folder("versions")

# The three generations as they are in the file, thresholds and counts.
GENERATIONS = struct.pack("<16xii16xii16xii", 2000, 0, 10, 0, 10, 0)


def runtime(data):
    """Where the file has _PyRuntime, a section of its own, which begins with what it
    says of its structs."""
    listed = lib.run(["readelf", "-SW", os.path.realpath(lib.PYTHON)]).out.decode()
    found = re.search(r"\.PyRuntime\s+PROGBITS\s+\w+\s+(\w+)", listed)
    that(found, "the interpreter has no section .PyRuntime")
    at = int(found[1], 16)
    equal(data[at:at + 8], b"xdebugpy")
    return at


def free_threaded(data):
    struct.pack_into("<Q", data, runtime(data) + 16, 1)


def other_structs(data):
    """A runtime of another size."""
    size = struct.unpack_from("<Q", data, runtime(data) + 24)[0]
    struct.pack_into("<Q", data, runtime(data) + 24, size + 8)


def other_release(data):
    """Another 3.14.x whose structs are the same."""
    version = struct.unpack_from("<Q", data, runtime(data) + 8)[0]
    struct.pack_into("<Q", data, runtime(data) + 8, version - 0x100)


def incremental(data):
    """There the third number is not used (gc.get_threshold())."""
    at = data.find(GENERATIONS, runtime(data))
    that(at > 0, "no thresholds in the interpreter")
    struct.pack_into("<i", data, at + 64, 0)


def built_with(change):
    """pydump build with an interpreter that was changed in one point."""
    if VERSION < (3, 13):
        raise Skip("optional: %d.%d says nothing of its structs" % VERSION)
    data = bytearray(lib.read(os.path.realpath(lib.PYTHON)))
    change(data)
    python = lib.write("%s/%s" % (PLACE, change.__name__), bytes(data), 0o755)
    output = PLACE + "/x.pyimage"
    got = lib.run([lib.PYDUMP, "build", "-o", output, "--python", python],
                  env={"PYIMAGE": None})
    return got, output


def refused(change, why):
    got, output = built_with(change)
    that(got.status == 1 and why in got.err.decode(), "%s: %s" % (got.status, got.err))
    that(not os.path.exists(output), "an image was left")


def accepted(change):
    got, output = built_with(change)
    equal((got.status, got.err), (0, b""))
    equal(lib.run([output, "-c", "print(1)"]), (0, b"1\n", b""))


def has_jit():
    return lib.run([lib.PYTHON, "-c", "import sys; print(sys._jit.is_available())"]
                   ).out == b"True\n"


def jit():
    """An image is of a Python whose JIT is off, and for one."""
    if not has_jit():
        raise Skip("optional: this Python has no JIT")
    code = "import sys; print(sys._jit.is_enabled(), sum(i & 3 for i in range(10 ** 5)))"
    for value in "", "0", "1":
        want = lib.run([lib.PYTHON, "-c", code], env={"PYTHON_JIT": value})
        for way in lib.WAYS.values():
            got = lib.run([*way(lib.image("bare")), "-c", code],
                          env={"PYTHON_JIT": value, "PYIMAGE": "auto"})
            equal(got, want, "PYTHON_JIT=" + value)
            got = lib.run([*way(lib.image("bare")), "-c", code], env={"PYTHON_JIT": value})
            equal(got.status, 70 if value == "1" else 0, "PYTHON_JIT=" + value)
    output = PLACE + "/jit.pyimage"
    got = lib.build(output, options=["--keep-env", "PYTHON_JIT=1"])
    that(got.status == 1 and b"JIT is on" in got.err, "%s: %s" % (got.status, got.err))
    that(not os.path.exists(output), "an image was left")


# python3 before 3.14 overflows a stack that is smaller than its count needs.
LIMITS = (8192, 4001) + (1000, 771) * (VERSION >= (3, 14))
for _limit in LIMITS:
    run("recursion ends at %s kB of stack" % _limit, recursion, _limit)
run("recursion on a stack without a limit", unlimited_stack)
run("a free-threaded build is refused", refused, free_threaded, "free-threaded")
run("a build with the incremental collector is refused", refused, incremental,
    "incremental collector")
run("a build with other structs is refused", refused, other_structs, "has other structs")
run("the JIT is off", jit)
run("another release with the same structs is not", accepted, other_release)
done()
