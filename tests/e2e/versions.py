#!/usr/bin/python3
"""What some versions of CPython have of their own."""
import re

import lib
from tap import done, equal, run, that

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


# python3 before 3.14 overflows a stack that is smaller than its count needs.
LIMITS = (8192, 4001) + (1000, 771) * (VERSION >= (3, 14))
for _limit in LIMITS:
    run("recursion ends at %s kB of stack" % _limit, recursion, _limit)
run("recursion on a stack without a limit", unlimited_stack)
done()
