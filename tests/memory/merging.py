"""ksmd, the kernel's thread that merges equal pages. Only root can start it, if the
kernel's files are not read-only to it; what was set before is set again at the end."""
import contextlib
import ctypes
import os
import subprocess
import sys
import time

PLACE = "/sys/kernel/mm/ksm/"
# Quick, no page passed over since it did not merge the last time; and at rest, which
# keeps what is merged, until settle().
REST, MERGE = 0, 1
SETTINGS = {"run": REST, "pages_to_scan": 10000, "sleep_millisecs": 20, "smart_scan": 0}
SET_MERGE = 67		# linux/prctl.h: PR_SET_MEMORY_MERGE
IS_MARKED = "import ctypes; raise SystemExit(ctypes.CDLL(None).prctl(68, 0, 0, 0, 0) != 1)"
# One that had begun before, one that sees that a page does not change, one that merges.
ROUNDS = 3
GAIN = 0.005		# of what is merged, in the last round
LIMIT = 600		# seconds; ksmd gives way to others


def read(name):
    with open(PLACE + name) as file:
        return int(file.read())


def write(name, value):
    with open(PLACE + name, "w") as file:
        file.write("%d\n" % value)


def ours():
    """Whether ksmd's settings are ours to change. In a container root may see them only."""
    return os.access(PLACE + "run", os.W_OK)


def why_not():
    """Why nothing would be merged, or None."""
    if not os.path.exists(PLACE + "run"):
        return "this kernel has no KSM"
    if read("run") != 1 and not ours():
        return PLACE + "run is not 1, and can't be changed here"
    return None


def why_not_marked():
    """Why nothing would be merged of a program that does not ask for it, but was started
    by one that did: mark(). None, if it would be."""
    try:
        child = subprocess.run([sys.executable, "-I", "-S", "-c", IS_MARKED], preexec_fn=mark,
                               stderr=subprocess.PIPE)
    except subprocess.SubprocessError:
        return "the kernel refuses PR_SET_MEMORY_MERGE, which Linux has since 6.4"
    if child.returncode:
        return "PR_SET_MEMORY_MERGE does not survive exec, as it does since Linux 6.7"
    return None


@contextlib.contextmanager
def running():
    """ksmd is ours inside, and faster than usual, where we may set it."""
    if not ours():
        yield
        return
    before = {name: read(name) for name in SETTINGS if os.path.exists(PLACE + name)}
    try:
        for name in before:
            write(name, SETTINGS[name])
        yield
    finally:
        for name, value in before.items():
            write(name, value)


def mark():
    """In a child before it executes: since Linux 6.7 the program has it, too."""
    if ctypes.CDLL(None).prctl(SET_MERGE, 1, 0, 0, 0):
        raise OSError("PR_SET_MEMORY_MERGE")


def settle():
    """Have ksmd merge until it gains nothing more; whether it came to that."""
    if not ours():
        return _wait()
    write("run", MERGE)
    try:
        return _wait()
    finally:
        write("run", REST)


def _wait():
    end = time.monotonic() + LIMIT
    last, scans, rounds = read("pages_sharing"), read("full_scans"), 0
    while time.monotonic() < end:
        time.sleep(0.05)
        if (found := read("full_scans")) == scans:
            continue
        rounds, scans = rounds + found - scans, found
        now = read("pages_sharing")
        if rounds >= ROUNDS and now <= last * (1 + GAIN):
            return True
        last = now
    return False
