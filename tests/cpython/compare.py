"""Compares what two interpreters did in one file, test by test, over some runs
of both, and knows the table of explained differences. Runs nothing."""
import collections
import fnmatch
import os
import sys

import store

HERE = os.path.dirname(os.path.abspath(__file__))
ABSENT = "not run"

# state: "different"; "flaky", where python3's own runs differ and show all that
# the image showed; "unsteady", where the two differed once, but in no re-run.
Difference = collections.namedtuple("Difference", "file test state python image details why")


def outcomes(run):
    """Test id to outcome. The process itself counts as one more test."""
    found = {test: entry["outcome"] for test, entry in run["tests"].items()}
    found["exit status"] = str(run["status"])
    return found


def details(runs, test, outcome):
    """The traceback of the run that ended in this outcome."""
    for run in runs:
        if outcomes(run).get(test, ABSENT) == outcome:
            entry = run["tests"].get(test)
            return (entry and entry["details"]) or run["output"]
    return ""


def differ(one, other):
    a, b = outcomes(one), outcomes(other)
    return [t for t in {**a, **b} if a.get(t, ABSENT) != b.get(t, ABSENT)]


def judge(python, image):
    """The state of one test, given its outcomes under both, run by run."""
    if set(image) <= set(python):
        return "flaky"
    if len(python) > 1 and all(i in python for i in image[1:]):
        return "unsteady"
    return "different"


def follows(file, test, one, other):
    """Whether it only says that another test failed: regrtest's word, and status."""
    words = {"exit status": {"0", "2"}, store.file_of(file): {"Passed", "Failed"}}
    return {one, other} <= words.get(test, set())


def compare(file, python, image, explained):
    """Differences between two lists of runs, which belong together in pairs."""
    found = []
    one, other = outcomes(python[0]), outcomes(image[0])
    tests = differ(python[0], image[0])
    causes = [t for t in tests
              if not follows(file, t, one.get(t, ABSENT), other.get(t, ABSENT))]
    for test in causes or tests:
        p = [outcomes(run).get(test, ABSENT) for run in python]
        i = [outcomes(run).get(test, ABSENT) for run in image]
        worst = next((o for o in i if o not in p), i[0])
        found.append(Difference(file, test, judge(p, i), p, i,
                                details(image, test, worst),
                                explained.find(file, test)))
    return found


class Explained:
    """The table: a test's id or a pattern of ids, behind the name of its file's
    run, then a tab and the reason; lines that begin with # are comments. What is so
    in some versions only stands in the tables of these: explained-3.13."""

    def __init__(self, path=os.path.join(HERE, "explained"), version=sys.version_info[:2]):
        self.rows, self.used = [], set()
        self.read(path)
        own = path + "-" + ".".join(map(str, version))
        if os.path.exists(own):
            self.read(own)

    def read(self, path):
        with open(path) as file:
            for line in file:
                if line.strip() and not line.startswith("#"):
                    pattern, why = line.rstrip("\n").split("\t", 1)
                    self.rows.append((pattern, why.strip()))

    def find(self, file, test):
        for pattern, why in self.rows:
            if fnmatch.fnmatchcase("%s %s" % (file, test), pattern):
                self.used.add(pattern)
                return why
        return ""

    def stale(self):
        return [pattern for pattern, _ in self.rows if pattern not in self.used]
