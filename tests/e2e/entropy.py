#!/usr/bin/python3
"""Random bytes that the system gives: no two processes have any in common, whether
they were restored from one image or forked by a restored one, in any thread.

glibc 2.41's getrandom() draws from pages that the kernel empties in a forked child,
where the vDSO has such a function; the states of all threads are in these pages."""
import re
import subprocess

import lib
from tap import Skip, done, equal, run, that

# Names that make bytes without a seed of their own.
DRAW = """
import ctypes, os, random, sys, threading, uuid
libc = ctypes.CDLL(None)
def draw():
    buffer = ctypes.create_string_buffer(16)
    if hasattr(libc, "arc4random_buf"):
        libc.arc4random_buf(buffer, ctypes.c_size_t(16))
        yield buffer.raw.hex()
    assert libc.getrandom(buffer, ctypes.c_size_t(16), 0) == 16
    yield buffer.raw.hex()
    yield os.urandom(16).hex()
    yield os.getrandom(16).hex()
    yield uuid.uuid4().hex
    yield random.SystemRandom().randbytes(16).hex()
    yield random.Random().randbytes(16).hex()
def show():
    for n in range(3):
        os.write(1, ("\\n".join(draw()) + "\\n").encode())
def in_threads():
    threads = [threading.Thread(target=show) for n in range(4)]
    for t in threads: t.start()
    for t in threads: t.join()
"""
# Forks of a process that has drawn, of its child, and of one with threads.
FORKS = """
def forked(*functions):
    if not os.fork():
        for function in functions:
            function()
        os._exit(0)
    assert os.wait()[1] == 0
show()
in_threads()
forked(show, in_threads, lambda: forked(show, in_threads))
forked(show)
show()
"""
# Before the freeze, too: in the main thread and in threads that have ended.
WARM = DRAW.replace("os.write(1, ", "str(") + "show()\nin_threads()\n"
FLAGS = """
import os
os.urandom(8)
kept = []
with open("/proc/self/smaps") as file:
    for line in file:
        if line.startswith("VmFlags:") and " wf" in line:
            kept.append(sorted(set(line.split()[1:]) - {"sd"}))
print(kept)
"""


def image(name, code):
    path = "%s/%s.pyimage" % (lib.WORK, name)
    warm = lib.write("%s/%s.py" % (lib.WORK, name), code, 0o644)
    got = lib.build(path, (), [warm], ["-q"])
    equal((got.status, got.err), (0, b""), "the build")
    return path


def drawn(path, way, count):
    """What some processes of the image draw, at once."""
    started = [subprocess.Popen([*lib.WAYS[way](path), "-c", DRAW + FORKS], env=lib.ENV,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
               for _ in range(count)]
    for process in started:
        out, err = process.communicate(timeout=lib.LIMIT)
        equal((process.returncode, err), (0, b""), "its end")
        yield from out.decode().split()


def none_twice(name, way):
    """16 bytes are never the same by chance."""
    words = list(drawn(IMAGES[name], way, 4))
    rounds = 4 * 17 * 3	# processes; calls of show(); its rounds, of six or seven
    that(len(words) >= rounds * 6 and len(words) % rounds == 0, len(words))
    that(all(re.fullmatch("[0-9a-f]{32}", word) for word in words), "no words of 16 bytes")
    twice = sorted({word for word in words if words.count(word) > 1})
    equal(twice, [], "drawn more than once")


def pages(name, way):
    """They are what they are in python3, not only emptied by a fork."""
    want = lib.run([lib.PYTHON, "-c", FLAGS])
    if want.out == b"[]\n":
        raise Skip("optional: libc's getrandom() has no such pages here")
    got = lib.run([*lib.WAYS[way](IMAGES[name]), "-c", FLAGS])
    equal(got, want)


IMAGES = {"untouched": image("untouched", "pass\n"), "drawn": image("drawn", WARM)}
for name in IMAGES:
    for way in lib.WAYS:
        run("no bytes twice: %s, %s" % (name, way), none_twice, name, way)
        run("the kind of the pages: %s, %s" % (name, way), pages, name, way)
done()
