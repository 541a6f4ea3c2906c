#!/usr/bin/python3
"""Signals that are typed, terminals that hang up, shells that stop, continue and
wait. How it ends is compared as waitid sees it: exited or killed, by what."""
import os
import re
import resource

import lib
import tap
import terminal
from terminal import END, IN_PYTHON, INTERRUPT, PRIMARY, QUIT, STOP

TARGETS = terminal.targets()


def each(name, function, *args):
    terminal.each(TARGETS, name, function, *args)


def no_core():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def wait_busy(pid):
    """Until the process has computed for a while: it is in its long call."""
    def used():
        with open("/proc/%d/stat" % pid) as file:
            return sum(map(int, file.read().rpartition(")")[2].split()[11:13]))
    start = used()
    while used() < start + 4:	# ticks of 10 ms
        os.sched_yield()


# ------------------------------------------------------------ typed signals
READY = "print('ready', flush=True)\n"


def typed(command, code, keys, busy, form):
    """The keys follow one another, each where the program says "ready". The kernel sends
    a key's signal, then echoes it: chance says where, and whether before the end."""
    home = terminal.home("jobs")
    lib.write(home + "/script.py", code)
    args = {"-c": ["-c", code], "FILE": ["script.py"], "-m": ["-m", "script"]}[form]
    session = terminal.Session([*command, *args], {}, home, arrange=no_core)
    for key in keys:
        session.expect(b"ready\r\n")
        (wait_busy if busy else tap.wait_asleep)(session.child.pid)
        session.send(key)
    how, text = session.close()
    return how, re.sub(rb"\^[C\\]", b"", terminal.plain(text))


def on_terminal(name, code, keys=(INTERRUPT,), busy=False, form="-c"):
    each("%s, %s" % (name, form), typed, code, keys, busy, form)


CAUGHT = "try: %s\nexcept KeyboardInterrupt as e: print(repr(e))\n" + READY + "time.sleep(600)\n"
for name, code, form in (
        ("sleep", "import time\n" + READY + "time.sleep(600)", "-c"),
        ("sleep", "import time\n" + READY + "time.sleep(600)", "FILE"),
        ("sleep", "import time\n" + READY + "time.sleep(600)", "-m"),
        ("input()", READY + "input()", "FILE"),
        ("sys.stdin.read()", "import sys\n" + READY + "sys.stdin.read()", "-c"),
        ("select()", "import select\n" + READY + "select.select([], [], [])", "-c"),
        ("os.read()", "import os\nr, w = os.pipe()\n" + READY + "os.read(r, 1)", "-c"),
        ("accept()", "import socket\ns = socket.create_server(('127.0.0.1', 0))\n" + READY
         + "s.accept()", "-c"),
        ("signal.pause()", "import signal\n" + READY + "signal.pause()", "-c"),
        ("lock.acquire()", "import threading\nl = threading.Lock()\nl.acquire()\n" + READY
         + "l.acquire()", "-c"),
        ("lock.acquire() with a timeout", "import threading\nl = threading.Lock()\n"
         "l.acquire()\n" + READY + "l.acquire(timeout=600)", "-c"),
        ("Thread.join()", "import threading\ne = threading.Event()\n"
         "t = threading.Thread(target=e.wait, daemon=True)\nt.start()\n" + READY
         + "t.join()", "FILE"),
        ("a join at the end", "import atexit, threading\ne = threading.Event()\n"
         "atexit.register(print, 'atexit')\nthreading.Thread(target=lambda: e.wait(.3)).start()\n"
         + READY, "-c"),
        ("Event.wait() and finally", "import threading\ntry:\n    " + READY
         + "    threading.Event().wait()\nfinally: print('finally')", "-c"),
        ("queue.get()", "import queue\n" + READY + "queue.Queue().get()", "-c"),
        ("subprocess.run()", "import subprocess\n"
         "subprocess.run(['sh', '-c', 'echo ready; exec sleep 600'])", "-c"),
        ("os.system()", "import os\nprint(os.system('echo ready; exec sleep 600'))", "-c"),
        ("asyncio", "import asyncio\nasync def main():\n    " + READY
         + "    await asyncio.sleep(600)\nasyncio.run(main())", "FILE"),
        ("atexit", "import atexit, time\ndef f():\n    " + READY + "    time.sleep(600)\n"
         "atexit.register(print, 'on')\natexit.register(f)", "-c"),
        ("__del__ at the end", "import time\nclass D:\n    def __del__(self):\n        "
         + READY + "        time.sleep(600)\nd = D()", "-c"),
        ("the import of a module", "import time\n" + READY + "time.sleep(600)", "-m"),
        ("SIG_DFL", "import signal, time\nsignal.signal(2, signal.SIG_DFL)\n" + READY
         + "time.sleep(600)", "-c"),
        ("SIG_IGN", "import signal\nsignal.signal(2, signal.SIG_IGN)\n" + READY
         + "print(signal.sigtimedwait([2], .1))", "-c"),
        ("a handler", "import signal, time\ndef h(n, f): print(n, f.f_lineno); raise SystemExit(9)\n"
         "signal.signal(2, h)\n" + READY + "time.sleep(600)", "-c"),
        ("a handler that raises", "import signal, time\nclass K(KeyboardInterrupt): pass\n"
         "def h(n, f): raise K('text')\nsignal.signal(2, h)\n" + READY + "time.sleep(600)", "FILE"),
        ("excepthook", "import sys, time\nsys.excepthook = lambda t, v, b: print('hook', t)\n"
         + READY + "time.sleep(600)", "-c"),
        ("fork, the child's", "import os, signal, time\npid = os.fork()\nif not pid:\n    "
         + READY[:-1] + "; time.sleep(600)\nsignal.signal(2, signal.SIG_IGN)\n"
         "print(os.waitpid(pid, 0)[1])", "-c")):
    on_terminal("^C in " + name, code, form=form)
on_terminal("^C twice", "import time\n" + CAUGHT % (READY + "    time.sleep(600)").replace(
    "print", "\n    print", 1), [INTERRUPT, INTERRUPT])
on_terminal("^C twice in a with", "import contextlib, time\n@contextlib.contextmanager\n"
            "def c():\n    try: yield\n    finally:\n        " + READY + "        time.sleep(600)\n"
            "with c():\n    " + READY + "    time.sleep(600)", [INTERRUPT, INTERRUPT], form="FILE")
for name, code in (
        ("a loop", "while True: pass"),
        ("re", "import re; re.match('(a+)+b', 'a' * 99)"),
        ("an addition of many", "sum(range(2 * 10**7))"),
        ("a multiplication", "x = 3 ** (4 * 10**6)"),
        ("a sort", "sorted(range(10**6), key=lambda n: -n % 12345.5)\nwhile True: pass")):
    on_terminal("^C in " + name, READY + code, busy=True, form="-c")
on_terminal("^\\", "import time\n" + READY + "time.sleep(600)", [QUIT])
on_terminal("^\\ with faulthandler", "import faulthandler, time\nfaulthandler.register(3)\n"
            + READY + "try: time.sleep(.3)\nfinally: print('on')", [QUIT])


def hang_up(command, code):
    home = terminal.home("jobs")
    session = terminal.Session([*command, "-c", code], {}, home)
    session.expect(b"ready\r\n")
    tap.wait_asleep(session.child.pid)
    session.hang_up()
    how = terminal.ended(session.child)
    return how, {name: lib.read(os.path.join(home, name)) for name in os.listdir(home)}


each("the terminal hangs up", hang_up, "import time\n" + READY + "time.sleep(600)")
each("the terminal hangs up, a handler", hang_up, "import signal, sys, time\n"
     "def h(n, f): open('file', 'w').write(str(n)); sys.exit(4)\nsignal.signal(1, h)\n"
     + READY + "time.sleep(600)")
each("the terminal hangs up, at input()", hang_up, "import signal\nsignal.signal(1, "
     "signal.SIG_IGN)\n" + READY + "input()")
each("the terminal hangs up, print()", hang_up, "import signal, time\nsignal.signal(1, "
     "signal.SIG_IGN)\n" + READY + "time.sleep(.2)\nprint('x')")


# ------------------------------------------------------------ shells
PROMPT = b"bash: "
AGAIN = b"\"${P[@]}\"\r\n"	# the job's name, by fg


def shell(command, *steps):
    """An interactive bash with job control; $P is the program. A step is what to
    type and how the answer ends; a function is called with the session."""
    home = terminal.home("jobs")
    os.mkfifo(home + "/go")
    lib.write(home + "/rc", "PS1='bash: '; P=(%s)\n" % " ".join(command))
    session = terminal.Session(["bash", "--rcfile", "rc", "--noediting", "-i"],
                               {"TERM": "xterm"}, home)
    session.expect(PROMPT)
    for what, answer in [*steps, (b"exit 5\n", None)]:
        if callable(what):
            what(session)
            continue
        session.send(what)
        if answer == AGAIN:
            session.expect_keys(answer, lambda painted: AGAIN in painted)
        elif answer == PRIMARY and IN_PYTHON:
            session.expect_prompt(answer)
        elif answer:
            session.expect(answer)
    how, text = session.close()
    if IN_PYTHON and any(step[1] == PRIMARY for step in steps):
        text = "\n".join(terminal.screen(text)).encode()
    text = re.sub(rb"\[1\] \d+", b"[1] PID", text)
    return how, text, sorted(os.listdir(home))


def is_stopped(pid):
    with open("/proc/%s/stat" % pid) as file:
        return file.read().rpartition(")")[2].split()[0] == "T"


def state(letter):
    """Until every child of the shell is stopped, or sleeps: all of a pipeline,
    since python3 that has not called sleep yet would not be woken from it."""
    def wait(session):
        pid = session.child.pid
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            children = file.read().split()
        if not children:
            raise tap.Failed("the shell has no child")
        for child in children:
            while not (tap.is_asleep(int(child)) if letter == "S" else is_stopped(child)):
                os.sched_yield()
    return wait, None


def go(session):
    """Not by the shell, which would tell of its job's stop now or later."""
    with open("/proc/%d/cwd/go" % session.child.pid, "w") as fifo:
        fifo.write("go\n")


S, T = state("S"), state("T")
STATUS = (b"echo $?\n", PROMPT)
SLEEP = b"\"${P[@]}\" -c 'import time; print(\"ready\", flush=True); time.sleep(%s)'"
INPUT = b"\"${P[@]}\" -c 'print(\"got\", input(\"what? \"))'"
HELD = b"\"${P[@]}\" -c 'import readline; print(\"got\", input(\"what? \"))'"
CHAIN = b"\"${P[@]}\" -c 'import signal; signal.signal(18, lambda n, f: print(\"continued\"));" \
    b" signal.signal(20, lambda n, f: print(\"stop\")); print(\"got\", input(\"what? \"))'"


def prompt_stopped(again):
    return [(b"\"${P[@]}\"\n", PRIMARY), (b"x = 1\n", PRIMARY), S,
            (STOP, PROMPT), *again, (b"x\n", PRIMARY), S,
            (STOP, PROMPT), *again, (b"x\n", PRIMARY), S,
            (INTERRUPT, PRIMARY), (END, PROMPT), STATUS]


# GNU readline leaves the terminal as the shell had it.
READLINE = prompt_stopped([(b"fg\n", b"\"\r\n"), S])
for name, steps in {
        "^Z and fg in sleep": [(SLEEP % b"600" + b"\n", b"ready\r\n"), S, (b"\x1a", PROMPT),
                               STATUS, (b"fg\n", b"'\r\n"), S, (INTERRUPT, PROMPT), STATUS],
        "^Z and fg in input()": [(INPUT + b"\n", b"what? "), S, (b"\x1a", PROMPT), (b"jobs\n", PROMPT),
                                 (b"fg\n", b"'\r\n"), S, (b"text\n", PROMPT), STATUS],
        "^Z and fg in readline": [(HELD + b"\n", b"what? "), (b"abc", b"abc"), S, (b"\x1a", PROMPT),
                                  (b"fg\n", b"'\r\n"), S, (b"def\n", PROMPT), STATUS],
        "^Z and bg": [(SLEEP % b".3" + b"\n", b"ready\r\n"), S, (b"\x1a", PROMPT), (b"bg\n", PROMPT),
                      (b"wait\n", PROMPT), STATUS],
        "^Z twice in the REPL":
            prompt_stopped([(b"fg\n", AGAIN)]) if IN_PYTHON else READLINE,
        "^Z twice in the REPL, which reads by readline": [
            (b"export PYTHON_BASIC_REPL=1\n", PROMPT), *READLINE],
        "a handler of SIGCONT and SIGTSTP": [(CHAIN + b"\n", b"what? "), S, (b"\x1a", b"stop\r\n"),
                                             S, (b"text\n", PROMPT), STATUS],
        "input() in the background": [
            (b"(read x <go; exec \"${P[@]}\" -c 'print(\"got\", input())') &\n", PROMPT),
            (go, None), T, (b"jobs -s\n", PROMPT), (b"fg\n", b"' )\r\n"), (b"text\n", PROMPT),
            STATUS],
        "^C of a background job": [(SLEEP % b".3" + b" >out &\n", PROMPT), (INTERRUPT, PROMPT),
                                   (b"wait\n", PROMPT), (b"cat out\n", PROMPT)],
        "^C of a pipeline": [(SLEEP % b"600" + b" | cat\n", b"ready\r\n"), S, (INTERRUPT, PROMPT),
                             (b"echo ${PIPESTATUS[@]}\n", PROMPT)],
        "^C of a loop": [(b"for n in 1 2; do " + SLEEP % b"600" + b"; echo next; done\n",
                          b"ready\r\n"), S, (INTERRUPT, PROMPT), STATUS],
        "^C of a loop where it is caught": [
            (b"for n in 1 2; do " + (SLEEP % b"600").replace(
                b"time.sleep(600)", b"\ntry: time.sleep(600)\nexcept KeyboardInterrupt: pass")
             + b"; echo next; done\n", b"ready\r\n"), S, (INTERRUPT, b"ready\r\n"), S,
            (INTERRUPT, PROMPT), STATUS],
        "^\\": [(b"ulimit -c 0\n", PROMPT), (SLEEP % b"600" + b"\n", b"ready\r\n"), S,
                (QUIT, PROMPT), STATUS],
        "kill": [(SLEEP % b"600" + b" >out &\n", PROMPT), S,
                 (b"kill %1; wait %1; echo $?\n", PROMPT)],
        "nohup": [(b"nohup \"${P[@]}\" -c 'import signal; print(signal.getsignal(1), "
                   b"signal.getsignal(2).__name__); raise SystemExit(3)'\n", PROMPT), STATUS,
                  (b"cat nohup.out\n", PROMPT)],
        }.items():
    each("a shell: " + name, shell, *steps)


def not_interactive(command, script):
    """`&` in a shell without job control: SIGINT and SIGQUIT are ignored."""
    return lib.run(["sh", "-c", script, "sh", *command], env={"CODE": (
        "import os, signal, sys\nprint(signal.getsignal(2), signal.getsignal(3))\n"
        "os.kill(os.getpid(), 2); print('on', sys.stdin.isatty(), os.getpgid(0) == os.getpid())\n"
        "signal.signal(2, signal.default_int_handler)\nos.kill(os.getpid(), 2)")})


each("sh -c '... &'", not_interactive, '"$@" -c "$CODE" & wait $!; echo $?')
each("sh -c 'trap ...'", not_interactive, 'trap "" INT HUP; "$@" -c "$CODE"; echo $?')
each("sh -c '$(...)'", not_interactive, 'x=$("$@" -c "$CODE"); echo $? "$x"')


# ------------------------------------------------------------ pipelines
def pipeline(command, code):
    script = '"$@" -c "$CODE" | head -1; echo ${PIPESTATUS[@]}'
    got = lib.run(["bash", "-c", script, "bash", *command], env={"CODE": code})
    return got


for name, code in {"print": "for n in range(200000): print(n)",
                   "write": "import sys\nwhile True: sys.stdout.write('x' * 99 + '\\n')",
                   "SIG_DFL": "import signal\nsignal.signal(13, signal.SIG_DFL)\n"
                              "while True: print('x')"}.items():
    each("| head -1: " + name, pipeline, code)
tap.done()
