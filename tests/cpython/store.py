"""The interpreters that are compared, and what each did with each file, kept as
JSON: FOLDER/IDENTITY/RESOURCES/NAME.json, a list of runs.

A name is that of a test file, or FILE/children: then what its tests start as
python is the interpreter that is tested, instead of sys.executable, which is plain
python3 in an image."""
import hashlib
import json
import os
import re
import subprocess
import sys
import sysconfig

import runner

# That which runs us, too.
PYTHON = "/usr/bin/python3"
NAME = "python%d.%d" % sys.version_info[:2]
SUITE = os.path.join(sysconfig.get_path("stdlib"), "test")
STARTS = re.compile(r"sys\.executable|script_helper|_test_multiprocessing")
PACKAGES = [NAME, "lib%s-testsuite" % NAME, "libc6"]


def place(name):
    """A folder, or a file without its .py. Files of some packages are files of the
    suite's, too, and are called test.PACKAGE.FILE."""
    return os.path.join(SUITE, *name.removeprefix("test.").split("."))


def is_there(name):
    return os.path.exists(place(file_of(name)) + ".py") or os.path.isdir(place(file_of(name)))


def one_of(names):
    """Of names with a | between them the one that this Python's suite has."""
    for name in names.split("|"):
        if is_there(name):
            return name
    raise Unusable("this Python's suite has no " + names)


def starts_python(name):
    """Whether a file's tests start python, by a look at its text."""
    path = place(name)
    paths = [path + ".py"] if not os.path.isdir(path) else [
        os.path.join(path, entry) for entry in os.listdir(path) if entry.endswith(".py")]
    for path in paths:
        with open(path, encoding="latin-1") as file:
            if STARTS.search(file.read()):
                return True
    return False


def suite_missing():
    """Why the suite can't run here; else an empty text."""
    if os.path.exists(SUITE + "/test_grammar.py"):
        return ""
    return "CPython's tests are not installed (Debian: %s)" % PACKAGES[1]


def versions():
    """Package to version, as dpkg knows them."""
    done = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Version}\\n", *PACKAGES],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return dict(line.split() for line in done.stdout.splitlines())


def python_identity():
    found = versions()
    return "python3-" + "-".join(found.get(name, "none") for name in PACKAGES)


def image_identity(path):
    with open(path, "rb") as file:
        return "image-" + hashlib.sha256(file.read()).hexdigest()[:16]


class Unusable(Exception):
    """Something else ran, or nothing: most likely the image was refused. python3
    would be compared with itself. Or the recorder does not suit this regrtest."""


def unrecorded(tests):
    """Whether regrtest was content, yet no test was seen."""
    return [entry["outcome"] for entry in tests.values()] == ["Passed"]


CHILDREN = "/children"


def file_of(name):
    return name.removesuffix(CHILDREN)


class Interpreter:
    """A command, the file that /proc/PID/exe names when it really runs, a program
    that starts it as a child of tests, and the runs under it."""

    def __init__(self, command, executable, child, identity, resources, folder):
        self.command, self.executable, self.child = command, executable, child
        self.resources = resources
        self.folder = os.path.join(folder, identity, resources)
        os.makedirs(self.folder, exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name.replace("/", "-") + ".json")

    def kept(self, name):
        try:
            with open(self.path(name)) as lines:
                return json.load(lines)
        except FileNotFoundError:
            return []

    def forget(self, name):
        if os.path.exists(self.path(name)):
            os.unlink(self.path(name))

    def runs(self, name, count, where):
        """That many runs at least; those that are missing are made."""
        runs = self.kept(name)
        while len(runs) < count:
            child = self.child if name.endswith(CHILDREN) else ""
            run = runner.run(self.command, file_of(name), where, self.resources, child)
            if run["executable"] != self.executable or unrecorded(run["tests"]):
                raise Unusable("%s of %s ran as %r with status %s, %d tests recorded: %s" % (
                    name, self.command, run["executable"], run["status"],
                    len(run["tests"].keys() - {file_of(name)}), run["output"]))
            runs.append(run)
            new = self.path(name) + ".new"
            with open(new, "w") as lines:
                json.dump(runs, lines, indent=1)
            os.rename(new, self.path(name))
        return runs
