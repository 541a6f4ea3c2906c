#!/usr/bin/python3
"""pydump build -e ENTRY: the image is that program, as python3 runs it, in each
way and where it falls back; and what is no entry is refused."""
import json
import os
import re

import lib
from tap import done, equal, run, test, that

TOP = lib.folder("entry")
HOME = os.path.join(TOP, "home")
OUT = lib.folder("entry-images")
ADDRESS = re.compile(rb"0x[0-9a-f]{6,}")

PROBE = """
import sys
print(sys.argv, sys.orig_argv, sys.path, sys.flags)
print(sorted((k, repr(v)) for k, v in globals().items() if k != 'PROBE'))
print(__name__, repr(__spec__), __loader__.__class__)
def goodbye():
    print('its names are there')
class Last:
    def __del__(self):
        goodbye()
last = Last()
what = sys.argv[1] if len(sys.argv) > 1 else ''
if what == 'raise':
    raise ValueError('on purpose')
if what == 'exit':
    sys.exit('bye')
if what == 'status':
    sys.exit(7)
if what == 'stdin':
    print(sys.stdin.read().upper())
if what == 'frame':
    frame = sys._getframe()
    while frame:
        print(frame.f_code.co_filename, frame.f_code.co_name, frame.f_lineno)
        frame = frame.f_back
if what == 'interrupt':
    raise KeyboardInterrupt
if what == 'hook':
    sys.excepthook = lambda *error: print('hook', globals().get('__file__'))
    raise ValueError('on purpose')
if what == 'helper':
    import helper
    print(helper.__name__, helper.__file__)
print('runpy' in sys.modules)
"""
FUNCTION = "def start():\n" + "".join("    %s\n" % line for line in PROBE.splitlines()) + """
class Kind:
    call = staticmethod(start)
number = 6
"""
ARGUMENTS = [(), ("raise",), ("exit",), ("status",), ("stdin",), ("frame",), ("interrupt",), ("hook",),
             ("helper",), ("-c", "pass"), ("--version",), ("-V",), ("-",), ("-O", "--", "a b", "")]

os.mkdir(HOME)
SITE = os.path.join(TOP, "site")
for path, text in {
        "plain.py": PROBE, "warns.py": "'' is 1\n" + PROBE, "helper.py": "",
        "latin.py": "# coding: latin-1\nprint('\u00e9')\n" + PROBE,
        "site/probemod.py": PROBE, "site/probepkg/__init__.py": "",
        "site/probepkg/__main__.py": PROBE, "site/probepkg/part.py": PROBE,
        "site/eager/__init__.py": "import eager.part\n", "site/eager/part.py": FUNCTION + "if __name__ == '__main__':\n    start()\n",
        "site/calls.py": FUNCTION, "site/empty/__init__.py": "",
        "site/raises.py": "raise OSError('at import')\n",
        "folder/__main__.py": PROBE, "notpython.py": "a b\n", "nul.py": "pass\0\n",
        "shell": "#!/bin/sh\necho\n", "envshell": "#!/usr/bin/env bash\necho\n"}.items():
    path = os.path.join(TOP, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="latin-1" if "latin" in path else None) as file:
        file.write(text)
PLAIN = os.path.join(TOP, "plain.py")
os.symlink("plain.py", os.path.join(TOP, "linked"))
KEEP = ["--keep-env", "PYTHONPATH=" + SITE]
CALL = ("import sys; '' in sys.path and sys.path.remove(''); sys.argv[0] = '%s'; "
        "from calls import %s; sys.exit(%s())")

# name: (ENTRY, other options, what python3 gets)
ENTRIES = {
    "script": (PLAIN, [], [PLAIN]),
    "link": (TOP + "/linked", [], [TOP + "/linked"]),
    "isolated": (PLAIN, ["--python-option=-I"], ["-I", PLAIN]),
    "unbuffered": (PLAIN, ["--python-option=-u"], ["-u", PLAIN]),
    "optimised": (PLAIN, ["--python-option=-OO"], ["-OO", PLAIN]),
    "warns": (TOP + "/warns.py", [], [TOP + "/warns.py"]),
    "latin": (TOP + "/latin.py", [], [TOP + "/latin.py"]),
    "helped": (PLAIN, ["-i", "helper"], [PLAIN]),
    "folder": (TOP + "/folder", [], [TOP + "/folder"]),
    "module": ("probemod", KEEP, ["-m", "probemod"]),
    "package": ("probepkg", KEEP, ["-m", "probepkg"]),
    "part": ("probepkg.part", KEEP, ["-m", "probepkg.part"]),
    "eager": ("eager.part", KEEP, ["-m", "eager.part"]),
    "function": ("calls:start", KEEP, ["-c", CALL % ("function", "start", "start")]),
    "method": ("calls:Kind.call", KEEP, ["-c", CALL % ("method", "Kind", "Kind.call")]),
}


def image(name):
    entry, options, _ = ENTRIES[name]
    path = os.path.join(OUT, name + ".pyimage")
    got = lib.build(path, options=["-q", "-e", entry, *options], env={"HOME": HOME})
    equal((got.status, got.out, got.err), (0, b"", b""))
    return path


def once(command, arguments, env, user):
    got = lib.run([*lib.users()[user]([*command, *arguments])], stdin=b"some text\n",
                  env={"HOME": HOME, **env}, cwd=lib.WORK)
    return got.status, ADDRESS.sub(b"0x", got.out), ADDRESS.sub(b"0x", got.err)


def same(name):
    """In both ways, as each user, and where python3 runs instead."""
    path = image(name)
    plain = {"PYTHONPATH": SITE} if KEEP[0] in ENTRIES[name][1] else {}
    for n, arguments in enumerate(ARGUMENTS):
        want = once([lib.PYTHON, *ENTRIES[name][2]], arguments, plain, "root")
        for way in lib.WAYS:
            user = [*lib.users()][n % len(lib.users())]
            got = once(lib.WAYS[way](path), arguments, {"PYIMAGE": "on"}, user)
            equal(got, want, "%s, by %s as %s" % (arguments, way, user))
            if not plain:
                got = once(lib.WAYS[way](path), arguments, {"PYIMAGE": "off"}, user)
                equal(got, want, "%s, PYIMAGE=off by %s" % (arguments, way))


for name in ENTRIES:
    run("is what python3 runs: " + name, same, name)


def interpreter(name, options):
    path = os.path.join(OUT, name + ".pyimage")
    program = "import sys; print(sys.argv, sys.orig_argv, __name__, 'PROBE' in globals())"
    want = lib.run([lib.PYTHON, *options, "-c", program, "a"])
    for way in lib.WAYS:
        for mode in "on", "off":
            got = lib.run([*lib.WAYS[way](path), "-c", program, "a"],
                          env={"PYIMAGE": mode, "PYIMAGE_ENTRY": "off"})
            equal(got, want, "PYIMAGE=%s by %s" % (mode, way))


for name, options in ("script", []), ("optimised", ["-OO"]), ("isolated", ["-I"]):
    run("PYIMAGE_ENTRY=off is the interpreter: " + name, interpreter, name, options)


@test
def PYIMAGE_ENTRY_has_two_values():
    path = os.path.join(OUT, "script.pyimage")
    for value in "on", "":
        equal(lib.run([path], env={"PYIMAGE_ENTRY": value}).status, 0)
    for value in "OFF", "0", "junk":
        for way in lib.WAYS:
            got = lib.run([*lib.WAYS[way](path)], env={"PYIMAGE_ENTRY": value})
            equal((got.status, got.out), (2, b""))
            that(b"PYIMAGE_ENTRY" in got.err, got.err)


@test
def the_process_is_named_after_the_program():
    """It may be installed as what it is, or stand in a script's first line."""
    place = lib.folder("entry-name")
    script = lib.write(lib.folder("entry-named") + "/names",
                       "print(open('/proc/self/comm').read(), end='')\n")
    image = place + "/a-longish-name-of-it"
    equal(lib.build(image, options=["-q", "-e", script]).status, 0)
    os.symlink(image, place + "/link")
    line = lib.write(place + "/line", "#!%s\n" % image, 0o755)
    through = lib.write(place + "/through", "#!%s %s\n" % (lib.PYIMAGE, image), 0o755)
    for command, name in {(image,): "a-longish-name-", (place + "/link",): "link",
                          (lib.PYIMAGE, image): "a-longish-name-",
                          (lib.PYIMAGE, place + "/link"): "link", (image, image): "a-longish-name-",
                          (line,): "line", (through,): "through"}.items():
        equal(lib.run([*command]), (0, name.encode() + b"\n", b""), command)
    for way in lib.WAYS.values():
        equal(lib.run([*way(image), script], env={"PYIMAGE_ENTRY": "off"}),
              (0, b"python3\n", b""))


@test
def the_entry_is_not_run_by_the_build():
    script = lib.write(TOP + "/leaves.py", "open(%r, 'w')\n" % (TOP + "/left"))
    path = os.path.join(OUT, "leaves.pyimage")
    equal(lib.build(path, options=["-e", script]).status, 0)
    that(not os.path.exists(TOP + "/left"), "the build ran it")
    equal(lib.run([path]), (0, b"", b""))
    that(os.path.exists(TOP + "/left"), "the image did not run it")


@test
def the_script_is_a_guard():
    script = lib.write(TOP + "/changes.py", "print(1)\n")
    path = os.path.join(OUT, "changes.pyimage")
    equal(lib.build(path, options=["-q", "-e", script]).status, 0)
    equal(lib.run([path]), (0, b"1\n", b""))
    lib.write(script, "print(23)\n")
    for way in lib.WAYS:
        got = lib.run([*lib.WAYS[way](path)])
        equal((got.status, got.out), (70, b""))
        that(script.encode() in got.err, got.err)
        equal(lib.run([*lib.WAYS[way](path)], env={"PYIMAGE": "auto"}), (0, b"23\n", b""))


@test
def imports_see_the_program_in_argv():
    seen = lib.folder("argv") + "/seen"
    lib.write(SITE + "/looks.py", "import sys\nwith open(%r, 'w') as file:\n"
              "    file.write(sys.argv[0])\nseen = []\n" % seen)
    path = os.path.join(OUT, "argv.pyimage")
    for entry, first in (PLAIN, PLAIN), ("probemod", SITE + "/probemod.py"), \
            ("looks:seen.copy", "argv"):
        got = lib.build(path, options=["-q", "-i", "looks", "-e", entry, *KEEP])
        equal((got.status, got.err), (0, b""))
        equal(lib.read(seen).decode(), first)


@test
def a_module_beside_the_script_is_shadowed_by_none():
    """Its folder stands first in sys.path, so the folder is a guard, too."""
    top = lib.folder("entry-beside")
    script = lib.write(top + "/it.py", "import own, shelve; print(shelve.__file__)\n")
    lib.write(top + "/own.py", "")
    path = os.path.join(OUT, "beside.pyimage")
    equal(lib.run([lib.PYTHON, script]).status, 0)	# writes __pycache__
    equal(lib.build(path, options=["-q", "-i", "own", "-i", "shelve", "-e", script]).status, 0)
    equal(lib.run([path]).status, 0)
    lib.write(top + "/data.sqlite3", "")	# a program may write beside itself
    os.mkdir(top + "/.hidden")
    equal(lib.run([path]).status, 0)
    lib.write(top + "/shelve.py", "")
    equal(lib.run([path]).status, 70)
    want = lib.run([lib.PYTHON, script])
    equal(lib.run([path], env={"PYIMAGE": "auto"}), want)
    that(top.encode() in want.out, want)


@test
def a_module_in_the_working_folder_stands_before_the_entry():
    path = os.path.join(OUT, "tool.pyimage")
    equal(lib.build(path, options=["-q", "-e", "json.tool"]).status, 0)
    command, env = [lib.PYTHON, "-m", "json.tool", "--compact"], {"PYIMAGE": "auto"}
    for name, text in ("json.py", "print('json')\n"), ("json/__init__.py", "print('pkg')\n"), \
            ("json/tool.py", "print('tool')\n"), ("other.py", ""):
        top = lib.folder("entry-cwd")
        os.makedirs(os.path.dirname(os.path.join(top, name)), exist_ok=True)
        lib.write(os.path.join(top, name), text)
        want = lib.run(command, stdin=b"[1, 2]", cwd=top)
        for way in lib.WAYS.values():
            equal(lib.run([*way(path), "--compact"], stdin=b"[1, 2]", cwd=top, env=env), want)
            got = lib.run([*way(path), "--compact"], stdin=b"[1, 2]", cwd=top)
            if want.out == b"[1,2]\n":
                equal(got, want)
            else:
                equal((got.status, got.out), (70, b""))
                that(name.encode() in got.err, got.err)


@test
def a_start_does_not_read_the_script():
    """Another text of the same size and time is not seen, as with modules."""
    script = lib.write(TOP + "/same.py", "print(1)\n")
    path = os.path.join(OUT, "same.pyimage")
    equal(lib.build(path, options=["-q", "-e", script]).status, 0)
    status = os.stat(script)
    lib.write(script, "print(2)\n")
    os.utime(script, ns=(status.st_atime_ns, status.st_mtime_ns))
    equal(lib.run([path]), (0, b"1\n", b""))


@test
def a_fallback_late_in_the_start_has_the_entry():
    """Standard input is a folder: found once libc's state is made."""
    descriptor = os.open(TOP, os.O_RDONLY)
    want = lib.run([lib.PYTHON, PLAIN, "a"], stdin_file=descriptor)
    got = lib.run([OUT + "/script.pyimage", "a"], stdin_file=descriptor,
                  env={"PYIMAGE": "auto"})
    os.close(descriptor)
    equal((got.status, ADDRESS.sub(b"", got.err)), (1, ADDRESS.sub(b"", want.err)))
    that(b"directory" in got.err, got.err)


@test
def info_shows_the_entry():
    info = lib.run([lib.PYDUMP, "info", OUT + "/script.pyimage"]).out.decode()
    that("entry     %s\n" % PLAIN in info, info)
    for name, words in ("method", ENTRIES["method"][2]), ("module", ["-m", "probemod"]):
        out = lib.run([lib.PYDUMP, "info", "--json", "%s/%s.pyimage" % (OUT, name)]).out
        found = json.loads(out)
        equal((found["entry"], found["entry_words"]), (ENTRIES[name][0], words))


# What to say, with which status, for what is no entry.
BAD = {
    "./missing.py": (1, "No such file"), TOP + "/notpython.py": (1, "SyntaxError"),
    TOP + "/nul.py": (1, "NUL"), "/bin/true": (1, "compiled program"),
    TOP + "/shell": (1, "/bin/sh"), TOP + "/envshell": (1, "bash"), "/dev/null": (1, "neither"),
    "missing_module": (1, "No module named missing_module"), "html": (1, "html.__main__"),
    "empty": (1, "empty.__main__"), "raises.sub": (1, "raises"),
    "math": (1, "No code object"), "missing_module:f": (1, "no such module"),
    "calls:missing": (1, "missing"), "calls:number": (1, "int"), "raises:f": (1, "at import"),
    "calls:Kind.missing": (1, "missing"), TOP + "/folder/../site": (1, "__main__"),
    "": (2, "--entry"), "a b": (2, "--entry"), ":f": (2, "--entry"), "m:": (2, "--entry"),
    "m:f:g": (2, "--entry"), "m:f()": (2, "--entry"), "9": (2, "--entry"), ".m": (2, "--entry"),
}


def over_its_own_script():
    path = os.path.join(lib.folder("own"), "tool.py")
    lib.write(path, "print('a script')\n")
    got = lib.build(path, options=["-q", "-e", path], env={"HOME": HOME})
    equal((got.status, got.out), (1, b""), got.err)
    that(b"which the image needs" in got.err, got.err)
    equal(lib.read(path), b"print('a script')\n")


run("an image does not take its script's place", over_its_own_script)


def refuses(entry, status, words):
    path = os.path.join(OUT, "refused.pyimage")
    got = lib.build(path, options=["-e", entry, *KEEP], env={"HOME": HOME})
    equal((got.status, got.out), (status, b""), got.err)
    that(words.encode() in got.err, got.err)
    equal([n for n in os.listdir(OUT) if "refused" in n], [], "files left")


for entry, (status, words) in BAD.items():
    run("refuses %r" % entry.replace(TOP, ""), refuses, entry, status, words)

done()
