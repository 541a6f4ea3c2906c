#!/usr/bin/python3
"""What programs share by descriptors: a file's offset between a shell and its
children, pipes of many megabytes, ends that don't block, devices that are full,
streams of which half is a terminal. Output, status and offsets are python3's."""
import os
import socket
import statistics
import subprocess
import sys
import threading

import lib
sys.path.insert(0, lib.ROOT + "/tests")
from memory import held, sizes
import tap
import terminal

TARGETS = terminal.targets()


def each(name, function, *args, targets=TARGETS):
    terminal.each(targets, name, function, *args)


# ------------------------------------------------------------ a shared offset
FILE = b"".join(b"line %d of the file\n" % n for n in range(3000))


def shared(command, script, env=None):
    """A shell script with the file as its stdin; $@ is the program."""
    place = terminal.home("streams")
    lib.write(place + "/file", FILE)
    lib.write(place + "/script.py", "print(input())\n")
    lib.write(place + "/program", "print(1)\nimport sys\nprint(sys.stdin.readline())\n"
              "print('end'); sys.stdout.flush()\nraise SystemExit(3)\nrest\n" + "more\n" * 3000)
    return lib.run(["sh", "-c", script, "sh", *command], cwd=place, env=env)


LEFT = "; echo $?; cat | cksum"
for name, script in {
        "input()": '("$@" -c "input()"%s) <file',
        "input() thrice": '("$@" -c "input(); print(input(), input())"%s) <file',
        "readline()": '("$@" -c "import sys; sys.stdin.readline()"%s) <file',
        "read(5)": '("$@" -c "import sys; sys.stdin.read(5)"%s) <file',
        "buffer.read(5)": '("$@" -c "import sys; sys.stdin.buffer.read(5)"%s) <file',
        "buffer.raw.read(5)": '("$@" -c "import sys; sys.stdin.buffer.raw.read(5)"%s) <file',
        "os.read()": '("$@" -c "import os; os.read(0, 5)"%s) <file',
        "read()": '("$@" -c "import sys; print(len(sys.stdin.read()))"%s) <file',
        "a loop that breaks": '("$@" -c "import sys\nfor l in sys.stdin: break"%s) <file',
        "tell() and seek()": '("$@" -c "import sys; s = sys.stdin; s.readline(); print(s.tell());'
                             ' s.seek(40); print(s.readline(), s.tell())"%s) <file',
        "nothing": '("$@" -c pass%s) <file',
        "after the shell's read": '(read x; "$@" -c "print(input())"%s) <file',
        "twice": '("$@" -c "print(input())"; "$@" -c "print(input())"%s) <file',
        "a script": '("$@" script.py%s) <file',
        "an exception": '("$@" -c "input(); 1/0" 2>/dev/null%s) <file',
        "os._exit": '("$@" -c "import os; input(); os._exit(4)"%s) <file',
        "a signal": '("$@" -c "import os; input(); os.kill(os.getpid(), 9)"%s) <file',
        "a child": '("$@" -c "import subprocess, sys; sys.stdin.read(3);'
                   ' subprocess.run([\'head\', \'-c\', \'5\'])"%s) <file',
        "a fork": '("$@" -c "import os; input(); os.fork() or os._exit(0); os.wait()"%s) <file',
        "exec": '("$@" -c "import os; input(); os.execlp(\'wc\', \'wc\', \'-c\')"%s) <file',
        "closed": '("$@" -c "import sys; input(); sys.stdin.close()"%s) <file',
        "a program": '("$@" 2>&1%s) <program',
        "a program, -": '("$@" - a b%s) <program',
        "a program behind the shell's read": '(read x; "$@"%s) <program',
        "a program twice": '("$@" -c "input()"; "$@"%s) <program',
        "a program that ends early": '("$@"%s; "$@" 2>&1) <program',
        "a file for both": '("$@" -c "print(input())"%s) <>file >&0; cksum file',
        "appending": '("$@" -c "print(input())"; echo x; "$@" -c "print(2)") <file >>file;'
                     ' cksum file',
        "stdout at an offset": '(echo 1; "$@" -c "print(2)"; echo 3; "$@" -c "import sys;'
                               ' sys.stdout.seek(0, 2); print(4, sys.stdout.tell())"; echo 5)'
                               ' <file >out; cat out',
        }.items():
    each("a shared file: " + name, shared, script.replace("%s", LEFT))
each("a pipe that is shared", shared, 'cat file | (read x; "$@" -c "import os; '
     'print(os.read(0, 3))"; wc -c)')
each("a program on a pipe that is shared", shared,
     '(echo "import os; print(os.read(0, 99))"; echo rest) | "$@"; echo $?')
each("a pipe and a script that reads on", shared,
     '(echo "import sys"; echo "print(sys.stdin.read())"; echo text) | "$@" -')


# ------------------------------------------------------------ much of it
BYTES = bytes(range(256)) * (3 << 12)	# 3 MB


def filtered(command, code, make):
    ours, theirs = make()
    other, out = make()
    child = subprocess.Popen([*command, "-c", code], env=lib.ENV, stdin=theirs, stdout=out,
                             stderr=subprocess.PIPE, cwd=lib.WORK)
    os.close(theirs)
    os.close(out)

    def write():
        with os.fdopen(ours, "wb") as file:
            try:
                file.write(BYTES)
                file.flush()
            except BrokenPipeError:
                pass
    thread = threading.Thread(target=write)
    thread.start()
    with os.fdopen(other, "rb") as file:
        got = file.read()
    err = child.stderr.read()
    child.stderr.close()
    thread.join()
    return terminal.ended(child), len(got), hash(got), err


def pipe_to():
    read, write = os.pipe()
    return write, read


def through(kind):
    """Two pairs of ends: (ours, the program's), in that order for each."""
    turn = []

    def make():
        turn.append(0)
        if kind == "sockets":
            a, b = socket.socketpair()
            a, b = a.detach(), b.detach()
        elif len(turn) % 2:
            b, a = os.pipe()
        else:
            a, b = os.pipe()
        return a, b
    return make


for name, code in {
        "read and write": "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())",
        "shutil": "import shutil, sys; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)",
        "raw": "import sys\nr, w = sys.stdin.buffer.raw, sys.stdout.buffer.raw\n"
               "while d := r.read(70000):\n    while d: d = d[w.write(d):]",
        "lines": "import sys\nfor l in sys.stdin.buffer: sys.stdout.buffer.write(l)",
        "text": "import sys\nsys.stdin.reconfigure(encoding='latin-1', newline='')\n"
                "sys.stdout.reconfigure(encoding='latin-1', newline='')\n"
                "sys.stdout.write(sys.stdin.read())",
        "a part": "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read(100000))",
        "os": "import os\nwhile d := os.read(0, 1 << 20):\n    while d: d = d[os.write(1, d):]",
        }.items():
    for kind in "pipes", "sockets":
        if kind == "sockets" and name not in ("read and write", "raw"):
            continue
        each("3 MB through %s: %s" % (kind, name), filtered, code, through(kind))


# ------------------------------------------------------------ not blocking
def not_blocking(command, code, which):
    """stdin or stdout of a kind that doesn't block, with nobody at the other end."""
    ours, theirs = socket.socketpair() if "socket" in which else (None, None)
    if ours:
        pair = ours.detach(), theirs.detach()
    elif "stdin" in which:
        pair = pipe_to()
    else:
        pair = os.pipe()
    os.set_blocking(pair[1], False)
    ends = {"stdin" if "stdin" in which else "stdout": pair[1]}
    place = terminal.home("streams")
    with open(place + "/err", "wb") as err:
        child = subprocess.Popen([*command, "-c", code], env=lib.ENV, cwd=place, stderr=err, **{
            "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **ends})
        how = terminal.ended(child)
    os.close(pair[0])
    os.close(pair[1])
    return how, lib.read(place + "/err")


for kind in "", " of a socket":
    for name, code in {
            "input()": "input()", "read": "import sys; sys.stdin.read()",
            "buffer.read": "import sys; print(sys.stdin.buffer.read(), file=sys.stderr)",
            "raw.read": "import sys; print(sys.stdin.buffer.raw.read(9), file=sys.stderr)",
            "readline": "import sys; print(sys.stdin.buffer.readline(), file=sys.stderr)"}.items():
        each("stdin that doesn't block%s: %s" % (kind, name), not_blocking, code, "stdin" + kind)
    for name, code in {
            "print": "print('x' * 10**6)", "raise": "import sys; print('x' * 10**6); 1/0",
            "write": "import sys\ntry: sys.stdout.buffer.write(b'x' * 10**6)\n"
                     "except BlockingIOError as e: print(repr(e), file=sys.stderr)",
            "small ones": "for n in range(20000): print('x' * 20)"}.items():
        each("stdout that doesn't block%s: %s" % (kind, name), not_blocking, code, "stdout" + kind)


# ------------------------------------------------------------ full devices
def redirected(command, code, where, env=None, args=()):
    return lib.shell(where, *command, *args, "-c", code, env=env,
                     cwd=terminal.home("streams"))


def closed(command, code, where):
    place = terminal.home("streams")
    got = lib.shell(where, *command, *(["-c", code] if code else []), cwd=place,
                    stdin=b"print(1)\n1/0\n")
    return got, {name: terminal.plain(lib.read(os.path.join(place, name)))
                 for name in sorted(os.listdir(place))}


def those(where, *names):
    """Not where a frozen module holds a stream that is closed: plain python3 runs."""
    return {name: TARGETS[name] for name in names
            if not ("2>&-" in where and name.startswith("stdlib"))}


for where in "exec >/dev/full", "exec 2>/dev/full", "exec >/dev/full 2>&1", \
        "exec >&- 2>/dev/full", "exec >/dev/full 2>&-":
    for name, code in {
            "print": "print('x')", "flush": "print('x', flush=True)",
            "much": "for n in range(9999): print(n)", "stderr": "import sys; sys.stderr.write('x')",
            "buffer": "import sys; sys.stdout.buffer.write(b'x')",
            "raw": "import sys; sys.stdout.buffer.raw.write(b'x')", "os.write": "import os; os.write(1, b'x')",
            "exit 3": "import sys; print('x'); sys.exit(3)", "exit text": "import sys; sys.exit('x')",
            "raise": "print('x'); 1/0", "atexit": "import atexit; atexit.register(print, 'x')",
            "thread": "import threading; threading.Thread(target=print, args=('x',)).start()",
            "hook": "import sys; sys.excepthook = lambda *a: print('x'); 1/0",
            "closed": "import sys; print('x')\ntry: sys.stdout.close()\nexcept OSError: pass",
            "caught": "try: print('x', flush=True)\nexcept OSError as e: print(e)",
            "warning": "import warnings; warnings.warn('x')",
            "__del__": "class D:\n    def __del__(self): print('x')\nd = D()",
            "another": "import sys; sys.stdout = open('file', 'w'); print('x')",
            }.items():
        each("%s: %s" % (where[5:], name), redirected, code, where,
             targets=those(where, "bare, kernel", "stdlib, pyimage"))

# stdio.py has one or all of them closed.
for where in "exec <&- >&-", "exec <&- 2>&-", "exec >&- 2>&-":
    for name, code in {
            "told": "import sys; open('told', 'w').write(repr((sys.stdin, sys.stdout, sys.stderr,"
                    " sys.__stdin__, sys.__stdout__, sys.__stderr__)))",
            "used": "import sys\nprint(1)\nprint(2, file=sys.stderr)\ninput()",
            "taken": "import os, sys\nf, g = open('a', 'w'), open('b', 'w')\n"
                     "print(f.fileno(), g.fileno(), file=f); print(1)\n"
                     "os.system('echo child; echo error >&2'); 1/0"}.items():
        each("%s: %s" % (where[5:], name), closed, code, where, targets=those(where, *TARGETS))
    each("%s: stdin" % where[5:], closed, None, where, targets=those(where, *TARGETS))


# ------------------------------------------------------------ half a terminal
def half(command, where, args=(), env=()):
    home = terminal.home("streams")
    return home, terminal.Session(
        ["sh", "-c", 'exec "$@" ' + where, "sh", *command, *args],
        {"TERM": "xterm", **dict(env)}, home,
        output=home + "/out" if ">out" in where else None)


def halved(command, where, args, prompt, line, env=()):
    """Standard streams of which only some are the terminal. The prompt is the
    terminal's, or a file's; then the program is asleep when it waits."""
    home, session = half(command, where, args, env)
    if prompt:
        session.expect(prompt)
    session.send(line)
    if prompt == terminal.PRIMARY:	# else ^D may come while readline is off
        session.expect(prompt)
    session.send(b"\x04")
    how, text = session.close()
    return how, text, {name: lib.read(os.path.join(home, name))
                       for name in sorted(os.listdir(home))}


def half_painted(command, where, line):
    """python3's prompt in Python goes to stdout, whatever that is."""
    home, session = half(command, where)
    session.expect_prompt(terminal.PRIMARY)
    session.send(line)
    session.expect_prompt(terminal.PRIMARY)
    session.send(b"\x04")
    how, text = session.close()
    return how, terminal.screen(text), {
        name: terminal.screen(lib.read(os.path.join(home, name)))
        for name in sorted(os.listdir(home))}


ASK = "import sys\nprint(input('what? '), [s.isatty() for s in (sys.stdin, sys.stdout," \
      " sys.stderr)])\nprint(repr(sys.stdin.read()))"
for where, prompt in ((">out", b""), ("2>err", b""), (">out 2>err", b""),
                      ("</dev/null", b""), ("</dev/null 2>err", b""), ("| cat", b"what? ")):
    each("half a terminal: %s, input()" % where, halved, where, ["-c", ASK], prompt,
         b"" if "null" in where else b"text\n")
TOLD = b"import sys; sys.ps1, sys.stdin.isatty(), 'readline' in sys.modules\n"
for where, prompt in ((">out", b">>> "), ("2>err", b">>> "), (">out 2>err", b"")):
    each("half a terminal: %s, a prompt" % where, halved, where, [], prompt,
         TOLD, {"PYTHON_BASIC_REPL": "1"})
    if terminal.IN_PYTHON:
        each("half a terminal: %s, a prompt in Python" % where, half_painted, where, TOLD)


# ------------------------------------------------------------ what they cost
def private(before):
    """kB that are an image's own at its end, where errors go to a file behind this."""
    with open(os.path.join(terminal.home("streams"), "log"), "wb", buffering=0) as log:
        log.write(before)
        with held.held([lib.image("bare"), "-c", "pass"], lib.ENV, errors=log) as pid:
            return sizes.sums(pid)["anonymous"]


@tap.test
def a_log_that_others_wrote_to_costs_no_pages():
    empty, begun = ([private(text) for _ in range(7)] for text in (b"", b"another's line\n"))
    tap.that(abs(statistics.median(begun) - statistics.median(empty)) <= 20, (empty, begun))


tap.done()
