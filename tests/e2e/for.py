#!/usr/bin/python3
"""pydump build --for -- COMMAND: the command runs once for real; the image has
what it imported, is that command, and behaves as it does."""
import json
import os
import re
import shutil

import lib
from tap import Skip, done, equal, run, test, that

TOP = lib.folder("for")
OUT = lib.folder("for-images")
SITE = os.path.join(TOP, "site")
LOG = os.path.join(TOP, "log")
os.mkdir(SITE)

FILES = {
    "first.py": "import second\n", "second.py": "", "lazily.py": "", "after.py": "",
    "pkg/__init__.py": "from pkg import inner\n", "pkg/inner.py": "",
    "space/part.py": "", "fails.py": "import second\nraise ImportError('on purpose')\n",
    "needy.py": "import sys\nif not hasattr(sys, 'made_ready'):\n    raise OSError('not ready')\n",
    "quits.py": "import sys\nif not hasattr(sys, 'made_ready'):\n    sys.exit(3)\n",
    "rewritten.py": "value = 1\n", "user_of_rewritten.py": "", "unused.py": "raise OSError\n",
    "used.py": "import after\n", "twice.py": "",
}
for name, text in FILES.items():
    path = os.path.join(SITE, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    lib.write(path, text)
os.mkdir(TOP + "/elsewhere")
lib.write(TOP + "/elsewhere/hidden.py", "")
lib.write(TOP + "/elsewhere/twice.py", "")
lib.run([lib.PYTHON, "-m", "compileall", "-q", SITE, TOP + "/elsewhere"])

ENV = ["--keep-env", "PYTHONPATH=" + SITE]


def script(name, text, line="#!/usr/bin/python3"):
    text = "%s\nimport sys\nopen(%r, 'a').write('%%s ' %% sys.argv[1:])\n%s" % (line, LOG, text)
    return lib.write(os.path.join(TOP, name), text, 0o755)


def build(command, *options, name="image", **more):
    path = os.path.join(OUT, name + ".pyimage")
    if os.path.exists(path):
        os.unlink(path)
    if os.path.exists(LOG):
        os.unlink(LOG)
    got = lib.build(path, options=[*ENV, *options, "--for", "--", *command], **more)
    return path, got


def built(command, *options, **more):
    path, got = build(command, *options, **more)
    equal((got.status, got.err), (0, b""), got.err)
    return path, got.out.decode()


def modules(path):
    """In the image but not in python3."""
    show = "import sys; print(*[n for n in sys.modules])"
    got = lib.run([path, "-c", show], env={"PYIMAGE_ENTRY": "off"})
    bare = lib.run([lib.PYTHON, "-c", show])
    equal((got.status, got.err, bare.status), (0, b"", 0))
    without = bare.out.decode().split()
    return [n for n in got.out.decode().split() if n not in without]


def same(path, command, arguments, plain=lib.PYTHON):
    want = lib.run([plain, command, *arguments], env={"PYTHONPATH": SITE})
    for way in lib.WAYS.values():
        equal(lib.run([*way(path), *arguments]), want, arguments)


MAIN = """
def main():
    import lazily
    sys.exit(4 if 'four' in sys.argv else 0)
import first
print(sys.argv, 'first' in sys.modules)
main()
"""


@test
def the_command_runs_once():
    command = script("main", MAIN)
    path, out = built([command, "a", "-b"])
    equal(lib.read(LOG), b"['a', '-b'] ")
    that("python    /usr/bin/python3 (" + lib.VERSION in out, out)
    same(path, command, ["a", "-b"])
    same(path, command, ["four", "--help"])


@test
def measuring_repeats_the_command():
    command = script("main", MAIN)
    _, out = built([command, "a"], "--measure")
    equal(lib.read(LOG), b"['a'] " * 17)
    that(re.search(r"\nstart  .* times as fast\ncommand  .* times as fast\n", out), out)
    _, out = built([command, "a"], "--measure", "-q", "--json")
    found = json.loads(out)
    that(found["command_python_us"] > found["command_us"] > 0 and "start_us" not in found, out)
    command = script("counts", "import os\nopen(%r, 'a').write('x')\n"
                     "sys.exit(os.path.getsize(%r) %% 2)\n" % ((TOP + "/count",) * 2))
    _, out = built([command], "--measure")
    that("warning   not measured: the command ended with status 0, but as an image it ended "
         "with status 1\n" in out, out)


@test
def measuring_learns_from_the_command():
    """Also where it does not come to python3's own end, and can't be looked at."""
    hot = {}
    for name, end, options in ("once", "", []), ("again", "", ["--measure"]), \
            ("exits", "import os; os._exit(0)\n", ["--measure"]), \
            ("fails", "sys.exit(3)\n", ["--measure"]):
        command = script("learn", "import argparse\nargparse.ArgumentParser().format_help()\n"
                         + end)
        path, got = build([command], "-q", "--json", *options)
        equal((got.status, got.err), (0, b""))
        hot[name] = json.loads(got.out)["hot_pages"]
    that(hot["again"] > hot["once"] * 1.1 and hot["fails"] > hot["once"] * 1.1, hot)
    that(hot["exits"] < hot["again"], hot)


@test
def what_it_imports_is_frozen():
    path, _ = built([script("main", MAIN)])
    found = modules(path)
    equal([n for n in found if n in ("first", "second", "lazily")],
          ["second", "first", "lazily"], found)
    that("after" not in found, found)


# The set in a set warns.
PATTERNS = r"""
import re
class Text(str): pass
re.match('one+', 'on', re.I | re.A)
re.compile(b'two\0\xff\n')
re.compile('thr\ud800\u20ac\tee', re.M)
re.compile(Text('four'))
re.compile('[[five]')
try: re.compile('(six')
except re.error: pass
re.compile('seven' * 2000)
"""
KEPT = ("import re; print(*[ascii((p, int(f))) for t, p, f in list(re._cache) if t is type(p)"
        " and str(p).strip('b[(\\'')[:3] in ('one', 'two', 'thr', 'fou', 'fiv', 'six', 'sev')])")


@test
def patterns_that_it_compiles_are_kept():
    """All but those that warn: these do so at each start, in the same words. Whatever
    comes behind them: the end, or something audited and then no end."""
    for name, end in ("compiles", ""), ("exits", "open('/dev/null')\nimport os\nos._exit(0)\n"):
        command = script(name, PATTERNS + end)
        path, _ = built([command])
        got = lib.run([path, "-c", KEPT], env={"PYIMAGE_ENTRY": "off"})
        equal((got.out, got.err), (
            rb"('one+', 258) (b'two\\x00\\xff\\n', 0) ('thr\\ud800\\u20ac\\tee', 8)"
            .replace(rb"\\", b"\\") + b"\n", b""))
        same(path, command, [])
        that(b"FutureWarning" in lib.run([path]).err, name)


# How it ends: what to run at the end of a script, and the exit status.
ENDS = {
    "returns": ("", 0), "exits": ("sys.exit(0)", 0), "fails": ("sys.exit(9)", 9),
    "raises": ("raise ValueError", 1), "_exit": ("import os; os._exit(0)", 0),
    "exec": ("import os; os.execv('/bin/sh', ['sh', '-c', 'exit 5'])", 5),
    "closes all": ("import os; os.closerange(3, 4096); import pkg; os._exit(0)", 0),
    "daemon": ("import os, time\nif not os.fork():\n    time.sleep(600)", 0),
    "ends in a thread": ("import threading, os\nthreading.Thread(target=os._exit, args=(0,))"
                         ".start()\nimport time\ntime.sleep(100)", 0),
}


def ends(end, status):
    command = script("ends", "import first\nimport lazily\nif not sys.argv[1:]:\n  pass\n"
                     + end.replace("time.sleep(600)", "\n    ".join([
                         "open(%r, 'w').write(str(os.getpid()))" % (TOP + "/pid"),
                         "time.sleep(600)"])))
    path, got = build([command])
    if os.path.exists(TOP + "/pid"):
        os.kill(int(lib.read(TOP + "/pid")), 9)
        os.unlink(TOP + "/pid")
    equal((got.status, got.err), (0, b""), got)
    equal(b"warning   the command ended with status %d" % status in got.out, status != 0, got)
    found = modules(path)
    that("first" in found and "lazily" in found, found)


for name, (end, status) in ENDS.items():
    run("records a command that ends: " + name, ends, end, status)


@test
def modules_of_another_path_are_left_to_the_program():
    """hidden is only on the program's path; twice comes from another folder there."""
    command = script("paths", "import first\nsys.path.insert(0, %r)\nimport hidden, twice\n"
                     "import pkg\nprint(hidden.__file__, twice.__file__)\n" % (TOP + "/elsewhere"))
    path, _ = built([command])
    found = modules(path)
    that("hidden" not in found and "twice" not in found, found)
    that("first" in found and "pkg.inner" in found, found)
    same(path, command, [])


@test
def modules_that_a_hook_rewrites_are_left_to_the_program():
    command = script("hook", """
import importlib.machinery, importlib.util
class Hook:
    def find_spec(self, name, path=None, target=None):
        if name != 'rewritten':
            return None
        return importlib.util.spec_from_file_location(name, %r, loader=Loader(name, %r))
class Loader(importlib.machinery.SourceFileLoader):
    def source_to_code(self, data, path, **rest):
        return super().source_to_code(data.replace(b'1', b'2'), path)
    def get_code(self, name):
        return self.source_to_code(self.get_data(self.path), self.path)
sys.meta_path.insert(0, Hook())
import rewritten
print(rewritten.value)
""" % ((SITE + "/rewritten.py",) * 2))
    path, _ = built([command])
    that("rewritten" not in modules(path), modules(path))
    equal(lib.run([path]), (0, b"2\n", b""))


@test
def lazy_modules_that_never_ran_are_left_out():
    command = script("lazy", """
import importlib.util
def lazy(name):
    spec = importlib.util.find_spec(name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
lazy('unused')
used = lazy('used')
used.__doc__
import lazily
""")
    path, _ = built([command])
    found = modules(path)
    that("unused" not in found and "used" in found and "after" in found, found)


@test
def modules_made_on_the_fly_are_left_out():
    command = script("fly", "import types\nsys.modules['flying'] = types.ModuleType('flying')\n"
                     "sys.modules['alias'] = sys\nimport flying, alias, lazily\n"
                     "import space.part\n")
    path, _ = built([command])
    found = modules(path)
    that("flying" not in found and "alias" not in found, found)
    that("lazily" in found and "space.part" in found, found)


@test
def imports_that_failed_are_left_out():
    command = script("tries", "try:\n    import fails\nexcept ImportError:\n    pass\n"
                     "import lazily\n")
    path, _ = built([command])
    found = modules(path)
    that("fails" not in found and "second" in found and "lazily" in found, found)
    same(path, command, [])


@test
def what_raises_by_itself_is_left_out_with_a_warning():
    command = script("ready", "sys.made_ready = 1\nimport needy, quits, lazily\nprint(needy)\n")
    path, out = built([command])
    that("warning   module needy is left out: imported by itself it raises OSError: not ready"
         in out, out)
    that("warning   module quits is left out" in out, out)
    found = modules(path)
    that("needy" not in found and "quits" not in found and "lazily" in found, found)
    same(path, command, [])


@test
def its_output_is_kept_back_without_v():
    command = script("talks", "print('to stdout'); print('to stderr', file=sys.stderr)\n")
    _, out = built([command])
    that("to std" not in out, out)
    _, got = build([command], "-v")
    equal(got.status, 0)
    that(b"to stdout\n" in got.err and b"to stderr\n" in got.err, got.err)
    that(b"to std" not in got.out, got.out)


@test
def it_sees_a_clean_environment_and_no_input():
    command = script("sees", "import os\nopen(%r, 'w').write(repr((sorted(os.environ), "
                     "sys.stdin.read(), os.getcwd(), sys.orig_argv, sys.path[0])))\n"
                     % (TOP + "/seen"))
    built([command, "x"], stdin=b"input", env={"JUNK": "1", "LANG": "C.UTF-8"}, cwd=OUT)
    equal(eval(lib.read(TOP + "/seen")),
          (["HOME", "LANG", "PATH", "PYTHONPATH"], "", OUT,
           ["/usr/bin/python3", command, "x"], TOP))


# The first line, and the options that it stands for.
LINES = {
    "#!/usr/bin/python3": [], "#! /usr/bin/python3": [], "#!/usr/bin/python3 -sP": ["-sP"],
    "#!/usr/bin/python3 -E": ["-E"], "#!/usr/bin/python3 -I ": ["-I"],
    "#!/usr/bin/env python3": [], "#!/usr/bin/env -S python3 -I -B": ["-I", "-B"],
    "#!\t/usr/bin/python3\t-O": ["-O"],
}


def line(text, options):
    command = script("line", "print(sys.flags, sys.orig_argv, sys.path[0])\n", text)
    path, got = build([command, "a"], "--python-option=-B")
    equal((got.status, got.err), (0, b""), got)
    want = lib.run([lib.PYTHON, *options, "-B", command, "b"], env={"PYTHONPATH": SITE})
    if "-I" in options:
        want = lib.run([lib.PYTHON, *options, "-B", command, "b"])
    equal(lib.run([path, "b"]), want)


for text, options in LINES.items():
    run("honours the first line %r" % text, line, text, options)


@test
def records_in_development_mode():
    command = script("main", MAIN)
    path, _ = built([command], "--python-option=-X dev")
    that("lazily" in modules(path), path)


@test
def a_command_is_looked_up_as_execvp_does():
    """Folders and files that can't be executed are passed over."""
    first, second = lib.folder("for-path"), lib.folder("for-path")
    os.mkdir(first + "/both")
    lib.write(first + "/shadow", "#!/usr/bin/python3\n", 0o644)
    for name in "both", "shadow":
        shutil.copy(script("found", "print(sys.argv)\n"), os.path.join(second, name))
        path, got = build([name], env={"PATH": "%s:%s:/usr/bin:/bin" % (first, second)})
        equal((got.status, got.err), (0, b""))
        equal(lib.run([path]).out.decode(), "['%s/%s']\n" % (second, name))
    path, got = build(["./both"], cwd=second)
    equal(lib.run([path]).out.decode(), "['%s/both']\n" % second)


@test
def the_first_line_of_a_virtual_environment_selects_it():
    venv = lib.folder("for-venv")
    got = lib.run([lib.PYTHON, "-m", "venv", "--without-pip", venv + "/v"])
    if got.status:
        raise Skip("no venv: %r" % got.err)
    command = script("venv", "print(sys.prefix, sys.executable)\n",
                     "#!%s/v/bin/python3" % venv)
    path, out = built([command])
    that("python    %s/v/bin/python3 (" % venv in out, out)
    equal(lib.run([path]), (0, ("%s/v %s/v/bin/python3\n" % (venv, venv)).encode(), b""))
    path, out = built([command], "--python", "/usr/bin/python3")
    equal(lib.run([path]), (0, b"/usr /usr/bin/python3\n", b""))


@test
def info_shows_the_command():
    command = script("main", MAIN)
    path, _ = built([command, "a", "-b"])
    found = json.loads(lib.run([lib.PYDUMP, "info", "--json", path]).out)
    equal((found["entry"], found["entry_words"], found["command"]),
          (command, [command], [command, "a", "-b"]))
    that("entry     %s\n" % command in lib.run([lib.PYDUMP, "info", path]).out.decode(), path)


lib.write(TOP + "/shell", "#!/bin/sh\n", 0o755)
lib.write(TOP + "/envshell", "#!/usr/bin/env bash\n", 0o755)
lib.write(TOP + "/plain", "print(1)\n", 0o755)
lib.write(TOP + "/mode", "#!/usr/bin/python3\n", 0o644)
lib.write(TOP + "/odd", "#!/usr/bin/env A=1 python3\n", 0o755)
lib.write(TOP + "/verbose", "#!/usr/bin/python3 -v\n", 0o755)
lib.write(TOP + "/gone", "#!/nowhere/python3\n", 0o755)
lib.write(TOP + "/two", "#!/usr/bin/python3 -s -E\n", 0o755)

# The command, and what is said about it.
BAD = {
    "nosuchcommand": (1, "PATH"), "./nosuch": (1, "No such file"), "/": (1, "Permission denied"),
    "/bin/true": (1, "compiled program"), TOP + "/shell": (1, "/bin/sh"),
    TOP + "/envshell": (1, "bash"), TOP + "/plain": (1, "no #!"),
    TOP + "/mode": (1, "Permission denied"), TOP + "/odd": (1, "first line"),
    TOP + "/verbose": (1, "-v"), TOP + "/gone": (1, "/nowhere/python3"),
    TOP + "/two": (1, "-s -E"), "": (2, "--for"),
}


def refuses(command, status, words):
    path, got = build([command])
    equal((got.status, got.out), (status, b""), got)
    that(words.encode() in got.err, got.err)
    equal(os.listdir(OUT), [], "files left")


for name in os.listdir(OUT):
    os.unlink(os.path.join(OUT, name))
for command, (status, words) in BAD.items():
    run("refuses the command %r" % command.replace(TOP, ""), refuses, command, status, words)


@test
def refuses_a_command_that_is_killed():
    _, got = build([script("dies", "print('last words', flush=True)\nimport os\nos.kill(os.getpid(), 9)\n")])
    equal((got.status, got.out), (1, b""))
    that(b"killed by signal 9" in got.err and b"last words" in got.err, got.err)
    equal(os.listdir(OUT), [], "files left")


@test
def refuses_a_command_that_does_not_compile():
    _, got = build([script("syntax", "a b\n")])
    equal((got.status, got.out), (1, b""))
    that(b"SyntaxError" in got.err, got.err)
    equal(os.listdir(OUT), [], "files left")


@test
def refuses_entry_and_command_at_once():
    _, got = build([script("main", MAIN)], "-e", "json.tool")
    equal((got.status, got.out), (2, b""))
    got = lib.build(OUT + "/x.pyimage", options=["--for"])
    equal((got.status, got.out), (2, b""))
    that(b"--for" in got.err, got.err)
    got = lib.build(OUT + "/x.pyimage", options=["--measure"])
    equal((got.status, got.out), (2, b""))
    that(b"--measure" in got.err, got.err)


done()
