#!/usr/bin/python3
"""applications.py NAME...: workloads of tests/workloads do from an image what they do
under python3: status, outputs and files are equal byte for byte, for root and for
nobody, run by the kernel and through pyimage."""
import contextlib
import difflib
import json
import os
import signal
import subprocess
import sys

import lib
sys.path.insert(0, lib.ROOT + "/tests")
import tap
import workloads


def finish(child):
    """Both outputs of a child, in whose session nothing is left at the end."""
    try:
        return child.communicate(timeout=lib.LIMIT)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def execute(run, command, variables, home):
    """What a run gave: everything in it has to be equal."""
    if run["reset"]:
        run["reset"](home)
    child = subprocess.Popen(
        command, env={**variables, **run["env"]}, cwd=home, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    response = None
    try:
        if run["useful"]:
            response = run["useful"](child, home)
            if run["settled"]:
                run["settled"](child, home)
            child.send_signal(signal.SIGTERM)
    finally:
        out, err = finish(child)
    mask = run["mask"] or (lambda data: data)
    given = {"status": child.returncode, "stdout": mask(out), "stderr": mask(err),
             "response": response}
    for name in run["files"]:
        for path, data in workloads.tree(os.path.join(home, name)).items():
            given[os.path.join(name, path)] = data if data is None else mask(data)
    return given


def difference(what, got, want):
    if not isinstance(got, bytes) or not isinstance(want, bytes):
        return "%s is\n  %r, not\n  %r\n" % (what, got, want)
    lines = [data.decode("utf-8", "backslashreplace").splitlines(True)
             for data in (want, got)]
    return "%s differs:\n%s\n" % (what, "".join(
        difflib.unified_diff(*lines, "python3", "image"))[:20000])


def compare(got, want):
    tap.equal(sorted(got), sorted(want), "the list of files")
    found = [difference(what, got[what], want[what])
             for what in want if got[what] != want[what]]
    if found:
        raise tap.Failed("".join(found))


class Program:
    """One workload, its home and its image."""

    def __init__(self, name):
        self.workload = workloads.Workload(name)
        self.place = os.path.join(lib.TMP, "applications-" + name)
        self.path = os.path.join(lib.TMP, "img", name + ".pyimage")

    def prepare(self):
        os.mkdir(self.place, 0o755)
        self.home = workloads.Home(self.place, self.workload)
        self.home.renew()
        refusal = self.workload.image(lib.PYDUMP, self.path, self.home.path)
        tap.that(refusal is None, refusal)
        info = json.loads(lib.run([lib.PYDUMP, "info", "--json", self.path]).out)
        tap.equal(info["needs"], self.workload.needs(self.home.path),
                  "what a start needs besides its guards")

    def go(self, run, command, user, mode=None):
        self.home.renew(lib.NOBODY if user == "nobody" else None)
        variables = {**self.workload.environment(self.home.path, mode or run["mode"]),
                     **self.more}
        before = [*lib.users()[user](run["before"])]
        return execute(run, [*before, *command], variables, self.home.path)

    def same(self, run, user):
        want = self.go(run, run["plain"], user)
        for way, command in lib.WAYS.items():
            def one(command=command(self.path)):
                compare(self.go(run, [*command, *run["image"]], user), want)
            tap.run("%s, %s" % (self.label(run, user), way), one)

    def falls_back(self, run, user):
        want = self.go(run, run["plain"], user, "off")
        compare(self.go(run, [self.path, *run["image"]], user, "off"), want)

    def label(self, run, user):
        return "%s, %s, %s" % (self.workload.name, run["name"], user)

    def all(self):
        runs = self.workload.runs(self.home.path)
        with self.workload.session(self.home.path) as self.more:
            for name, run in runs.items():
                run["name"] = name
                for user in lib.users():
                    if run["users"] is None or user in run["users"]:
                        self.same(run, user)
            first = next(iter(runs.values()))
            user = next(u for u in lib.users() if u in (first["users"] or lib.users()))
            tap.run(self.label(first, user) + ", PYIMAGE=off", self.falls_back, first, user)


def main(name):
    program = Program(name)
    if missing := program.workload.missing():
        tap.skip(name, "packages are missing: " + " ".join(missing))
        return
    if program.workload.unbuilt():
        tap.skip(name, "optional: it is not built for this version of python3")
        return
    built = []

    def builds():
        program.prepare()
        built.append(name)
    tap.run(name + " builds", builds)
    if built:
        program.all()


for word in sys.argv[1:] or workloads.names():
    main(word)
tap.done()
