#!/usr/bin/python3
"""Signals and jobs: what is typed on a terminal, what the parent left ignored or
blocked, faults, pipes that close, shells that stop and continue. How it ends is
compared as waitid sees it: exited, killed, by which signal, with a core or not."""
import os
import re
import resource
import signal
import subprocess

import lib
import tap
import terminal
from terminal import INTERRUPT, QUIT

ADDRESS = re.compile(rb"0x[0-9a-f]{6,16}")
# Less repairs.py, which leaves a handler of SIGUSR1 behind.
lib.SETS["modules"] = (lib.STDLIB, ["stdlib.py"])
TARGETS = terminal.targets("bare", "modules")


def each(name, function, *args, targets=TARGETS):
    want = function([lib.PYTHON], *args)
    for target, command in targets.items():
        tap.run("%s (%s)" % (name, target), lambda: tap.equal(
            function(command, *args), want, "end, output"))


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
    """The keys follow one another, each where the program says "ready"."""
    home = terminal.home("jobs")
    lib.write(home + "/script.py", code)
    args = {"-c": ["-c", code], "FILE": ["script.py"], "-m": ["-m", "script"]}[form]
    session = terminal.Session([*command, *args], {}, home, arrange=no_core)
    for key in keys:
        session.expect(b"ready\r\n")
        (wait_busy if busy else tap.wait_asleep)(session.child.pid)
        session.send(key)
    how, text = session.close()
    return how, ADDRESS.sub(b"0x...", text)


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

# ------------------------------------------------------------ how it dies
def ends(command, code, before=None):
    """Run without a terminal: how it ended, its output and the files it left."""
    home = terminal.home("jobs")

    def arrange():
        no_core()
        if before:
            before()
    with open(home + "/out", "wb") as out, open(home + "/err", "wb") as err:
        child = subprocess.Popen(
            [*command, "-c", code], env=lib.ENV, cwd=home, preexec_fn=arrange,
            stdin=subprocess.DEVNULL, stdout=out, stderr=err, restore_signals=False)
    how = terminal.ended(child)
    return how, {name: ADDRESS.sub(b"0x...", lib.read(os.path.join(home, name)))
                 for name in os.listdir(home)}


def program(name, code, before=None, targets=TARGETS):
    each(name, ends, code, before, targets=targets)


for number in range(1, signal.NSIG):
    if number not in (32, 33, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
        program("killed by signal %d" % number, "import os, signal\nprint('kept', flush=True)\n"
                "print('lost', end='')\nopen('file', 'w').write('x')\n"
                "os.kill(os.getpid(), %d)\nprint('on')" % number,
                targets={"bare, kernel": TARGETS["bare, kernel"]})
FAULTS = {
    "string_at(0)": "import ctypes\nctypes.string_at(0)",
    "_read_null": "import faulthandler\nfaulthandler._read_null()",
    "_sigsegv": "import faulthandler\nfaulthandler._sigsegv()",
    "_sigfpe": "import faulthandler\nfaulthandler._sigfpe()",
    "_sigabrt": "import faulthandler\nfaulthandler._sigabrt()",
    "_fatal_error_c_thread": "import faulthandler\nfaulthandler._fatal_error_c_thread()",
    "_stack_overflow": "import faulthandler\ntry: faulthandler._stack_overflow()\n"
                       "except RuntimeError: print('none')",
    "SIGBUS": "import mmap, os\nf = open('file', 'w+b')\nf.write(b'x')\nf.flush()\n"
              "m = mmap.mmap(f.fileno(), 1)\nf.truncate(0)\nm[0]",
    "SIGILL": "import os, signal\nos.kill(os.getpid(), signal.SIGILL)",
    "abort()": "import os\nos.abort()",
    "in a function": "import ctypes\ndef f(): ctypes.string_at(0)\ndef g(): f()\ng()",
    "in a thread": "import ctypes, threading\n"
                   "t = threading.Thread(target=ctypes.string_at, args=(0,))\nt.start()\nt.join()",
    "in atexit": "import atexit, ctypes\natexit.register(ctypes.string_at, 0)",
    "in __del__": "import ctypes\nclass D:\n    def __del__(self): ctypes.string_at(0)\nd = D()\ndel d",
}
for name, code in FAULTS.items():
    program("a fault: " + name, code)
    program("a fault with faulthandler: " + name,
            "import faulthandler\nfaulthandler.enable()\n" + code)
program("faulthandler into a file", "import faulthandler, os\nf = open('file', 'w')\n"
        "faulthandler.enable(f, all_threads=False)\nfaulthandler._sigsegv()")
program("faulthandler, enabled and not", "import faulthandler as f\nprint(f.is_enabled())\n"
        "f.enable()\nf.disable()\nf._sigsegv()")
program("faulthandler.register()", "import faulthandler as f, os, signal\n"
        "f.register(10, all_threads=False)\nf.register(12, chain=True)\n"
        "def g(): os.kill(os.getpid(), 10)\ng()\nprint(f.unregister(10), flush=True)\n"
        "os.kill(os.getpid(), 12)")
program("faulthandler.dump_traceback_later()", "import faulthandler as f, time\n"
        "f.dump_traceback_later(.05)\ndef g(): time.sleep(.1)\ng()\n"
        "f.dump_traceback_later(60)\nf.cancel_dump_traceback_later()")
program("faulthandler.dump_traceback_later(), exit", "import faulthandler, time\n"
        "faulthandler.dump_traceback_later(.05, exit=True)\ntime.sleep(600)")

# ------------------------------------------------------------ signals at run
S = "import os, signal, sys, threading, time\n"
program("signal.signal and raise_signal", S + """
for n in sorted(signal.valid_signals()):
    try: signal.signal(n, lambda n, f: print(n, f.f_lineno))
    except OSError as e: print(n, e); continue
    signal.raise_signal(n)
""")
program("alarm and setitimer", S + """
def h(n, f): print(n)
for which, n in ((signal.ITIMER_REAL, 14), (signal.ITIMER_VIRTUAL, 26), (signal.ITIMER_PROF, 27)):
    signal.signal(n, h)
    signal.setitimer(which, .02, 0)
    if n == 14: signal.pause()
    else:
        while signal.getitimer(which)[0]: pass
signal.alarm(1); print(signal.alarm(0), signal.getitimer(0))
""")
program("alarm that nobody catches", S + "signal.setitimer(0, .02); time.sleep(600)")
program("set_wakeup_fd", S + """
import select, socket
r, w = socket.socketpair(); r.setblocking(False); w.setblocking(False)
print(signal.set_wakeup_fd(w.fileno()), signal.set_wakeup_fd(w.fileno()) == w.fileno())
signal.signal(10, lambda n, f: print('handler', n))
os.kill(os.getpid(), 10); print(r.recv(9))
signal.set_wakeup_fd(-1); os.kill(os.getpid(), 10)
print(select.select([r], [], [], 0))
""")
program("pthread_kill, sigwait, sigpending", S + """
signal.pthread_sigmask(signal.SIG_BLOCK, [10, 12])
signal.pthread_kill(threading.get_ident(), 10); os.kill(os.getpid(), 12)
print(sorted(signal.sigpending()), signal.sigwait([10]), signal.sigwaitinfo([12]).si_signo)
print(signal.sigtimedwait([10], .01), sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
t = threading.Thread(target=lambda: print(signal.sigwait([12]))); t.start()
signal.pthread_kill(t.ident, 12); t.join()
""")
program("pthread_kill of the main thread by another", S + """
signal.signal(10, lambda n, f: print('handler', threading.current_thread().name))
main = threading.main_thread()
t = threading.Thread(target=lambda: signal.pthread_kill(main.ident, 10)); t.start()
signal.pause() if t.is_alive() and 0 else t.join(); print(main.native_id == os.getpid())
""")
program("siginterrupt", S + """
r, w = os.pipe()
seen = []
signal.signal(14, lambda n, f: seen.append(n))
for again in False, True:
    signal.siginterrupt(14, again)
    t = threading.Thread(target=lambda: (time.sleep(.05), os.write(w, b'x')))
    signal.setitimer(0, .01); t.start(); os.read(r, 1); t.join(); print(seen)
""")
program("SIGCHLD", S + """
seen = []
signal.signal(17, lambda n, f: seen.append(os.waitpid(-1, os.WNOHANG)[1]))
if not os.fork(): os._exit(3)
while not seen: signal.pause() if 0 else time.sleep(.01)
print(seen)
signal.signal(17, signal.SIG_IGN)
if not os.fork(): os._exit(3)
try: os.wait()
except ChildProcessError as e: print(e)
""")
program("a handler in a thread is refused", S + """
def f():
    try: signal.signal(10, signal.SIG_IGN)
    except ValueError as e: print(e)
t = threading.Thread(target=f); t.start(); t.join()
print(signal.getsignal(2), signal.strsignal(2), signal.default_int_handler)
""")
program("an exception of a handler at the end", S + """
import atexit
def h(n, f): raise ValueError('in the handler')
signal.signal(10, h)
atexit.register(os.kill, os.getpid(), 10)
""")
program("a handler that prints within a print", S + """
def h(n, f): print('handler', flush=True)
signal.signal(14, h); signal.setitimer(0, .001, .001)
for n in range(20000): print(end='')
signal.setitimer(0, 0)
print('done', file=sys.stderr)
""".replace("print('handler', flush=True)", "os.write(2, b'')"))
program("fork and signals", S + """
signal.signal(10, lambda n, f: print('handler', flush=True))
pid = os.fork()
if not pid: signal.pause() if 0 else time.sleep(.01); os.kill(os.getpid(), 10); os._exit(0)
print(os.waitpid(pid, 0)[1])
import subprocess
print(subprocess.run([sys.executable, '-c', 'import signal; print(signal.getsignal(13))'],
                     capture_output=True).stdout)
""")
program("signals of asyncio", S + """
import asyncio
async def main():
    loop, e = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(10, e.set); os.kill(os.getpid(), 10)
    await asyncio.wait_for(e.wait(), 60); print(loop.remove_signal_handler(10))
    p = await asyncio.create_subprocess_exec('sh', '-c', 'kill -9 $$'); print(await p.wait())
asyncio.run(main())
""")

# ------------------------------------------------------------ what is inherited
# glibc's own two (nptl: SIGCANCEL, SIGSETXID) are caught from the first thread on.
TELL = S + """
for line in open('/proc/self/status'):
    name, _, value = line.partition(':')
    if name in ('SigBlk', 'SigIgn', 'SigCgt', 'SigPnd', 'ShdPnd'):
        print(name, '%x' % (int(value, 16) & ~(3 << 31)))
print([(n, str(signal.getsignal(n))[:20]) for n in sorted(signal.valid_signals())
       if signal.getsignal(n) != signal.SIG_DFL])
print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), signal.getitimer(0))
"""


def ignoring(*numbers):
    return lambda: [signal.signal(n, signal.SIG_IGN) for n in numbers]


def blocking(*numbers):
    return lambda: signal.pthread_sigmask(signal.SIG_BLOCK, numbers)


INHERITED = {"nothing": lambda: None, "SIGINT": ignoring(2), "SIGHUP": ignoring(1),
             "SIGPIPE and SIGXFSZ": ignoring(13, 25), "SIGCHLD": ignoring(17),
             "all": lambda: [ignoring(n)() for n in signal.valid_signals()
                             if n not in (9, 19)]}
for name, before in INHERITED.items():
    program("ignored by the parent: " + name, TELL, before)
for numbers in (2,), (2, 10, 14, 17, 64), tuple(signal.valid_signals()):
    program("blocked by the parent: %s" % (numbers[:5],), TELL, blocking(*numbers))
program("an interrupt where it is ignored", "import os\nos.kill(os.getpid(), 2)\nprint('on')",
        ignoring(2))
program("KeyboardInterrupt where it is ignored", "raise KeyboardInterrupt", ignoring(2))
program("KeyboardInterrupt where it is blocked", "raise KeyboardInterrupt", blocking(2))
program("an interrupt that is pending", "print('on')\nimport signal\n"
        "signal.pthread_sigmask(signal.SIG_UNBLOCK, [2])\nprint('not here')",
        lambda: (blocking(2)(), os.kill(os.getpid(), 2)))
program("an alarm set by the parent", "import signal, time\nprint(signal.getitimer(0)[0] > 0,"
        " flush=True)\ntime.sleep(600)", lambda: signal.setitimer(0, .5))
program("an alarm set by the parent, caught", "import signal\n"
        "signal.signal(14, lambda n, f: print(n))\nsignal.pause()",
        lambda: signal.setitimer(0, .5))


# ------------------------------------------------------------ held by an image
def frozen_handlers():
    """A workload that enables faulthandler, on a stack of its own, and catches:
    exec drops the alternate stack (sigaltstack(2)), an import would make it."""
    place = lib.folder("jobs")
    code = ("import faulthandler, signal, sys\nfaulthandler.enable()\n"
            "faulthandler.register(12, all_threads=False)\n"
            "sys.held = signal.signal(10, lambda n, f: print('held', n, flush=True))\n")
    warmup = lib.write(place + "/warmup.py", code)
    built = lib.build(place + "/image", ["faulthandler"], [warmup])
    tap.equal(built.status, 0, built.err.decode())
    for name, program in {
            "a stack overflow": "faulthandler._stack_overflow()",
            "SIGSEGV": "faulthandler._sigsegv()",
            "a registered signal": "os.kill(os.getpid(), 12)",
            "disabled": "faulthandler.disable(); faulthandler._sigsegv()",
            "enabled again": "faulthandler.enable(); faulthandler._stack_overflow()",
            "a handler": "os.kill(os.getpid(), 10)"}.items():
        head = "exec(open(%r).read())\n" % warmup
        program = "import faulthandler, os\n" + program
        tap.equal(ends([place + "/image"], "\n" + program),
                  ends([lib.PYTHON], head + program), name)


tap.run("faulthandler and handlers that an image holds", frozen_handlers)


# ------------------------------------------------------------ pipes that close
def closes(command, code, stream):
    """The reader takes one line, and goes; then the program is told to go on."""
    ends_of = os.pipe()
    child = subprocess.Popen(
        [*command, "-c", code], env=lib.ENV, cwd=terminal.home("jobs"), stdin=subprocess.PIPE,
        stderr=ends_of[1] if stream == "err" else subprocess.PIPE,
        stdout=ends_of[1] if stream == "out" else subprocess.PIPE)
    os.close(ends_of[1])
    line = os.read(ends_of[0], 100)
    os.close(ends_of[0])
    child.stdin.write(b"on\n")
    child.stdin.close()
    how = terminal.ended(child)
    other = child.stderr if stream == "out" else child.stdout
    with other:
        return how, line, other.read()


GO = "import os, signal, sys\nos.write(%d, b'line\\n'); sys.stdin.readline()\n"
for name, code in {
        "print": "print('x')", "print and exit": "print('x'); sys.exit(3)",
        "print and raise": "print('x'); 1/0", "a loop": "while True: print('x' * 99)",
        "flush": "print('x', flush=True)", "buffer": "sys.stdout.buffer.write(b'x' * 9999)",
        "os.write": "os.write(1, b'x')", "caught": "try: print('x', flush=True)\n"
        "except BrokenPipeError as e: print(e, file=sys.stderr); sys.stdout.close()",
        "caught, at the end": "try: print('x', flush=True)\n"
        "except BrokenPipeError: os.dup2(os.open('/dev/null', 1), 1)",
        "SIG_DFL": "signal.signal(13, signal.SIG_DFL)\nprint('x', flush=True)",
        "SIG_DFL at the end": "signal.signal(13, signal.SIG_DFL)\nprint('x')",
        "atexit": "import atexit; atexit.register(print, 'x', flush=True)"}.items():
    each("stdout's reader goes: " + name, closes, GO % 1 + code, "out")
for name, code in {"print": "print('x', file=sys.stderr)", "raise": "1/0", "exit": "sys.exit('x')",
                   "warn": "import warnings; warnings.warn('x')"}.items():
    each("stderr's reader goes: " + name, closes, GO % 2 + code, "err")


def pipeline(command, code):
    script = '"$@" -c "$CODE" | head -1; echo ${PIPESTATUS[@]}'
    got = lib.run(["bash", "-c", script, "bash", *command], env={"CODE": code})
    return got


for name, code in {"print": "for n in range(200000): print(n)",
                   "write": "import sys\nwhile True: sys.stdout.write('x' * 99 + '\\n')",
                   "SIG_DFL": "import signal\nsignal.signal(13, signal.SIG_DFL)\n"
                              "while True: print('x')"}.items():
    each("| head -1: " + name, pipeline, code)


# ------------------------------------------------------------ shells
PROMPT = b"bash: "


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
        if answer:
            session.expect(answer)
    how, text = session.close()
    text = re.sub(rb"\[1\] \d+", b"[1] PID", text)
    return how, text, sorted(os.listdir(home))


def state(letter):
    """Until the shell's one child is stopped, or sleeps."""
    def wait(session):
        pid = session.child.pid
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            child = int(file.read().split()[-1])
        while True:
            with open("/proc/%d/stat" % child) as file:
                if file.read().rpartition(")")[2].split()[0] == letter:
                    return
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
for name, steps in {
        "^Z and fg in sleep": [(SLEEP % b"600" + b"\n", b"ready\r\n"), S, (b"\x1a", PROMPT),
                               STATUS, (b"fg\n", b"'\r\n"), S, (INTERRUPT, PROMPT), STATUS],
        "^Z and fg in input()": [(INPUT + b"\n", b"what? "), S, (b"\x1a", PROMPT), (b"jobs\n", PROMPT),
                                 (b"fg\n", b"'\r\n"), S, (b"text\n", PROMPT), STATUS],
        "^Z and fg in readline": [(HELD + b"\n", b"what? "), (b"abc", b"abc"), S, (b"\x1a", PROMPT),
                                  (b"fg\n", b"'\r\n"), S, (b"def\n", PROMPT), STATUS],
        "^Z and bg": [(SLEEP % b".3" + b"\n", b"ready\r\n"), S, (b"\x1a", PROMPT), (b"bg\n", PROMPT),
                      (b"wait\n", PROMPT), STATUS],
        "^Z twice in the REPL": [(b"\"${P[@]}\"\n", b">>> "), (b"x = 1\n", b">>> "), S,
                                 (b"\x1a", PROMPT), (b"fg\n", b"\"\r\n"), S, (b"x\n", b">>> "), S,
                                 (b"\x1a", PROMPT), (b"fg\n", b"\"\r\n"), S, (b"x\n", b">>> "), S,
                                 (b"\x03", b">>> "), (b"\x04", PROMPT), STATUS],
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
tap.done()
