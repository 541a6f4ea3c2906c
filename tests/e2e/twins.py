"""The same program under plain python3 and in images: rows, and their comparison.
A row is right where stdout, stderr, status and the files left are the same."""
import os
import re
import shutil
import sys

import lib
import tap

CASES = {}
ADDRESS = re.compile(rb"0x[0-9a-f]{6,16}")
PROCESS = re.compile(rb"\bpid=\d+")	# which DeprecationWarning tells of a fork


def case(name, *args, files=None, stdin=b"", env=None, before="", cwd="."):
    assert name not in CASES, name
    CASES[name] = dict(args=args, files=files or {}, stdin=stdin, env=env or {},
                       before=before, cwd=cwd)


def code(name, text, **more):
    """The same code as -c, as a file and from stdin."""
    case(name + ", -c", "-c", text, **more)
    files = {"script.py": text, **more.pop("files", {})}
    case(name + ", FILE", "script.py", files=files, **more)


PLACE = os.path.join(lib.WORK, "twins-%d" % os.getpid())


def make(files):
    shutil.rmtree(PLACE, ignore_errors=True)
    os.mkdir(PLACE)
    for name, text in files.items():
        path = os.path.join(os.fsencode(PLACE), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if isinstance(text, tuple) and text[0] == "link":
            os.symlink(text[1], path)
        elif isinstance(text, tuple):
            lib.write(path + b".py", text[1])
            lib.run([lib.PYTHON, "-c", "import py_compile, sys\n"
                     "py_compile.compile(sys.argv[1], sys.argv[2])", path + b".py", path])
            os.unlink(path + b".py")
        else:
            lib.write(path, text)


def left(folder):
    """What lies in the folder now; of bytecode, only that it is there."""
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            fresh = name.endswith((".pyc", ".gz", "db")) or os.path.islink(path)
            found[path[len(folder):]] = None if fresh else lib.read(path)
    return found


def outcome(command, c):
    make(c["files"])
    home = c["env"].get("HOME")
    env = dict(c["env"], HOME=os.path.join(PLACE, home)) if home else c["env"]
    result = lib.shell(c["before"], *command, *c["args"], stdin=c["stdin"], env=env,
                       cwd=os.path.join(PLACE, c["cwd"]))
    status, *texts = result
    return (status, *(PROCESS.sub(b"pid=...", ADDRESS.sub(b"0x...", t)) for t in texts),
            left(PLACE))


def compare(got, want):
    for what, one, other in zip(("status", "stdout", "stderr", "files"), got, want):
        if isinstance(one, bytes) and len(one) + len(other) > 3000 and one != other:
            at = len(os.path.commonprefix([one, other]))
            one, other = one[max(0, at - 80):at + 300], other[max(0, at - 80):at + 300]
        tap.equal(one, other, what)


def compare_all(targets, wanted=lambda name, target: True):
    """targets: {name: command}, or {name: (command, environment)}. Arguments of the
    program: only rows with one of these words in their names."""
    for name, c in CASES.items():
        if sys.argv[1:] and not any(word in name for word in sys.argv[1:]):
            continue
        want = outcome([lib.PYTHON], c)
        for target, command in targets.items():
            if not wanted(name, target):
                continue
            command, env = command if isinstance(command, tuple) else (command, {})
            mine = dict(c, env={**c["env"], **env})
            tap.run("%s (%s)" % (name, target),
                    lambda: compare(outcome(command, mine), want))


def clean():
    shutil.rmtree(PLACE, ignore_errors=True)
