"""`python3 -m record_regrtest RESULTS CHILDREN ARG...` is `python3 -m test ARG...`
that also appends to the file RESULTS one line for each test: its id, its outcome,
details. If CHILDREN is not empty, tests start that instead of sys.executable.

regrtest's own --junit-xml won't do: it loses tests with failing subtests and all
of a file that crashes, and it replaces sys.stdout. It runs inside the interpreters
that are compared, so it imports next to nothing of its own. Whatever is opened
is closed at once: a descriptor more would be seen by tests."""
import importlib
import os
import runpy
import sys

RESULTS, CHILDREN = sys.argv.pop(1), sys.argv.pop(1)
OWNER = os.getpid()
_open, _write, _close, _getpid = os.open, os.write, os.close, os.getpid


def write(*record):
    # A child that was forked by a test runs on into our methods at times.
    if _getpid() != OWNER:
        return
    fd = _open(RESULTS, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    _write(fd, ascii(record).encode() + b"\n")
    _close(fd)


def identify(test):
    # By the class: test__xxsubinterpreters has an attribute of that name.
    return type(test).id(test)


def unseen(function):
    """With a name as of frozen modules: test_trace counts whose code was run."""
    function.__code__ = function.__code__.replace(co_filename="<%s>" % __name__)


def recorded(base):
    """Methods for a TestResult, which call those of base."""
    class Recorder(base):
        now = None	# [id, outcomes, passed subtests, details]

        def startTest(self, test):
            super().startTest(test)
            self.now = [identify(test), [], 0, ""]
            write("start", identify(test))

        def stopTest(self, test):
            super().stopTest(test)
            if self.now:
                name, outcomes, subtests, details = self.now
                self.now = None
                if subtests:
                    outcomes.append("%d subtests" % subtests)
                write("test", name, "; ".join(outcomes), details)

        def note(self, test, outcome, error=None):
            details = self._exc_info_to_string(error, test) if error else ""
            name = identify(test)
            if self.now is None:	# setUpClass, setUpModule
                write("test", name, outcome, details)
            elif name == self.now[0]:
                self.now[1].append(outcome)
                self.now[3] += details
            else:	# a subtest
                self.now[1].append("%s of %s" % (outcome, name[len(self.now[0]):]))
                self.now[3] += details

        def addSuccess(self, test):
            self.note(test, "pass")
            super().addSuccess(test)

        def addFailure(self, test, error):
            self.note(test, "fail", error)
            super().addFailure(test, error)

        def addError(self, test, error):
            self.note(test, "error", error)
            super().addError(test, error)

        def addSkip(self, test, reason):
            self.note(test, "skip: " + str(reason))
            super().addSkip(test, reason)

        def addExpectedFailure(self, test, error):
            self.note(test, "expected failure")
            super().addExpectedFailure(test, error)

        def addUnexpectedSuccess(self, test):
            self.note(test, "unexpected success")
            super().addUnexpectedSuccess(test)

        def addSubTest(self, test, subtest, error):
            if error is None:
                self.now[2] += 1
            elif issubclass(error[0], test.failureException):
                self.note(subtest, "fail", error)
            else:
                self.note(subtest, "error", error)
            super().addSubTest(test, subtest, error)

    for function in write, identify, *vars(Recorder).values():
        if hasattr(function, "__code__"):
            unseen(function)
    return Recorder


def word(result):
    """regrtest's for a file: 3.12 and later have states, once these were classes."""
    state = getattr(result, "state", None)
    return state.title().replace("_", "") if state else type(result).__name__


def hook_results():
    """3.12 moved these to regrtest's own package, and gave the options first place
    no more."""
    new = sys.version_info >= (3, 12)
    module = importlib.import_module(
        "test.libregrtest.testresult" if new else "test.support.testresult")
    module.RegressionTestResult = recorded(module.RegressionTestResult)
    regrtest = importlib.import_module("test.libregrtest.main")
    called = "run_single_test" if new else "runtest"
    run_file = getattr(regrtest, called)

    def run_file_recorded(*args):
        result = run_file(*args)
        write("file", args[0 if new else 1], word(result), "")
        return result

    setattr(regrtest, called, run_file_recorded)


def hook_doctests():
    """Those of files that ask for them themselves; since 3.12 they are unittests."""
    from test import support
    run_doctest = getattr(support, "run_doctest", None)

    def run_doctest_recorded(module, *args, **options):
        name = "doctest of " + module.__name__
        write("start", name)
        outcome = "fail"
        try:
            result = run_doctest(module, *args, **options)
            outcome = "pass, %d examples" % result[1]
            return result
        finally:
            write("test", name, outcome, "")

    if run_doctest:
        support.run_doctest = run_doctest_recorded


if __name__ == "__main__":
    if CHILDREN:
        sys.executable = CHILDREN
    hook_results()
    hook_doctests()
    # Last: it says that the rest is recorded, too.
    write("executable", os.readlink("/proc/self/exe"))
    runpy.run_module("test", run_name="__main__", alter_sys=True)
