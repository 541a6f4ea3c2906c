#!/usr/bin/python3
"""Large libraries that are loaded after the restore, from an image that holds nothing
of them: their thread-local variables and constructors, in threads too, work as they
do in python3."""
import os
import sys

import lib
sys.path.insert(0, lib.ROOT + "/tests")
import workloads
from tap import done, equal, run, skip

RUNS = {"lxml": "everything", "pil": "everything", "gtk": "Gio", "matplotlib": "a figure"}


def outcome(workload, home, one, command, more):
    home.renew()
    got = lib.run([*one["before"], *command], cwd=home.path, env={
        **workload.environment(home.path), **more, **one["env"]})
    mask = one["mask"] or bytes
    files = [workloads.tree(os.path.join(home.path, name)) for name in one["files"]]
    return got.status, mask(got.out), mask(got.err), files


def same(name, path):
    workload = workloads.Workload(name)
    home = workloads.Home(lib.folder("late"), workload)
    with workload.session(home.path) as more:
        one = workload.runs(home.path)[RUNS[name]]
        want = outcome(workload, home, one, one["plain"], more)
        equal(outcome(workload, home, one, [path, *one["image"]], more), want)


for name in RUNS:
    missing = workloads.Workload(name).missing()
    if missing:
        skip(name, "packages are missing: " + " ".join(missing))
    else:
        run(name, same, name, lib.image("bare"))
done()
