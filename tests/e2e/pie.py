#!/usr/bin/python3
"""Optional: an interpreter that is no distribution's: position-independent, with
a shared libpython, as pyenv builds it with --enable-shared. Whichever there is of
those versions that a host can be built for is tried; a host is built for it where
ours is another version."""
import glob
import os
import re
import subprocess

import lib
from tap import done, equal, run, skip, that

SHARED = os.path.expanduser("~/.pyenv/versions/%s.*/lib/libpython%s.so")


def versions():
    """Those that dumper/host/cpython.h does not refuse."""
    header = lib.read(lib.ROOT + "/dumper/host/cpython.h").decode()
    first, behind = re.search(r"PY_VERSION_HEX < 0x03(..)0000 \|\| "
                              r"PY_VERSION_HEX >= 0x03(..)0000", header).groups()
    return ["3.%d" % minor for minor in range(int(first, 16), int(behind, 16))]


def interpreter(version):
    for library in sorted(glob.glob(SHARED % (version, version)), reverse=True):
        python = os.path.join(os.path.dirname(os.path.dirname(library)), "bin/python" + version)
        if os.access(python, os.X_OK):
            return python
    return None


def host(version, python):
    name = "host-%s.so" % version
    target = os.path.join(lib.BIN, name)
    folder = lib.folder("make")
    made = subprocess.run(
        ["make", "-s", "-C", lib.ROOT, "PYTHON=" + python, "build/" + name],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    equal(made.returncode, 0, made.stdout.decode())
    os.rename(_copy(os.path.join(lib.BUILD, name), folder), target)


def _copy(path, folder):
    return lib.write(os.path.join(folder, "host.so"), lib.read(path), 0o755)


def restores(version, python):
    host(version, python)
    path = os.path.join(lib.folder("pie"), "image")
    built = lib.build(path, ["json", "ssl", "sqlite3", "ctypes", "asyncio"], ["marker.py"],
                      ["--python", python])
    equal(built.status, 0, (built.out + built.err).decode())
    code = ("import sys, json, threading\n"
            "t = threading.Thread(target=print, args=(json.dumps([1]),)); t.start(); t.join()\n"
            "print('frozen_marker' in sys.modules, sys.executable, sys.version, sys.path,"
            " sys.flags)\nraise SystemExit(3)")
    want = lib.run([python, "-c", code])
    want = (3, want.out.replace(b"False /", b"True /", 1), b"")
    for way, command in lib.WAYS.items():
        equal(lib.run([*command(path), "-c", code]), want, way)
    code = "import os\nf = open('/dev/null', 'w')\ndef f():\n 1/0\nf()"
    want = lib.run([python, "-c", code])
    for way, command in lib.WAYS.items():
        equal(lib.run([*command(path), "-c", code]), want, way)
    for way, command in lib.WAYS.items():
        got = lib.run([*command(path), "-O", "-c", "import sys; print(sys.executable)"],
                      env={"PYIMAGE": "auto"})
        equal(got.out, python.encode() + b"\n", "the fallback")
    that("libpython" in lib.run([lib.PYDUMP, "info", path]).out.decode(), "no libpython")


for version in versions():
    name = "Python %s with a shared libpython" % version
    if python := interpreter(version):
        run(name, restores, version, python)
    else:
        skip(name, "optional: none under pyenv")
done()
