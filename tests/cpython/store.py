"""The interpreters that are compared, and what each did with each file, kept as
JSON: FOLDER/IDENTITY/RESOURCES/FILE.json, a list of runs."""
import hashlib
import json
import os
import subprocess
import sys
import sysconfig

import runner

# That which runs us, too.
PYTHON = "/usr/bin/python3"
NAME = "python%d.%d" % sys.version_info[:2]
SUITE = os.path.join(sysconfig.get_path("stdlib"), "test")
PACKAGES = [NAME, "lib%s-testsuite" % NAME, "libc6"]


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
    would be compared with itself."""


class Interpreter:
    """A command, the file that /proc/PID/exe names when it really runs, what
    tests start as children ("" for sys.executable), and the runs under it."""

    def __init__(self, name, command, executable, identity, resources, children, folder,
                 label):
        self.name, self.command, self.executable = name, command, executable
        self.resources, self.children = resources, children
        self.folder = os.path.join(folder, identity, label)
        os.makedirs(self.folder, exist_ok=True)

    def path(self, file):
        return os.path.join(self.folder, file + ".json")

    def kept(self, file):
        try:
            with open(self.path(file)) as lines:
                return json.load(lines)
        except FileNotFoundError:
            return []

    def forget(self, file):
        if os.path.exists(self.path(file)):
            os.unlink(self.path(file))

    def runs(self, file, count, where):
        """That many runs at least; those that are missing are made."""
        runs = self.kept(file)
        while len(runs) < count:
            run = runner.run(self.command, file, where, self.resources, self.children)
            if run["executable"] != self.executable:
                raise Unusable("%s ran as %r with status %s: %s" % (
                    self.name, run["executable"], run["status"], run["output"]))
            runs.append(run)
            new = self.path(file) + ".new"
            with open(new, "w") as lines:
                json.dump(runs, lines, indent=1)
            os.rename(new, self.path(file))
        return runs
