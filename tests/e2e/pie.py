#!/usr/bin/python3
"""Optional: an interpreter that is no distribution's: position-independent, with
a shared libpython, as pyenv builds it with --enable-shared. Whichever of 3.11,
3.12 and 3.13 is there is tried; a host is built for it where ours is another
version."""
import glob
import os
import re
import subprocess

import lib
from tap import done, equal, run, skip, that

SHARED = os.path.expanduser("~/.pyenv/versions/3.1[123]*/lib/libpython3.1[123].so")


def interpreters():
    """{version: interpreter}, one for each version."""
    found = {}
    for library in sorted(glob.glob(SHARED)):
        version = re.search(r"libpython(3\.\d+)\.so", library)[1]
        python = os.path.join(os.path.dirname(os.path.dirname(library)), "bin/python" + version)
        if os.access(python, os.X_OK):
            found[version] = python
    return found


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


def main():
    found = interpreters()
    for version in "3.11", "3.12", "3.13":
        name = "Python %s with a shared libpython" % version
        if version in found:
            run(name, restores, version, found[version])
        else:
            skip(name, "optional: none under pyenv")
    done()


main()
