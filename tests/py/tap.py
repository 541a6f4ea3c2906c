"""TAP lines for the tests. Each decorated function is one test: it passes when
it returns, is skipped by Skip, and fails by anything else it raises."""
import os
import sys
import traceback

_count = 0
_failed = 0


class Skip(Exception):
    pass


class Failed(AssertionError):
    pass


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def explain(text):
    for line in str(text).splitlines():
        say("# " + line)


def report(good, name, why=""):
    global _count, _failed
    _count += 1
    _failed += not good
    say("%s %d - %s" % ("ok" if good else "not ok", _count, name))
    if not good:
        explain(why)


def skip(name, why):
    global _count
    _count += 1
    say("ok %d - %s # SKIP %s" % (_count, name, why))


def test(function):
    name = function.__name__.replace("_", " ").strip()
    run(name, function)
    return function


def run(name, function, *args):
    try:
        function(*args)
    except Skip as reason:
        skip(name, str(reason))
    except Failed as failed:
        lines = [frame for frame in traceback.extract_tb(failed.__traceback__)[1:-1]
                 if frame.name not in ("<lambda>", "compare")]
        report(False, name, "".join(traceback.format_list(lines)) + str(failed))
    except BaseException:
        report(False, name, traceback.format_exc())
    else:
        report(True, name)


def equal(got, want, what="it"):
    if got != want:
        raise Failed("%s is\n  %r, not\n  %r" % (what, got, want))


def differ(one, other, what="the two"):
    if one == other:
        raise Failed("%s are both %r" % (what, one))


def that(truth, what):
    if not truth:
        raise Failed(what)


def environ():
    """The environment less what python3 put there, which sets LC_CTYPE where
    the locale is C, and what repairs.py does while building: an image falls back
    where a variable that its imports changed is not as it was."""
    return {k: v for k, v in os.environ.items()
            if k not in ("LC_CTYPE", "SET_BY_AN_IMPORT")}


def _read(path):
    with open(path) as file:
        return file.read()


def _family(pid):
    """The process and its descendants."""
    yield pid
    try:
        children = _read("/proc/%d/task/%d/children" % (pid, pid)).split()
    except FileNotFoundError:
        return
    for child in children:
        yield from _family(int(child))


# What /proc/PID/syscall begins with: in no call, in a page fault, in write().
NOT_ASLEEP = "running", "-1", "1"


def is_asleep(pid):
    """Whether it waits in a system call that it made on purpose: a print() may be
    read by others before its write() returns."""
    try:
        state = _read("/proc/%d/stat" % pid).rpartition(")")[2].split()[0]
        call = _read("/proc/%d/syscall" % pid).split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z" or state == "S" and call not in NOT_ASLEEP


def all_asleep(pid):
    return all(map(is_asleep, _family(pid)))


def wait_asleep(pid):
    """Until the process and its children wait in a system call: only there a signal
    is sure to interrupt something."""
    while not all_asleep(pid):
        os.sched_yield()


def done():
    say("1..%d" % _count)
    sys.exit(1 if _failed else 0)
