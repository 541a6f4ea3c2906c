#!/usr/bin/python3
"""Encodings and buffers of the standard streams: images of other locales, options
and variables, the prompt behind a program. All is as plain python3 has it."""
import functools
import os

import lib
import tap
import terminal

TARGETS = terminal.targets()


def each(name, function, *args, targets=TARGETS):
    terminal.each(targets, name, function, *args)


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
    place = terminal.home("locales")
    lib.write(os.fsencode(place) + b"/\xe4", b"")
    got = lib.run([*before, *command, *args, "-c", SPEAK, b"\xe4", "ä"], env=env, cwd=place,
                  stdin=b"\xe4 \xc3\xa4 \xff\n")
    return got._replace(err=terminal.plain(got.err))


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
        terminal.compare(speaks(command(path), {**env, "PYIMAGE": "on"}, before),
                speaks([lib.PYTHON], env, before))
    other = {"LC_ALL": "C.UTF-8", "PYIMAGE": "auto"}
    terminal.compare(speaks([path], other, before), speaks([lib.PYTHON], other, before))


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
    place = terminal.home("locales")
    lib.write(place + "/startup.py", "print('started'); 1/0\n")
    lib.write(place + "/script.py", BUFFERS.replace("os._exit(0)", "x = 5; 1/0"))
    got = lib.run([*command, *args], env=env, cwd=place, stdin=stdin)
    return got.status, terminal.plain(got.out), terminal.plain(got.err)


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
    home = terminal.home("locales")
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
    return how, terminal.plain(text), os.path.exists(home + "/.python_history")


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
tap.done()
