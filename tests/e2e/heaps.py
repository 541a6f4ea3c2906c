#!/usr/bin/python3
"""What a restored process allocates lies together, in memory that nothing frozen is in:
each hole among frozen blocks that it used would be a page of its own."""
import os
import sys

import lib
sys.path.insert(0, lib.ROOT + "/tests")
from memory import held, sizes
from tap import done, equal, run, test, that

TOP = lib.folder("heaps")


def build(name, text):
    path = os.path.join(TOP, name + ".pyimage")
    warm = lib.write(os.path.join(TOP, name + ".py"), text)
    got = lib.build(path, options=["-q", "-w", warm])
    that((got.status, got.out, got.err) == (0, b"", b""), got)
    return path


def private(path, code):
    """kB that are the process's own behind this code."""
    with held.held([path, "-c", code], lib.ENV) as pid:
        return sizes.sums(pid)["anonymous"]


def more(path, before, code):
    """By how many kB the code makes it grow."""
    return private(path, before + code) - private(path, before + "pass\n")


# 200 holes of the size, each on a page of its own.
CHUNKS = """
import ctypes, os
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
get = lambda size: libc.malloc(ctypes.c_size_t(size))
os.kept = []
for _ in range(200):
    os.kept.append(get(%d))
    for _ in range(40):
        get(100)
for block in os.kept:
    libc.free(block)
"""


@test
def chunks_of_c():
    for size in 24, 40, 1000:
        grown = more(build("chunks%d" % size, CHUNKS % size),
                     "import ctypes; libc = ctypes.CDLL(None)\n",
                     "for _ in range(200): libc.malloc(ctypes.c_size_t(%d))\n" % size)
        that(grown < 200 + 200 * size // 1024, (size, grown))


@test
def small_blocks_of_many_sizes():
    """No pool for each of them, and the same ones again when these are free."""
    size = sum(n + 48 for n in range(0, 464, 16)) * 20 // 1024
    grown = more(build("blocks", ""), "", "for _ in range(3):\n    kept = None\n"
                 "    kept = [b'x' * n for n in range(0, 464, 16) for _ in range(20)]\n")
    that(grown < size + 160, (grown, size))


@test
def what_tells_how_large_they_are():
    """A bit for each 16 bytes of them."""
    image = build("bits", "")
    code = "kept = [None] * 6000\nfor n in range(%d):\n    kept[n] = bytes(64 - 33)\n"
    grown = private(image, code % 6000) - private(image, code % 1)
    size = 6000 * 64 // 1024
    that(grown < size + 16, (grown, size))


# Names that are new strings each time, each among others of its size.
NAMES = """
import os
os.kept = []
for n in range(4000):
    getattr(int, "re%s" % "al")
    os.kept += ["%04d" % n for m in range(65)]
"""
LOOK = "for n in range(20000): getattr(int, 're%s' % 'al')\n"


@test
def names_that_attributes_were_looked_up_by():
    """Nobody but the cache of lookups holds them; others take their place there. So much
    is written in an image without them, too."""
    before = more(build("none", ""), "", LOOK)
    grown = more(build("names", NAMES), "", LOOK)
    that(grown < before + 64, (grown, before))


# Each allocates at once with the others, and with nobody's GIL but its own (3.12).
OWN_GIL = """
import %s as interpreters, threading
code = '''
import json, random
for k in range(30):
    d = [str(n) * (n %% 20) for n in range(2000)]
    d = {n: [n, str(n)] for n in range(500)}
    assert all(v == [n, str(n)] for n, v in d.items())
'''
def go():
    one = interpreters.create()
    failure = getattr(interpreters, "exec", interpreters.run_string)(one, code)
    assert not failure, failure
    interpreters.destroy(one)
for k in range(6):
    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
print("done")
"""


@test
def interpreters_with_a_gil_of_their_own():
    if sys.version_info < (3, 12):
        return		# there are none
    image = build("interpreters", "import threading\n")
    for _ in range(3):
        equal(lib.run([image, "-c", OWN_GIL % lib.INTERPRETERS]), (0, b"done\n", b""))


done()
