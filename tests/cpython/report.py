"""What a comparison found, in words: TAP lines, the table, docs/conformance.md.
Runs and compares nothing."""
import collections
import platform
import re
import time

import store

OUTCOMES = ["pass", "skip", "expected failure", "fail or error"]


class Result:
    """One file's runs and differences."""

    def __init__(self, file, python, image, differences):
        self.file, self.python, self.image = file, python, image
        self.differences = differences

    def tests(self):
        return [t for t in self.python[0]["tests"] if t != store.file_of(self.file)]

    def outcome(self):
        """regrtest's word for the file."""
        entry = self.python[0]["tests"].get(store.file_of(self.file))
        return entry["outcome"] if entry else "ended early"

    def open(self):
        return [d for d in self.differences if d.state == "different" and not d.why]


def kind(outcome):
    first = outcome.split(":")[0].split(";")[0].split(",")[0]
    return first if first in OUTCOMES else "fail or error"


def totals(results):
    """Name to number, in the table's order."""
    count = collections.Counter()
    for result in results:
        count["tests run"] += len(result.tests())
        for test in result.tests():
            outcome = result.python[0]["tests"][test]["outcome"]
            count["under python3: " + kind(outcome)] += 1
        for d in result.differences:
            counted = d.test in result.tests()
            count["counted"] += counted
            name = d.state
            if name == "different":
                name += ", explained" if d.why else ", unexplained"
            count[name] += 1
    table = {"files run": len(results), "tests run": count["tests run"]}
    for outcome in OUTCOMES:
        table["under python3: " + outcome] = count["under python3: " + outcome]
    table["same"] = count["tests run"] - count["counted"]
    for name in ("flaky under python3", "unsteady", "different, explained",
                 "different, unexplained"):
        table[name] = count[name]
    return table


def describe(d):
    """One difference in lines."""
    lines = ["%s %s" % (d.file, d.test),
             "python3: " + " | ".join(d.python), "image:   " + " | ".join(d.image)]
    if d.why:
        lines.append("because " + d.why)
    return lines


def show(results, stale=()):
    width = max(map(len, totals(results)))
    lines = ["%-*s %7d" % (width, name, n) for name, n in totals(results).items()]
    for result in results:
        for d in result.differences:
            lines += ["", d.state + ": " + describe(d)[0]]
            lines += ["    " + line for line in describe(d)[1:]]
            if d.state == "different" and not d.why:
                lines += ["    " + line for line in d.details.splitlines()[-30:]]
    lines += ["", *("stale explanation: " + pattern for pattern in stale)]
    return "\n".join(lines).rstrip()


def table(header, rows):
    lines = ["| %s |" % " | ".join(header), "|%s|" % "|".join("---" for _ in header)]
    lines += ["| %s |" % " | ".join(str(c).replace("|", "\\|") for c in row) for row in rows]
    return lines


def by_area(results):
    """Files, tests and differences of each area of the suite."""
    areas = collections.OrderedDict()
    for result in results:
        row = areas.setdefault(area(result.file), [0, 0, 0, 0])
        states = [d.state for d in result.differences if d.test in result.tests()]
        row[0] += 1
        row[1] += len(result.tests())
        row[2] += len(result.tests()) - len(states)
        row[3] += states.count("different")
    return [(name, *row) for name, row in sorted(areas.items())]


AREAS = {
    "asyncio, concurrency": "async asyncgen asyncio context coroutines concurrent "
        "multiprocessing sched queue thread threading threadsignals threadedtempfile fork1 "
        "wait3 wait4 eintr signal pending",
    "sockets, servers, ssl": "socket socketserver ssl httplib httpservers ftplib imaplib "
        "poplib smtplib smtpd telnetlib nntplib select selectors epoll poll urllib "
        "urllib2 xmlrpc docxmlrpc wsgiref asyncore asynchat robotparser",
    "codecs, text": "codec codeccallbacks codecencodings codecmaps codecs charmapcodec "
        "multibytecodec unicode unicodedata ucn utf8 utf8source string re str locale "
        "gettext textwrap format fstring",
    "files, io, processes": "io file fileio fileutils os posix posixpath ntpath genericpath "
        "pathlib shutil tempfile subprocess pty tty ioctl fcntl mmap memoryio largefile "
        "popen pipes univnewlines bufio fileinput file_eintr",
    "import, code, compiler": "import importlib zipimport pkg pkgutil runpy imp modulefinder "
        "ast compile code dis grammar syntax symtable tokenize parser peg unparse "
        "bytes_code py_compile compileall frozen marshal opcodes",
    "interpreter": "sys sysconfig site gc weakref atexit cmd_line cmd_line_script faulthandler "
        "embed capi frame traceback trace warnings audit finalization repl",
}


def area(file):
    if file.endswith(store.CHILDREN):
        return "FILE/children"
    # In a package: test.test_asyncio.test_tasks.
    words = file.removeprefix("test.").partition(".")[0].removeprefix("test_")
    for name, members in AREAS.items():
        if words in members.split() or words.split("_")[0] in members.split():
            return name
    return "types, other modules"


HEAD = """# Conformance

`make check-cpython` wrote this file, each part where that Python is python3. It
runs CPython's own test suite under `python3` and under a bare image (`pydump build`
without options), each file in a process of its own, as an ordinary user, and
compares test by test: outcome, reason of a skip, number of subtests, exit status.

The command for each file is `PYTHON -m test -u %s FILE`,
with a recorder of outcomes around it (tests/cpython/record_regrtest.py). A file
in which the two differ is run again under both, twice. What tests start as
python is plain python3, as sys.executable says so in an image; files that start
it are run once more as FILE/children, where it is an image, too.
"""


PART = re.compile(r"^## CPython (\d+)\.(\d+)$", re.M)


def parts(text):
    """What a document says of each version, by the version."""
    found = list(PART.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return {(int(match[1]), int(match[2])): text[match.start():end].strip("\n")
            for match, end in zip(found, ends)}


def document(former, version, part, resources):
    """The former text with the part of one version anew."""
    by_version = {**parts(former), version: part.strip("\n")}
    return "\n\n".join([(HEAD % resources).strip("\n"),
                        *(text for _, text in sorted(by_version.items()))]) + "\n"


def part(results, stale, version, versions):
    """What is said of one version."""
    lines = ["## CPython %d.%d" % version, ""]
    facts = [("date", time.strftime("%Y-%m-%d")), ("kernel", ".".join(platform.release().split(".")[:2])),
             *versions.items()]
    lines += table(("what", "which"), facts) + [""]
    lines += table(("what", "number"), totals(results).items()) + [""]
    lines += table(("area", "files", "tests", "same", "different"), by_area(results)) + [""]
    for title, text, wanted in SECTIONS:
        chosen = [d for r in results for d in r.differences if wanted(d)]
        lines += ["### " + title, "", text, ""]
        rows = [("%s `%s`" % (d.file, d.test), " / ".join(d.python), " / ".join(d.image), d.why)
                for d in chosen]
        lines += table(("test", "python3", "image", "cause"), rows) if rows else ["None."]
        lines.append("")
    if stale:
        lines += ["Stale explanations: %s." % ", ".join(stale), ""]
    lines += ["### What python3 skips or fails here", "",
              "Alike under both, except where listed above.", ""]
    failed = [(t, r.python[0]["tests"][t]["outcome"]) for r in results for t in r.tests()
              if kind(r.python[0]["tests"][t]["outcome"]) == OUTCOMES[-1]]
    lines += table(("test that fails", "outcome"), failed) + [""] if failed else []
    lines += table(("file", "regrtest's word"), [
        (r.file, r.outcome()) for r in results if r.outcome() != "Passed"])
    return "\n".join(lines) + "\n"


SECTIONS = [
    ("Differences", "The test asserts what an image changes by its nature.",
     lambda d: d.state == "different" and d.why),
    ("Unexplained", "Defects.", lambda d: d.state == "different" and not d.why),
    ("Flaky", "Outcomes that python3 itself does not repeat; the image showed none "
     "that python3 did not.", lambda d: d.state == "flaky"),
    ("Unsteady", "Differed once, in no re-run of both.", lambda d: d.state == "unsteady"),
]


def tap(number, result):
    """The lines of one file for scripts/tap."""
    bad = result.open()
    lines = ["%sok %d - %s, %d tests" % ("not " if bad else "", number, result.file,
                                         len(result.tests()))]
    lines.append("# %.1f s under python3, %.1f s under the image" % (
        result.python[0]["seconds"], result.image[0]["seconds"]))
    for d in result.differences:
        lines += ["# %s: %s" % (d.state, line) for line in describe(d)]
        if d in bad:
            lines += ["#   " + line for line in d.details.splitlines()[-30:]]
    return "\n".join(lines)
