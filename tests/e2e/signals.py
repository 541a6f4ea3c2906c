#!/usr/bin/python3
"""Signals, faults and the ends they make: what the parent left ignored, blocked
or pending, faulthandler, pipes that close. How it ends is compared as waitid
sees it: exited, killed, by which signal, with a core or not."""
import os
import re
import resource
import signal
import subprocess

import lib
import tap
import terminal

# Less repairs.py, which leaves a handler of SIGUSR1 behind.
lib.SETS["modules"] = (lib.STDLIB, ["stdlib.py"])
TARGETS = terminal.targets("bare", "modules")


def each(name, function, *args):
    terminal.each(TARGETS, name, function, *args)


def no_core():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


# ------------------------------------------------------------ how it dies
# From 3.14 on faulthandler shows the C stack, too: its outer end, where python3 has
# pymain_run_python() and in an image are the host's functions, and what of the
# interpreter's unnamed functions is before that.
OUTER = re.compile(rb"(?:  Binary file \"%s\" \[0x\.\.\.\]\n)*"
                   rb"  Binary file \"(?:[^\n]*/host-[0-9.]+\.so\"|[^\n]*, at "
                   rb"(?:PyEval_EvalCode|Py_RunMain|Py_FinalizeEx)\+)[^\n]*\n"
                   rb"(?:  Binary file [^\n]*\n)*" % re.escape(lib.PYTHON.encode()))


def ends(command, code, before=None):
    """Run without a terminal: how it ended, its output and the files it left."""
    home = terminal.home("signals")

    def arrange():
        no_core()
        if before:
            before()
    with open(home + "/out", "wb") as out, open(home + "/err", "wb") as err:
        child = subprocess.Popen(
            [*command, "-c", code], env=lib.ENV, cwd=home, preexec_fn=arrange,
            stdin=subprocess.DEVNULL, stdout=out, stderr=err, restore_signals=False)
    how = terminal.ended(child)
    return how, {name: OUTER.sub(b"", terminal.plain(lib.read(os.path.join(home, name))))
                 for name in os.listdir(home)}


def program(name, code, before=None, targets=TARGETS):
    terminal.each(targets, name, ends, code, before)


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
program("faulthandler.dump_traceback_later()", "import faulthandler, time\n"
        "faulthandler.dump_traceback_later(60)\nfaulthandler.cancel_dump_traceback_later()\n"
        "def g(): time.sleep(600)\nfaulthandler.dump_traceback_later(.05, exit=True)\ng()")
# Only of the thread: where the other one is by then nobody knows.
THREAD = "import ctypes, faulthandler, threading\n%s\n" \
         "t = threading.Thread(target=ctypes.string_at, args=(0,))\nt.start()\nt.join()"
program("a fault in a thread", THREAD % "")
program("a fault in a thread with faulthandler",
        THREAD % "faulthandler.enable(all_threads=False)")

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
        [*command, "-c", code], env=lib.ENV, cwd=terminal.home("signals"), stdin=subprocess.PIPE,
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
tap.done()
