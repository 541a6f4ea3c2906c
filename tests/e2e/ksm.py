#!/usr/bin/python3
"""PYIMAGE_KSM: the kernel may merge a restored process's pages with equal ones. Where
it can't, or where nobody started ksmd, the program runs all the same."""
import ctypes
import os
import subprocess
import time

import lib
from tap import Skip, done, equal, run, that

KSM = "/sys/kernel/mm/ksm/"
LIMIT = 120	# seconds for ksmd; only a hang takes so long
SET_MERGE = 67	# linux/prctl.h
SMAPS = "import sys; sys.stdout.write(open('/proc/self/smaps').read())"
WAIT = "import sys; print(flush=True); sys.stdin.read()"


def mappings(text):
    """[(protection, file, VmFlags)] of a smaps."""
    found, head = [], None
    for line in text.splitlines():
        words = line.split()
        if words[0] == "VmFlags:":
            found.append((head[1], head[5] if len(head) > 5 else "", words[1:]))
        elif not words[0].endswith(":"):
            head = words
    return found


def of_image(command, image, *before, **variables):
    """The mappings of the image's file: {protection: those that may be merged}."""
    got = lib.run([*before, *command, "-c", SMAPS], env=variables)
    equal((got.status, got.err), (0, b""))
    found = {}
    for protection, file, flags in mappings(got.out.decode()):
        if file == image:
            found.setdefault(protection, set()).add("mg" in flags)
    that("rw-p" in found and "r--p" in found, "the image's mappings: %s" % found)
    return found


def needs_ksm():
    if not os.path.exists(KSM + "run"):
        raise Skip("optional: this kernel has no KSM")


def asked_for(way):
    needs_ksm()
    image = lib.image("bare")
    for user, before in lib.users().items():
        for value in "", "0", None:
            found = of_image(lib.WAYS[way](image), image, *before([]), PYIMAGE_KSM=value)
            equal(found, dict.fromkeys(found, {False}), "%s as %s" % (value, user))
        found = of_image(lib.WAYS[way](image), image, *before([]), PYIMAGE_KSM="1")
        equal(found["rw-p"], {True}, "as " + user)


def older_kernel(way):
    """Without the prctl: the writable segments, and nothing else."""
    needs_ksm()
    image = lib.image("bare")
    found = of_image(lib.WAYS[way](image), image, lib.LIB + "/deny", "memory_merge",
                     PYIMAGE_KSM="1")
    equal(found, {name: {"w" in name} for name in found})


def no_merging(way):
    """A kernel that can do neither: said where asked, and that is all."""
    command = [lib.LIB + "/deny", "memory_merge,mergeable", *lib.WAYS[way](lib.image("bare")),
               "-c", "print(1)"]
    equal(lib.run(command, env={"PYIMAGE_KSM": "1"}), (0, b"1\n", b""))
    got = lib.run(command, env={"PYIMAGE_KSM": "1", "PYIMAGE_VERBOSE": "1"})
    equal((got.status, got.out), (0, b"1\n"))
    that(b"PYIMAGE_KSM: the kernel can't merge pages: Invalid argument" in got.err, got.err)


def told(way):
    """Whether ksmd runs, by a file in its place."""
    needs_ksm()
    if os.getuid() or lib.run(["unshare", "-m", "true"]).status:
        raise Skip("optional: only root can mount")
    folder = lib.folder("ksm")
    command = [*lib.WAYS[way](lib.image("bare")), "-c", "pass"]
    for value, words in ("0", b"run is not 1"), ("2", b"root write 1"), ("1", b"will be merged"):
        path = lib.write(folder + "/run", value + "\n")
        for verbose in "1", None:
            got = lib.run(["unshare", "-m", "sh", "-c", "mount --bind %s %srun && exec \"$@\"" % (
                path, KSM), "sh", *command], env={"PYIMAGE_KSM": "1", "PYIMAGE_VERBOSE": verbose})
            equal((got.status, got.out, words in got.err), (0, b"", verbose is not None),
                  "run %s, %s" % (value, got.err))
            that(verbose or not got.err, got.err)


def bad_values(way):
    for value in "on", "2", "01", " ":
        got = lib.run([*lib.WAYS[way](lib.image("bare")), "-c", "pass"],
                      env={"PYIMAGE_KSM": value})
        equal((got.status, got.out), (2, b""), value)
        that(b"PYIMAGE_KSM: must be 0 or 1" in got.err, got.err)


def children(way):
    """A fork inherits it; the variable is the program's to see; a fallback has none."""
    needs_ksm()
    code = ("import os; print(os.environ['PYIMAGE_KSM'], flush=True)\nif not os.fork():\n"
            " print(' mg' in open('/proc/self/smaps').read())\nelse: os.wait()")
    command = [*lib.WAYS[way](lib.image("bare")), "-c", code]
    equal(lib.run(command, env={"PYIMAGE_KSM": "1"}), (0, b"1\nTrue\n", b""))
    equal(lib.run(command, env={"PYIMAGE_KSM": "1", "PYIMAGE": "off"}), (0, b"1\nFalse\n", b""))


MERGED = "print(' mg' in open('/proc/self/smaps').read())"
PARENT = """import ctypes, os
ctypes.CDLL(None).prctl(%d, 1, 0, 0, 0)
words = %r
os.execv(words[0], words)"""
# An image that only behind the commit point finds that it can't be used.
LATE = lib.folder("ksm") + "/late.pyimage"
ASKED = {"PYIMAGE_KSM": "1", "PYIMAGE": "auto", "CHANGED": "1"}


def late_fallback(way):
    """It has what python3 would have: what its parent asked for, and no more."""
    needs_ksm()
    if not os.path.exists(LATE):
        got = lib.build(LATE, options=["-w", lib.write(
            lib.folder("ksm") + "/warm.py", "import os\nos.environ['CHANGED'] = '2'\n")])
        equal(got.status, 0, got)
    command = [*lib.WAYS[way](LATE), "-c", MERGED]
    equal(lib.run(command, env={"PYIMAGE_KSM": "1"}), (0, b"True\n", b""))
    got = lib.run(command, env={**ASKED, "PYIMAGE_VERBOSE": "1"})
    that(b"; restoring" in got.err, got)
    equal(lib.run(command, env=ASKED), (0, b"False\n", b""))
    want, got = (lib.run([lib.PYTHON, "-c", PARENT % (SET_MERGE, words)], env=ASKED)
                 for words in ([lib.PYTHON, "-c", MERGED], command))
    equal(got, want)


def sizes(pid):
    with open("/proc/%d/smaps_rollup" % pid) as file:
        return {line.split()[0]: int(line.split()[1]) for line in list(file)[1:]}


def most_is_merged(command):
    """Of two processes that started alike more than half is one again; of a third,
    which did not ask, nothing."""
    variables = [{**lib.ENV, "PYIMAGE_KSM": value} for value in ("1", "1", "0")]
    processes = [subprocess.Popen([*command, "-c", WAIT], env=env, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE) for env in variables]
    try:
        equal([process.stdout.readline() for process in processes], [b"\n"] * 3)
        end = time.monotonic() + LIMIT
        while True:
            found = [sizes(process.pid) for process in processes]
            merged = [size["KSM:"] for size in found]
            if all(size["KSM:"] * 2 > size["Anonymous:"] for size in found[:2]):
                break
            that(time.monotonic() < end, "after %d s merged kB are %s" % (LIMIT, merged))
            time.sleep(0.05)
        equal(merged[2], 0)
    finally:
        for process in processes:
            process.communicate(b"")
    equal([process.returncode for process in processes], [0, 0, 0])


def merged(way):
    needs_ksm()
    if "KSM:" not in sizes(os.getpid()):
        raise Skip("optional: this kernel's smaps do not count what is merged")
    if not os.access(KSM + "run", os.W_OK):
        raise Skip("optional: only root can start ksmd, and not in each container")
    before = lib.read(KSM + "run")
    try:
        lib.write(KSM + "run", "1")
        most_is_merged(lib.WAYS[way](lib.image("bare")))
    finally:
        lib.write(KSM + "run", before)


# Where whoever started this has it, its children would have it, too.
ctypes.CDLL(None).prctl(SET_MERGE, 0, 0, 0, 0)
for way in lib.WAYS:
    for case in (asked_for, older_kernel, no_merging, told, bad_values, children,
                 late_fallback, merged):
        run("%s (%s)" % (case.__name__.replace("_", " "), way), case, way)
done()
