#!/usr/bin/python3
"""Settings that imports read from files: an image never has other ones than python3
would have here and now."""
import os

import lib
from tap import done, equal, run, that

SHOW = ("import matplotlib, matplotlib.style\n"
        "print(matplotlib.rcParams['lines.linewidth'], 'mine' in matplotlib.style.available)")


def make(home, name, text):
    path = os.path.join(home, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return lib.write(path, text)


def image(home, cwd=None, **env):
    path = lib.folder("settings") + "/x.pyimage"
    got = lib.build(path, ["matplotlib", "matplotlib.style"], cwd=cwd or home,
                    env={"HOME": home, **env},
                    options=["--keep-env", "MPLCONFIGDIR"] if env else [])
    return path, got


def shows(path, home, cwd, want):
    """From the image, and under python3."""
    for way in lib.WAYS.values():
        equal(lib.run([*way(path), "-c", SHOW], cwd=cwd, env={"HOME": home}),
              (0, want, b""))
    equal(lib.run([lib.PYTHON, "-c", SHOW], cwd=cwd, env={"HOME": home}), (0, want, b""))


def gives_way(path, home, cwd, want, why):
    got = lib.run([path, "-c", SHOW], cwd=cwd, env={"HOME": home})
    equal((got.status, got.out), (70, b""))
    that(why in got.err, got.err)
    that(b"build it anew" not in got.err or b"stale" in got.err, got.err)
    got = lib.run([path, "-c", SHOW], cwd=cwd, env={"HOME": home, "PYIMAGE": None})
    equal(got, (0, want, b""))


def working_folder():
    home, other = lib.folder("home"), lib.folder("other")
    path, got = image(home)
    equal(got.status, 0, got.err)
    shows(path, home, other, b"1.5 False\n")
    make(other, "matplotlibrc", "lines.linewidth: 7\n")
    gives_way(path, home, other, b"7.0 False\n", b"the working folder: it has a file that imports")
    shows(path, home, home, b"1.5 False\n")


def users_file():
    home = lib.folder("home")
    path, got = image(home)
    equal(got.status, 0, got.err)
    name = make(home, ".config/matplotlib/matplotlibrc", "lines.linewidth: 4\n")
    gives_way(path, home, lib.WORK, b"4.0 False\n", b"is there now")
    path, got = image(home)
    equal(got.status, 0, got.err)
    shows(path, home, lib.WORK, b"4.0 False\n")
    lib.write(name, "lines.linewidth: 11\n")
    gives_way(path, home, lib.WORK, b"11.0 False\n", b"has changed")
    os.unlink(name)
    gives_way(path, home, lib.WORK, b"1.5 False\n", b"is gone")


def users_style():
    home = lib.folder("home")
    path, got = image(home)
    equal(got.status, 0, got.err)
    make(home, ".config/matplotlib/stylelib/mine.mplstyle", "lines.linewidth: 3\n")
    gives_way(path, home, lib.WORK, b"1.5 True\n", b"is there now")


def another_users():
    home, other = lib.folder("home"), lib.folder("home")
    make(other, ".config/matplotlib/matplotlibrc", "lines.linewidth: 6\n")
    path, got = image(home)
    equal(got.status, 0, got.err)
    gives_way(path, other, lib.WORK, b"6.0 False\n", b"HOME")


def build_s_own_folder():
    home, other = lib.folder("home"), lib.folder("other")
    make(other, "matplotlibrc", "lines.linewidth: 7\n")
    path, got = image(home, other)
    equal((got.status, os.path.exists(path)), (1, False), got.err)
    that(b"it read " + other.encode() + b"/matplotlibrc" in got.err, got.err)


def no_folder():
    home = lib.folder("home")
    path, got = image(home, MPLCONFIGDIR="/dev/null/none")
    equal((got.status, os.path.exists(path)), (1, False), got.err)
    that(b"temporary folder for its settings" in got.err, got.err)


for test in (working_folder, users_file, users_style, another_users, build_s_own_folder,
             no_folder):
    run(test.__name__, test)
done()
