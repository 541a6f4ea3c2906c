"""`python3 -m record_regrtest RESULTS CHILDREN ARG...` is `python3 -m test ARG...`
that also appends to the file RESULTS one line for each test: its id, its outcome,
details. If CHILDREN is not empty, tests start that instead of sys.executable.

regrtest's own --junit-xml won't do: it loses tests with failing subtests and all
of a file that crashes, and it replaces sys.stdout. It runs inside the interpreters
that are compared, so it imports next to nothing of its own. Whatever is opened
is closed at once: a descriptor more would be seen by tests."""
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


def hook():
    from test import support
    import test.libregrtest
    from test.support import testresult
    testresult.RegressionTestResult = recorded(testresult.RegressionTestResult)
    regrtest = sys.modules["test.libregrtest.main"]
    run_file, run_doctest = regrtest.runtest, support.run_doctest

    def runtest_recorded(ns, name):
        result = run_file(ns, name)
        write("file", name, type(result).__name__, "")
        return result

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

    regrtest.runtest = runtest_recorded
    support.run_doctest = run_doctest_recorded


if __name__ == "__main__":
    write("executable", os.readlink("/proc/self/exe"))
    if CHILDREN:
        sys.executable = CHILDREN
    hook()
    runpy.run_module("test", run_name="__main__", alter_sys=True)
