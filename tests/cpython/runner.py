"""Runs one file of CPython's test suite under one interpreter, as an ordinary
user, in a session, a home and a temporary folder of its own, and gives what was
recorded of it. Knows nothing of comparing."""
import ast
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDER = "record_regrtest"
NOBODY = 65534
# Given to the suite's -u. What has no network and no display skips by itself.
RESOURCES = {"full": "all,-network,-urlfetch,-gui", "subset": "none"}
# Seconds for one file. The longest takes about 200 on an idle core.
LIMIT = 1200
TAIL = 4000	# characters of output kept
stopping = threading.Event()


def as_user(command):
    """As an ordinary user, who has SIGINT at its default, which it has not where
    we run in the background, and ends with us."""
    ids = [] if os.getuid() else ["--reuid=%d" % NOBODY, "--regid=%d" % NOBODY,
                                  "--clear-groups"]
    return ["setpriv", *ids, "--pdeathsig=KILL", "env", "--default-signal", *command]


def environment(folder, children):
    """A clean one. TERM is for test_curses. What children are started with, an
    image can't always honour: they may fall back."""
    return {"PATH": "/usr/bin:/bin", "HOME": folder + "/home",
            "TMPDIR": folder + "/tmp", "TERM": "xterm",
            "PYIMAGE": "auto" if children else "on"}


def make_folder(where):
    folder = tempfile.mkdtemp(prefix="file-", dir=where)
    for path in folder, folder + "/home", folder + "/tmp", folder + "/cwd":
        os.makedirs(path, exist_ok=True)
        if not os.getuid():
            os.chown(path, NOBODY, NOBODY)
        os.chmod(path, 0o700)
    shutil.copy(os.path.join(HERE, RECORDER + ".py"), folder + "/cwd")
    os.chmod(folder + "/cwd/" + RECORDER + ".py", 0o644)
    return folder


def neutral(text, folder, children=""):
    """Without what differs in each run: addresses, process ids, folders, and the
    place of what tests take for python."""
    text = text.replace(folder, "FOLDER")
    if children:
        text = text.replace(os.path.dirname(children) + "/", "BIN/")
    text = re.sub(r"@test_\d+_tmp", "@test_PID_tmp", text)
    text = re.sub(r"test_python_\d+", "test_python_PID", text)
    return re.sub(r"\b0x[0-9a-f]{6,16}", "0x...", text)


def parse(path, *places):
    """What ran, and the tests by id, each with its outcome and details, in order;
    of those that have the same id, the second is called `ID (2)`."""
    executable, tests, started = "", {}, None
    try:
        with open(path, encoding="ascii") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        lines = []
    for line in lines:
        kind, name, *rest = ast.literal_eval(line)
        if kind == "executable":
            executable = name
            continue
        name = neutral(name, *places)
        if kind == "start":
            started = name
            continue
        started = None
        key, n = name, 1
        while key in tests:
            n += 1
            key = "%s (%d)" % (name, n)
        tests[key] = {"outcome": neutral(rest[0], *places),
                      "details": neutral(rest[1], *places)[-TAIL:]}
    if started:
        tests[started] = {"outcome": "did not end", "details": ""}
    return executable, tests


def stop(child):
    """First ask for tracebacks: regrtest registers faulthandler for SIGUSR1."""
    try:
        child.send_signal(signal.SIGUSR1)
        child.wait(5)
    except subprocess.TimeoutExpired:
        pass


def end_all(folder):
    """Ends what tests left behind, in their session or in others: whoever has a
    home in this folder."""
    home = b"HOME=%s/" % folder.encode()
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/environ" % entry, "rb") as file:
                if home in file.read():
                    os.kill(int(entry), signal.SIGKILL)
        except OSError:	# it has ended, or is another user's
            pass


class Stopped(Exception):
    """What ran was ended by us."""


def stop_all(where):
    stopping.set()
    end_all(where)


def run(command, name, where, resources="full", children="", limit=LIMIT):
    """The result: what ran, tests, status, seconds, output's end."""
    folder = make_folder(where)
    results = folder + "/cwd/results"
    arguments = ["-m", RECORDER, results, children, "-u", RESOURCES[resources],
                 "--tempdir", folder + "/tmp", name]
    start, late = time.monotonic(), False
    with open(folder + "/output", "w+b") as output:
        child = subprocess.Popen(
            as_user([*command, *arguments]), cwd=folder + "/cwd",
            env=environment(folder, children), stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True)
        try:
            child.wait(limit)
        except subprocess.TimeoutExpired:
            late = True
            stop(child)
        finally:
            end_all(folder)
            child.wait()
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    if stopping.is_set():
        raise Stopped
    executable, tests = parse(results, folder, children)
    result = {"executable": executable, "tests": tests,
              "status": "over %d s" % limit if late else child.returncode,
              "seconds": round(time.monotonic() - start, 1),
              "output": neutral(text, folder)[-TAIL:]}
    shutil.rmtree(folder, ignore_errors=True)
    return result
