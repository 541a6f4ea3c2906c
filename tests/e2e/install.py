#!/usr/bin/python3
"""make install into a folder: what is there works from there."""
import os
import subprocess

import lib
from tap import done, equal, run, that


def installs():
    dest = os.path.join(lib.folder("install"), "dest")
    made = subprocess.run(
        ["make", "-s", "-C", lib.ROOT, "install", "prefix=/usr", "DESTDIR=" + dest],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    equal(made.returncode, 0, made.stdout.decode())
    found = sorted(os.path.relpath(os.path.join(folder, name), dest)
                   for folder, _, names in os.walk(dest) for name in names)
    for name in ("usr/bin/pydump", "usr/bin/pyimage", "usr/lib/pyimage/host-%s.so" % lib.VERSION,
                 "usr/share/man/man1/pydump.1", "usr/share/man/man1/pyimage.1",
                 "usr/share/man/man5/pyimage.5", "usr/share/man/man7/pyimage.7",
                 "usr/lib/python3/dist-packages/pyimage/__init__.py",
                 "usr/lib/python3/dist-packages/snapshot_restore_py/__init__.py"):
        that(name in found, "%s is in %s" % (name, found))
    subprocess.run(["chmod", "-R", "go+rX", lib.folder("install")], check=True)
    image = os.path.join(lib.WORK, "installed.pyimage")
    got = lib.run([dest + "/usr/bin/pydump", "build", "-q", "-o", image], cwd="/")
    equal(got, (0, b"", b""))
    equal(lib.run([dest + "/usr/bin/pyimage", image, "-c", "print(6 * 7)"]), (0, b"42\n", b""))


def packages():
    """Where python3 finds them, by default and where the caller wants them."""
    for variables, folder in (([], "/usr/local/lib/python%s/dist-packages" % lib.VERSION),
                              (["prefix=/usr"], "/usr/lib/python3/dist-packages"),
                              (["pythondir=/some/where"], None)):
        dest = os.path.join(lib.folder("install"), "dest")
        made = subprocess.run(
            ["make", "-s", "-C", lib.ROOT, "install", "DESTDIR=" + dest, *variables],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        equal(made.returncode, 0, made.stdout.decode())
        place = dest + (folder or "/some/where")
        equal(sorted(os.listdir(place)), ["pyimage", "snapshot_restore_py"])
        got = lib.run([lib.PYTHON, "-c", "import sys; print(%r in sys.path); sys.path.insert("
                       "0, %r)\nimport pyimage, snapshot_restore_py; print(pyimage.__file__)"
                       % (folder, place)])
        equal(got, (0, ("%s\n%s/pyimage/__init__.py\n" % (
            folder is not None, place)).encode(), b""))


run("make install with prefix and DESTDIR", installs)
run("make install puts the packages for python3 in place", packages)
done()
