#!/usr/bin/python3
"""What programs share by descriptors: a file's offset between a shell and its
children, pipes of many megabytes, ends that don't block, full devices, locales
and encodings. Output, status and offsets are python3's."""
import functools
import os
import re
import socket
import subprocess
import threading

import lib
import tap
import terminal

TARGETS = terminal.targets()
ADDRESS = re.compile(rb"0x[0-9a-f]{6,16}")


def each(name, function, *args, targets=TARGETS):
    want = function([lib.PYTHON], *args)
    for target, command in targets.items():
        tap.run("%s (%s)" % (name, target), lambda: compare(function(command, *args), want))


def compare(got, want):
    if got != want:
        raise tap.Failed("it is\n  %.2000r, not\n  %.2000r" % (got, want))


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
    return got, {name: ADDRESS.sub(b"0x...", lib.read(os.path.join(place, name)))
                 for name in sorted(os.listdir(place))}


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
             targets={"bare, kernel": TARGETS["bare, kernel"],
                      "stdlib, pyimage": TARGETS["stdlib, pyimage"]})

# stdio.py has one or all of them closed.
for where in "exec <&- >&-", "exec <&- 2>&-", "exec >&- 2>&-":
    for name, code in {
            "told": "import sys; open('told', 'w').write(repr((sys.stdin, sys.stdout, sys.stderr,"
                    " sys.__stdin__, sys.__stdout__, sys.__stderr__)))",
            "used": "import sys\nprint(1)\nprint(2, file=sys.stderr)\ninput()",
            "taken": "import os, sys\nf, g = open('a', 'w'), open('b', 'w')\n"
                     "print(f.fileno(), g.fileno(), file=f); print(1)\n"
                     "os.system('echo child; echo error >&2'); 1/0"}.items():
        each("%s: %s" % (where[5:], name), closed, code, where)
    each("%s: stdin" % where[5:], closed, None, where)

# ------------------------------------------------------------ locales
SPEAK = """
import locale, os, sys
print(locale.setlocale(locale.LC_ALL), locale.getpreferredencoding(), sys.flags.utf8_mode)
print(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors(), ascii(sys.argv))
for s in sys.stdin, sys.stdout, sys.stderr: print(s.encoding, s.errors, s.line_buffering)
print(ascii(sys.stdin.readline()), ascii(os.fsdecode(b'\\xe4\\xff')), open(0).encoding)
for text in 'ascii', '\\xe4', '\\u20ac', '\\udce4', '\\ud800':
    for stream in sys.stdout, sys.stderr:
        try: print(text, file=stream, flush=True)
        except UnicodeEncodeError as e: print('error', e.reason)
print(os.listdir())
raise ValueError('\\xe4 \\u20ac \\udce4')
"""


def speaks(command, env, before=(), args=()):
    place = terminal.home("streams")
    lib.write(os.fsencode(place) + b"/\xe4", b"")
    got = lib.run([*before, *command, *args, "-c", SPEAK, b"\xe4", "ä"], env=env, cwd=place,
                  stdin=b"\xe4 \xc3\xa4 \xff\n")
    return got._replace(err=ADDRESS.sub(b"0x...", got.err))


MADE = {"en_US.ISO-8859-1": ("en_US", "ISO-8859-1"), "de_DE@euro": ("de_DE@euro", "ISO-8859-15")}


@functools.lru_cache(None)
def made_locales():
    """A folder of locales, and what to put before a command that is to see it as
    the system's: LOCPATH would be no locale of an image's."""
    if os.getuid():
        raise tap.Skip("optional: only root can mount")
    folder = lib.folder("locales")
    for name, (source, charmap) in MADE.items():
        got = lib.run(["localedef", "--no-archive", "-i", source, "-f", charmap,
                       os.path.join(folder, name)])
        if got.status > 1:	# 1: warnings
            raise tap.Skip("optional: localedef: %s" % got.err.decode())
    before = ["unshare", "-m", "sh", "-c",
              'mount --bind "$0" /usr/lib/locale && exec "$@"', folder]
    if lib.run([*before, "true"]).status:
        raise tap.Skip("optional: mount is refused here")
    return before


def of_locale(env, before):
    """An image that was built in a locale, in it and out of it."""
    env = {"LC_ALL": None, "LANG": None, "PYIMAGE": None, **env}
    path = os.path.join(lib.folder("locale"), "image")
    built = lib.run([*before, lib.PYDUMP, "build", "-o", path], env=env)
    tap.equal(built.status, 0, built.err.decode())
    for way, command in lib.WAYS.items():
        compare(speaks(command(path), {**env, "PYIMAGE": "on"}, before),
                speaks([lib.PYTHON], env, before))
    other = {"LC_ALL": "C.UTF-8", "PYIMAGE": "auto"}
    compare(speaks([path], other, before), speaks([lib.PYTHON], other, before))


for env in {}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX"}, {"LANG": "C.UTF-8"}, \
        {"LC_ALL": "C.utf8"}, {"LANG": "no_SUCH.UTF-8"}:
    tap.run("a locale of the image's: %s" % env, of_locale, env, [])
for name, variable in zip(MADE, ("LC_ALL", "LANG")):
    tap.run("a locale of the image's: %s=%s" % (variable, name),
            lambda: of_locale({variable: name}, made_locales()))
for env in {"LANG": "C"}, {"LANG": "C.UTF-8"}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX"}, \
        {"LC_CTYPE": "POSIX"}, {"LC_ALL": "en_US.UTF-8"}:
    each("a locale: %s" % env, speaks, {"PYIMAGE": "auto", **env},
         targets={"bare, kernel": TARGETS["bare, kernel"]})

# ------------------------------------------------------------ options
BUFFERS = ("import os, sys\nprint('out', end=''); sys.stderr.write('err')\n"
           "os.write(1, b'|'); os.write(2, b'|')\n"
           "print(sys.stdout.line_buffering, sys.stdout.write_through, sys.stdout.buffer,"
           " sys.stdin.buffer, sys.flags)\nprint(input())\nos._exit(0)\n")


def optional(command, args, env, stdin=b"line\nrest\n"):
    place = terminal.home("streams")
    lib.write(place + "/startup.py", "print('started'); 1/0\n")
    lib.write(place + "/script.py", BUFFERS.replace("os._exit(0)", "x = 5; 1/0"))
    got = lib.run([*command, *args], env=env, cwd=place, stdin=stdin)
    return got.status, ADDRESS.sub(b"0x...", got.out), ADDRESS.sub(b"0x...", got.err)


for encoding in "utf-8", "latin-1", "ascii", ":ignore", ":replace", "ascii:backslashreplace", \
        "utf-16", "no-such", "latin-1:no-such", ":", "utf-8:", "cp1252:xmlcharrefreplace":
    each("PYTHONIOENCODING=" + encoding, speaks,
         # where there is no such codec python3 says so itself
         {"PYTHONIOENCODING": encoding, "PYIMAGE": "auto" if encoding == "no-such" else "on"})
for args in ["-u"], ["-q"], ["-i"], ["-qi"], ["-ui"], ["-iu"]:
    each("%s and -c" % args, optional, [*args, "-c", BUFFERS], {})
    each("%s and FILE" % args, optional, [*args, "script.py"], {})
    each("%s and stdin" % args, optional, args, {}, b"print(1)\n1/0\nprint(2)\n")
    each("%s and -" % args, optional, [*args, "-"], {}, b"print(1)\nimport sys\nsys.exit(4)\n")
for name, value in (("PYTHONUNBUFFERED", "1"), ("PYTHONINSPECT", "1"),
                    ("PYTHONSTARTUP", "startup.py"), ("PYTHONSTARTUP", "no-such")):
    each("%s=%s and -c" % (name, value), optional, ["-c", BUFFERS], {name: value})
    each("%s=%s and FILE" % (name, value), optional, ["script.py"], {name: value})
    each("%s=%s and stdin" % (name, value), optional, [], {name: value}, b"print(1)\n1/0\n")


# What needs a terminal: the prompt after a program, the startup file, its errors.
def inspected(command, args, env, lines):
    home = terminal.home("streams")
    lib.write(home + "/startup.py", "print('started'); began = 1\n")
    lib.write(home + "/wrong.py", "began = 2\n1/0\n")
    lib.write(home + "/syntax.py", "began = = 2\n")
    lib.write(home + "/script.py", "x = 5\nprint('here')\ndef f(): 1/0\nif x: f()\n")
    lib.write(home + "/ends.py", "x = 6\nraise SystemExit(3)\n")
    session = terminal.Session([*command, *args], env, home)
    for line in lines:
        session.expect(terminal.PRIMARY)
        session.send(line)
    how, text = session.close()
    return how, ADDRESS.sub(b"0x...", text), os.path.exists(home + "/.python_history")


GLOBALS = b"sorted(globals()), __name__\n"
END = [GLOBALS, b"import sys; sys.flags, sys.argv, hasattr(sys, 'last_value')\n", b"\x04"]
for args in (["-i", "script.py"], ["-i", "ends.py"], ["-i", "-c", "x = 7"], ["-i", "-c", "1/0"],
             ["-i", "-m", "script"], ["-i", "no-such.py"], ["-q"], ["-i"], ["-qi", "-"], ["-u"]):
    each("on a terminal: %s" % args, inspected, args, {}, END)
for name in "startup.py", "wrong.py", "syntax.py", "no-such.py":
    each("on a terminal: PYTHONSTARTUP=%s" % name, inspected, [], {"PYTHONSTARTUP": name},
         [b"began\n", *END])
each("on a terminal: PYTHONSTARTUP and -i", inspected, ["-i", "script.py"],
     {"PYTHONSTARTUP": "startup.py"}, [b"began\n", *END])
each("on a terminal: PYTHONINSPECT", inspected, ["script.py"], {"PYTHONINSPECT": "1"}, END)
each("on a terminal: set by the program", inspected,
     ["-c", "import os; os.environ['PYTHONINSPECT'] = '1'; x = 8"], {}, END)


# ------------------------------------------------------------ half a terminal
def halved(command, where, args, prompt, line):
    """Standard streams of which only some are the terminal. The prompt is the
    terminal's, or a file's; then the program is asleep when it waits."""
    home = terminal.home("streams")
    session = terminal.Session(["sh", "-c", 'exec "$@" ' + where, "sh", *command, *args],
                               {"TERM": "xterm"}, home)
    if prompt:
        session.expect(prompt)
    session.send(line)
    session.send(b"\x04")
    how, text = session.close()
    return how, text, {name: lib.read(os.path.join(home, name))
                       for name in sorted(os.listdir(home))}


ASK = "import sys\nprint(input('what? '), [s.isatty() for s in (sys.stdin, sys.stdout," \
      " sys.stderr)])\nprint(repr(sys.stdin.read()))"
for where, prompt in ((">out", b""), ("2>err", b""), (">out 2>err", b""),
                      ("</dev/null", b""), ("</dev/null 2>err", b""), ("| cat", b"what? ")):
    each("half a terminal: %s, input()" % where, halved, where, ["-c", ASK], prompt,
         b"" if "null" in where else b"text\n")
for where, prompt in ((">out", b">>> "), ("2>err", b">>> "), (">out 2>err", b"")):
    each("half a terminal: %s, a prompt" % where, halved, where, [], prompt,
         b"import sys; sys.ps1, sys.stdin.isatty(), 'readline' in sys.modules\n")
tap.done()
