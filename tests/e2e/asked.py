#!/usr/bin/python3
"""What modules ask about their process while they are imported, and keep."""
import importlib.util
import json
import os
import sys
import zipfile

import lib
from tap import done, equal, run, skip, that

PLACE = lib.folder("asked")
AUTO = {"PYIMAGE": "auto"}
TERMINAL = [sys.executable, "-c", "import pty, sys, os; "
            "sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))",
            "env", "-u", "LC_CTYPE"]	# which that python3 sets, in the C locale


def needs(image):
    """What the image says that a start needs, besides its guards."""
    return json.loads(lib.run([lib.PYDUMP, "info", "--json", image]).out)["needs"]


def program(name, module, code, words=(), before=(), options=()):
    """An image of a script that imports this module and shows the value of `code`."""
    folder = os.path.join(PLACE, name)
    os.makedirs(folder, exist_ok=True)
    lib.write(folder + "/%s_asks.py" % name, module)
    script = lib.write(folder + "/run.py", "import sys, %s_asks as m\n%s\n" % (name, code))
    image = os.path.join(PLACE, name + ".pyimage")
    # bytecode is there already, so that no later import changes the folder
    lib.run([lib.PYTHON, script, *words])
    got = lib.run([*before, lib.PYDUMP, "build", "--json", "-o", image, "-i", name + "_asks",
                   "-e", script, *options])
    equal(got.status, 0, got.err.decode())
    return image, script, got


def same(image, script, words, env=None, command=()):
    """The image itself runs, and says what the script does."""
    plain = lib.run([*command, lib.PYTHON, script, *words], env=env)
    for way in lib.WAYS:
        got = lib.run([*command, *lib.WAYS[way](image), *words], env=env)
        equal((got.status, got.out, got.err), (plain.status, plain.out, plain.err), way)


def gives_way(image, script, words, reason, command=()):
    """Plain Python runs, and says what the script does; the reason is told."""
    plain = lib.run([*command, lib.PYTHON, script, *words])
    for way in lib.WAYS:
        start = [*command, *lib.WAYS[way](image), *words]
        got = lib.run(start, env=AUTO)
        equal((got.status, got.out), (plain.status, plain.out), way)
        for env in {}, {**AUTO, "PYIMAGE_VERBOSE": "1"}:
            got = lib.run(start, env=env)
            that(reason in got.err + got.out, got.err)


def defaults():
    """sphinx, khard: def main(argv=sys.argv[1:])."""
    parts = program("default", "import sys\n"
                    "def main(argv=sys.argv[1:], last=sys.argv[-1:], all=sys.argv,\n"
                    "         more=sys.argv + ['more']):\n"
                    "    return argv, last, all, more, [type(a) for a in (argv, all, more)]\n",
                    "print(m.main(), sys.argv, type(sys.argv) is list)")
    equal(needs(parts[0]), [])
    for words in [], ["a"], ["--help", "b c", "-"]:
        same(*parts[:2], words)


def what_it_is():
    """coverage asks each attribute of sys whether it is a module."""
    parts = program("kind", "import sys, types\nkept = [isinstance(sys.argv, types.ModuleType), "
                    "isinstance(sys.argv, list), sys.argv.__class__ is list, "
                    "hasattr(sys, 'argv')]\n", "print(m.kept)")
    same(*parts[:2], ["a"])


def a_word():
    """scons: if '--debug=memoizer' in sys.argv + ...: another program with it."""
    parts = program("word", "import sys\nfound = '--debug=x' in sys.argv + ['y']\n"
                    "name = sys.argv[0]\n", "print(m.found, m.name)")
    same(*parts[:2], ["a", "--debug"])
    gives_way(*parts[:2], ["a", "--debug=x"], b"arguments, which module word_asks asked for")


def all_words():
    for number, code in enumerate((
            "len(sys.argv)", "[a for a in sys.argv]", "sys.argv[1:] == []", "str(sys.argv)",
            "list(sys.argv)", "sys.argv.copy()", "sys.argv[1:][:1]", "(*sys.argv,)",
            "[0] + sys.argv", "['x'] + sys.argv[1:]", "sys.argv + sys.argv[1:]",
            "sys.argv * 1", "2 * sys.argv", "[a for a in reversed(sys.argv)]")):
        parts = program("all%d" % number, "import sys\nkept = %s\n" % code, "print(m.kept)")
        equal(needs(parts[0]), ["no arguments (module all%d_asks asked for sys.argv)" % number])
        same(*parts[:2], [])
        gives_way(*parts[:2], ["a"], b"arguments, which module all%d_asks asked" % number)


def changed_by_the_module():
    parts = program("changed", "import sys\nkept = sys.argv[1:]\nkept.append('mine')\n",
                    "print(m.kept)")
    same(*parts[:2], [])
    gives_way(*parts[:2], ["a"], b"arguments, which module changed_asks")


def process_id():
    """certbot's locks are removed by the process that imported it."""
    parts = program("pid", "import os\nPID = os.getpid()\n"
                    "class Held:\n    pid = os.getpid()\n"
                    "def f(own=os.getpid()):\n    return own\n",
                    "import os\nprint({m.PID, m.Held.pid, m.f(), os.getpid()} == {os.getpid()})")
    same(*parts[:2], [])
    same(*parts[:2], [], command=["unshare", "-fp"] if not os.getuid() and not lib.run(
        ["unshare", "-fp", "true"]).status else ())


def times():
    parts = program("times", "import time, datetime\nfrom datetime import timezone\n"
                    "kept = [time.time(), time.monotonic(), time.perf_counter(),\n"
                    "        datetime.datetime.now(), datetime.datetime.now(timezone.utc),\n"
                    "        datetime.datetime.now(tz=timezone.utc), datetime.datetime.utcnow()]\n"
                    "hashes = list(map(hash, kept))\n"
                    "def now():\n    return [time.time(), time.monotonic(), time.perf_counter(),\n"
                    "        datetime.datetime.now(), datetime.datetime.now(timezone.utc),\n"
                    "        datetime.datetime.now(tz=timezone.utc), datetime.datetime.utcnow()]\n",
                    "zero = m.datetime.timedelta()\n"
                    "for old, new in zip(m.kept, m.now()):\n"
                    "    d = new - old\n    d = d / m.datetime.timedelta(seconds=1) "
                    "if type(d) is type(zero) else d\n"
                    "    print(type(old), 0 <= d < 0.5, hash(old) == hash(old + 0 * d "
                    "if type(old) is float else old.replace()))")
    same(*parts[:2], [])
    same(*parts[:2], [], env={"TZ": "Asia/Tokyo"})


def keys():
    """One that is a key stays the build's: it would not be found by another hash."""
    parts = program("keys", "import os, time\nplaces = [{os.getpid(): 1}, {os.getpid()},\n"
                    "    frozenset([os.getpid()]), {(time.time(), 'x'): 2}, {time.time()}]\n",
                    "print([all(k in p for k in p) for p in m.places])")
    same(*parts[:2], [])


def forks():
    """bson: random bytes are drawn anew where the process is another one."""
    parts = program("forks", "import os\nclass ID:\n    pid, drawn = os.getpid(), os.urandom(8)\n"
                    "    @classmethod\n    def get(own):\n        if own.pid != os.getpid():\n"
                    "            own.pid, own.drawn = os.getpid(), os.urandom(8)\n"
                    "        return own.drawn\n", "print(m.ID.get())")
    got = {lib.run([parts[0]]).out for _ in range(3)}
    equal(len(got), 3)


def warm_state():
    """What only a function keeps, a warm-up file called."""
    home = os.path.join(PLACE, "warm")
    os.makedirs(home)
    script = lib.write(home + "/warm.py", "import os, sys\nsys.kept = os.getpid()\n")
    got = lib.run([lib.PYDUMP, "build", "-o", home + "/image", "-w", script])
    equal(got.status, 0, got.err.decode())
    got = lib.run([home + "/image", "-c", "import os, sys; print(sys.kept == os.getpid())"])
    equal((got.status, got.out, got.err), (0, b"False\n", b""))


def dates_of_others():
    """A subclass's now() is not called by the start, and utcnow() does not warn there."""
    parts = program("dates", "import datetime, warnings\n"
                    "class D(datetime.datetime):\n"
                    "    @classmethod\n    def now(own):\n        own.last = super().now()\n"
                    "        print('called')\nkept = D.now()\n"
                    "class E(datetime.datetime):\n    pass\nother = E.now()\n"
                    "with warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n"
                    "    utc = datetime.datetime.utcnow()\nwarnings.simplefilter('error')\n",
                    "print(m.kept, type(m.other))")
    got = lib.run([parts[0]])
    equal((got.status, got.out, got.err), (0, b"None <class 'dates_asks.E'>\n", b""))


def functions_in_sets():
    """shutil asks os.supports_dir_fd whether rmtree() can be safe from symbolic links. The
    hash of a function is that of the word by which it is watched."""
    parts = program("sets", "import os, shutil\nkept = [shutil.rmtree.avoids_symlink_attacks]\n"
                    "functions = {getattr(os, n) for n in ('stat', 'access', 'getcwd')}\n"
                    "counts = {f: f in os.supports_dir_fd for f in functions}\n",
                    "import os\nprint(m.kept, [(f in m.functions, m.counts.get(f), "
                    "f in os.supports_dir_fd) for f in (os.stat, os.access, os.getcwd)])")
    same(*parts[:2], [])


def imported_again():
    """A module of C's that is made again is watched as before."""
    parts = program("again", "import sys\n"
                    "for name in 'time', '_datetime', '_random', 'posix', '_io', '_socket':\n"
                    "    __import__(name)\n    del sys.modules[name]\n    __import__(name)\n"
                    "import datetime, os, random, socket, time\n"
                    "kept = time.time(), datetime.datetime.now(), os.getpid(), os.urandom(8),\n"
                    "random.seed(1)\nsocket.gethostname()\nsys.stdout.isatty()\n",
                    "import time\nprint(0 <= time.time() - m.kept[0] < 1)")
    same(*parts[:2], [])


def another_interpreter():
    """What its modules keep is gone when it ends."""
    parts = program("other", "import %s as other\nfor n in range(20):\n"
                    "    one = other.create()\n"
                    "    other.run_string(one, 'import os, time, sys, types, datetime\\n'\n"
                    "        'm = sys.modules[\"x\"] = types.ModuleType(\"x\")\\n'\n"
                    "        'exec(\"import os, time\\\\nkept = [(os.getpid(), time.time()) "
                    "for n in range(99)]\", m.__dict__)')\n"
                    "    other.destroy(one)\n" % lib.INTERPRETERS, "print('done')")
    same(*parts[:2], [])


def copies():
    """They are ordinary lists, which also the C code of pickle takes."""
    parts = program("copies", "import copy, sys\nkept = [copy.copy(sys.argv), "
                    "copy.deepcopy(sys.argv[1:]), type(sys.argv)('ab')]\n"
                    "added = old = [1]\nadded += sys.argv\n",
                    "import pickle\nprint(m.kept, m.added is m.old, m.added, pickle.dumps(m.kept),"
                    " [type(a) is list for a in m.kept])")
    same(*parts[:2], [])


def the_name_without_an_entry():
    """It is not known while the image is built."""
    for number, (code, script, command) in enumerate((
            ("sys.argv[0]", 1, 1), ("any('run' in a for a in sys.argv)", 1, 1),
            ("'-c' in sys.argv", 0, 1), ("len(sys.argv)", 0, 0), ("sys.argv[:]", 0, 0))):
        home = os.path.join(PLACE, "name%d" % number)
        os.makedirs(home + lib.USER_SITE)
        lib.write(home + lib.USER_SITE + "/name_asks.py", "import sys\nkept = %s\n" % code)
        run_py = lib.write(home + "/run.py", "import name_asks as m; print(m.kept)\n")
        env = {"HOME": home}
        lib.run([lib.PYTHON, run_py], env=env)
        got = lib.run([lib.PYDUMP, "build", "-o", home + "/image", "-i", "name_asks"], env=env)
        equal(got.status, 0, got.err.decode())
        for other, words in (script, [run_py]), (command, ["-c", "import name_asks as m; "
                                                           "print(m.kept)"]):
            plain = lib.run([lib.PYTHON, *words], env=env)
            got = lib.run([home + "/image", *words], env=env)
            equal((got.status, got.out), (70, b"") if other else (0, plain.out), (code, words))
            got = lib.run([home + "/image", *words], env={**env, **AUTO})
            equal((got.status, got.out), (0, plain.out), (code, words))


def host_name():
    parts = program("host", "import socket\nname = socket.gethostname()\n", "print(m.name)")
    same(*parts[:2], [])
    if os.getuid() or lib.run(["unshare", "-u", "true"]).status:
        return
    gives_way(*parts[:2], [], b"host's name, which module host_asks asked for",
              ["unshare", "-u", "sh", "-c", "hostname other; exec \"$@\"", "sh"])


def terminals():
    """s3cmd shows its progress on a terminal."""
    for number, code in enumerate(("sys.stdout.isatty()", "os.isatty(1)",
                                   "sys.__stdout__.buffer.raw.isatty()",
                                   "size(os.get_terminal_size)", "size(os.get_terminal_size, 1)",
                                   "size(fcntl.ioctl, 1, termios.TIOCGWINSZ, bytes(8))")):
        parts = program("terminal%d" % number, "import fcntl, os, sys, termios\n"
                        "def size(ask, *given):\n    try:\n        return tuple(ask(*given))\n"
                        "    except OSError as error:\n        return error.errno\n"
                        "kept = %s\n" % code,
                        "print(m.kept)")
        same(*parts[:2], [])
        gives_way(*parts[:2], [], b"standard output, a terminal or none, which module",
                  TERMINAL)


def a_parser():
    """argparse tries how wide its help is, and keeps nothing of it."""
    parts = program("parser", "import argparse\nparser = argparse.ArgumentParser('x')\n"
                    "parser.add_argument('--long-name', help='words ' * 30)\n",
                    "print(m.parser.format_help())")
    equal(needs(parts[0]), [])
    for command in [], TERMINAL:
        same(*parts[:2], [], command=command)


def a_terminal_of_its_own():
    """Where pydump was started does not count; --terminal does."""
    code = ("import sys\nkept = [s.isatty() for s in (sys.stdin, sys.stdout, sys.stderr)]\n"
            "print('said', 'x' * 100000)\n")
    for name, before, options, text in (("typed", TERMINAL, [], "no terminal"),
                                        ("own", [], ["--terminal"], "a terminal"),
                                        ("both", TERMINAL, ["--terminal"], "a terminal")):
        image, script, built = program(name, code, "print(m.kept)", before=before,
                                       options=options)
        that(b"said " + b"x" * 100000 in built.err + built.out, "what imports wrote is lost")
        equal(needs(image), ["standard %s that is %s (module %s_asks asked)" % (s, text, name)
                             for s in ("input", "output", "error")])
        plain = lib.run([*(TERMINAL if options else []), lib.PYTHON, script])
        got = lib.run([*(TERMINAL if options else []), image])
        equal(got.out.splitlines()[-1], plain.out.splitlines()[-1])
        gives_way_to = [] if options else TERMINAL
        got = lib.run([*gives_way_to, image])
        that(b"standard input, a terminal or none, which module" in got.err + got.out, got)
    image, _, _ = program("reads", "import sys\nkept = sys.stdin.read()\n",
                          "print(repr(m.kept))", options=["--terminal"])
    equal(lib.run([image]).out, b"''\n", "nobody types there")


def what_a_start_needs():
    """The build, its JSON and `pydump info` tell alike."""
    parts = program("needs", "import os, socket, sys\nkept = [os.getuid(), os.getcwd(), "
                    "socket.gethostname(), os.isatty(0), os.isatty(2), '--x' in sys.argv]\n",
                    "print(m.kept)")
    same(*parts[:2], [])
    want = ["the user and group of the build", "working folder " + lib.WORK,
            "host name " + os.uname().nodename, "standard input that is no terminal",
            "standard error that is no terminal"]
    want = [text + " (module needs_asks asked)" for text in want]
    want.append("no argument --x (module needs_asks asked for sys.argv)")
    equal(json.loads(parts[2].out)["needs"], want)
    equal(needs(parts[0]), want)
    build = lib.run([lib.PYDUMP, "build", "-o", parts[0], "-i", "needs_asks", "-e", parts[1]])
    for got in build, lib.run([lib.PYDUMP, "info", parts[0]]):
        equal([line[10:] for line in got.out.decode().splitlines()
               if line.startswith("needs")], want)


def coloured():
    """colorama.init() at import, as of isort and django, strips what goes to no terminal."""
    if not importlib.util.find_spec("colorama"):
        skip("colorama", "python3-colorama is not installed")
        return
    show = ("import colorama.initialise as i\nprint('\\033[31mred', type(sys.stdout), "
            "type(i.wrapped_stdout), type(i.orig_stdout))\n"
            "print('\\033[32mkept', file=m.out)\nprint('\\033[33merror', file=sys.stderr)\n"
            "i.deinit()\ni.reinit()\nprint('\\033[34mblue')")
    for number, code in enumerate(("colorama.init()", "colorama.init(autoreset=True)",
                                   "colorama.init()\ncolorama.init()",
                                   "colorama.init()\ncolorama.deinit()", "")):
        parts = program("colour%d" % number, "import colorama, sys\n%s\nout = sys.stdout\n"
                        % code, show)
        equal(needs(parts[0]), [])
        for command in [], TERMINAL:
            same(*parts[:2], [], command=command)
    for number, code in enumerate(("colorama.init(strip=True)", "colorama.init(convert=False)",
                                   "out = colorama.AnsiToWin32(sys.stdout).stream")):
        parts = program("strip%d" % number, "import colorama, sys\nout = sys.stdout\n%s\n"
                        % code, show)
        same(*parts[:2], [])
        gives_way(*parts[:2], [], b"standard output, a terminal or none, which module", TERMINAL)


def styles_of_django():
    """The formatter of django.server keeps whether it may colour lines."""
    if not importlib.util.find_spec("django"):
        skip("django", "python3-django is not installed")
        return
    parts = program("django", "import django, django.conf\ndjango.conf.settings.configure()\n"
                    "django.setup()\nclass Ours(django.utils.log.ServerFormatter):\n    pass\n"
                    "ours = Ours()\n", "import logging\nprint([f.style.HTTP_SUCCESS('x') for f in "
                    "[m.ours] + [h.formatter for h in logging.getLogger('django.server')"
                    ".handlers]])")
    equal(needs(parts[0]), [])
    for command in [], TERMINAL:
        same(*parts[:2], [], env={"TERM": "xterm"}, command=command)


def build_of_cpython():
    """setuptools puts its distutils in place, but for pybuilddir.txt."""
    if lib.run([lib.PYTHON, "-c", "import distutils"]).status:
        skip("distutils", "optional: this python3 has none without python3-setuptools")
        return
    parts = program("distutils", "import distutils\n", "print(m.distutils.__file__)")
    equal(needs(parts[0]), [])
    folder = os.path.join(PLACE, "build")
    os.mkdir(folder)
    same(*parts[:2], [], command=["env", "-C", folder])
    lib.write(folder + "/pybuilddir.txt", "")
    gives_way(*parts[:2], [], b"pybuilddir.txt", ["env", "-C", folder])


def folders():
    """Names that are below the working folder follow it; pip is a make-believe one."""
    pip = os.path.join(PLACE, "folder", "pip", "_internal", "cli")
    os.makedirs(pip)
    lib.write(pip + "/cmdoptions.py", "import functools, os\n"
              "def get_src_prefix():\n    return os.path.join(os.getcwd(), 'src')\n"
              "src = functools.partial(str, default=get_src_prefix())\n")
    asks = {"pip._internal.cli.cmdoptions": "m.c.src.keywords['default']",
            "coverage.files": "m.c.relative_directory()",
            "isort.settings": "m.c.DEFAULT_CONFIG.directory, m.c.DEFAULT_CONFIG.src_paths",
            "dill.session": "m.c.TEMPDIR"}
    for number, (name, show) in enumerate(asks.items()):
        top = name.split(".")[0]
        if top != "pip" and not importlib.util.find_spec(top):
            skip(name, "it is not installed")
            continue
        parts = program("folder" if top == "pip" else "folder%d" % number,
                        "import %s as c\n" % name, "print(%s)" % show)
        equal(needs(parts[0]), [])
        for folder in PLACE, "/usr":
            same(*parts[:2], [], command=["env", "-C", folder])
        gone = ["sh", "-c", 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"', PLACE + "/gone"]
        if top != "dill":
            gives_way(*parts[:2], [], b"working folder, which is gone", gone)


def another_isort():
    """isort 4 has its module of settings, and no configuration in it."""
    folder = os.path.join(PLACE, "isort4", "isort")
    os.makedirs(folder)
    lib.write(folder + "/__init__.py", "")
    lib.write(folder + "/settings.py", "default = {}\n")
    parts = program("isort4", "import isort.settings\n", "print(m.isort.settings.default)")
    same(*parts[:2], [], command=["env", "-C", "/usr"])


def without_an_entry(name, module):
    """A home in whose site the module is, and an image with it."""
    home = os.path.join(PLACE, name)
    os.makedirs(home + lib.USER_SITE)
    lib.write(home + lib.USER_SITE + "/%s.py" % name, module)
    env = {"HOME": home}
    lib.run([lib.PYTHON, "-c", "import " + name], env=env)
    got = lib.run([lib.PYDUMP, "build", "-o", home + "/image", "-i", name], env=env)
    equal(got.status, 0, got.err.decode())
    return home, env


def copies_of_the_path():
    """The first item of sys.path is another one in each start."""
    home, env = without_an_entry("paths", "import sys\nitems = list(sys.path)\n"
                                 "keys = dict.fromkeys(sys.path, 1)\nmembers = set(sys.path)\n"
                                 "first = sys.path[0]\ntwice = sys.path * 2\n"
                                 "again = list(sys.path)\n")
    show = ("import paths as m, sys\nprint(sys.path, m.items, m.keys, m.first, m.twice, m.again, "
            "m.members == set(m.items))\n")
    script = lib.write(home + "/show.py", show)
    for words in ["-c", show], ["-Pc", show], [script], ["-P", script], ["-m", "show"]:
        plain = lib.run([lib.PYTHON, *words], env=env, cwd=home)
        that(plain.out, plain.err)
        for more in {}, {"PYIMAGE_FINALIZE": "full"}:
            equal(lib.run([home + "/image", *words], env={**env, **more}, cwd=home), plain,
                  str(words))


def made_of_the_path():
    """What is not a list's, dict's or set's item can't be another one in each start."""
    for number, code in enumerate(("tuple(sys.path)", "[os.path.abspath(p) for p in sys.path]",
                                   "lambda first=sys.path[0]: first",
                                   "os.path.join(sys.path[0], 'data')", "':'.join(sys.path)")):
        home = os.path.join(PLACE, "made%d" % number)
        os.makedirs(home + lib.USER_SITE)
        lib.write(home + lib.USER_SITE + "/made.py", "import os, sys\nkept = %s\n" % code)
        got = lib.run([lib.PYDUMP, "build", "-o", home + "/image", "-i", "made"],
                      env={"HOME": home})
        equal(got.status, 1, code)
        that(b"freeze what imports made of sys.path[0]" in got.err, got.err)
    parts = program("entry", "import sys\nkept = tuple(sys.path)\n", "print(m.kept)")
    same(*parts[:2], [])


def twice_on_the_path():
    for number, code in enumerate(("append(sys.path[0])", "insert(0, sys.path[0])")):
        home, env = without_an_entry("again%d" % number, "import sys\nsys.path.%s\n" % code)
        show = lib.write(home + "/show.py", "import again%d, sys; print(sys.path)\n" % number)
        for words in ["-c", "import again%d, sys; print(sys.path)" % number], [show]:
            plain = lib.run([lib.PYTHON, *words], env=env, cwd=home)
            equal(lib.run([home + "/image", *words], env=env, cwd=home), plain, str(words))


def files_along_the_path():
    """pkgutil.extend_path(), which gi calls, looks for gi.pkg in each folder of it."""
    home, env = without_an_entry("along", "import os, sys\nkept = [p for p in sys.path if "
                                 "os.path.isfile(os.path.join(p, 'ours.pkg'))]\n")
    equal(needs(home + "/image"), ["no ours.pkg in the script's or working folder (module "
                                   "along looked)"])
    show = "import along; print(along.kept)"
    lib.write(home + "/show.py", show)
    os.mkdir(home + "/other")
    lib.write(home + "/other/ours.pkg", "")
    for cwd, words, differs in ((home, ["show.py"], 0), (home, ["-c", show], 0),
                                (home + "/other", ["-c", show], 1),
                                (home + "/other", ["-Pc", show], 0),
                                (home + "/other", ["../show.py"], 0)):
        plain = lib.run([lib.PYTHON, *words], env=env, cwd=cwd)
        equal(plain.out == b"[]\n", not differs, plain.err)
        got = lib.run([home + "/image", *words], env=env, cwd=cwd)
        equal((got.status, got.out), (70, b"") if differs else (0, plain.out), str(words))
        that(not differs or b"ours.pkg is in the working folder" in got.err, got.err)
        equal(lib.run([home + "/image", *words], env={**env, **AUTO}, cwd=cwd).out, plain.out)


def names_of_pkg_resources():
    """It keeps what realpath() of each of sys.path's items is."""
    if not importlib.util.find_spec("pkg_resources"):
        skip("pkg_resources", "python3-pkg-resources is not installed")
        return
    home, env = without_an_entry("names", "import pkg_resources\n")
    code = ("import names as m\nprint(m.pkg_resources.working_set.entries, "
            "m.pkg_resources._normalize_cached(''))\n")
    show = lib.write(home + "/show.py", code)
    for words in ["-c", code], ["-m", "show"], [show]:
        plain = lib.run([lib.PYTHON, *words], env=env, cwd=home)
        equal(lib.run([home + "/image", *words], env=env, cwd=home), plain, str(words))


def metadata_of_distributions():
    """Some of the script's or of the working folder is found first."""
    home, env = without_an_entry("named", "import importlib.metadata as metadata\ntry:\n"
                                 "    kept = metadata.version('ours')\n"
                                 "except metadata.PackageNotFoundError:\n    kept = None\n")
    equal(needs(home + "/image"), ["no metadata of distributions in the script's or working "
                                   "folder (module named looked)"])
    lib.write(home + "/show.py", "import named; print(named.kept)\n")
    for folder in "with", "without":
        os.makedirs(home + "/" + folder)
        os.link(home + "/show.py", home + "/" + folder + "/show.py")
    os.mkdir(home + "/with/ours-1.dist-info")
    lib.write(home + "/with/ours-1.dist-info/METADATA", "Name: ours\nVersion: 1\n")
    # a folder and a zip file that are run stand on sys.path themselves
    for folder in "with", "without":
        os.link(home + "/show.py", home + "/" + folder + "/__main__.py")
        with zipfile.ZipFile(home + "/" + folder + ".zip", "w") as file:
            file.comment = b"some"
            for name in sorted(os.listdir(home + "/" + folder)):
                file.write(home + "/" + folder + "/" + name, name)
            if folder == "with":
                file.write(home + "/with/ours-1.dist-info/METADATA", "ours-1.dist-info/METADATA")
    for words, differs in ((["with"], True), (["without"], False), (["-P", "with"], True),
                           (["with.zip"], True), (["without.zip"], None)):
        plain = lib.run([lib.PYTHON, *words], env=env, cwd=home)
        equal(plain.out, b"1\n" if differs else b"None\n", plain.err)
        equal(lib.run([home + "/image", *words], env={**env, **AUTO}, cwd=home).out, plain.out)
        got = lib.run([home + "/image", *words], env=env, cwd=home)
        equal((got.status, got.out), (0, plain.out) if differs is False else (70, b""), str(words))
    for folder, other in ("with", "without"), ("without", "with"):
        cwd = os.path.join(home, folder)
        for words, differs in ((["-c", "import named; print(named.kept)"], folder == "with"),
                               (["-m", "show"], folder == "with"), (["-Pc", "import named; "
                               "print(named.kept)"], False), (["show.py"], folder == "with"),
                               (["../%s/show.py" % other], other == "with")):
            plain = lib.run([lib.PYTHON, *words], env=env, cwd=cwd)
            equal(plain.out, b"1\n" if differs else b"None\n", plain.err)
            got = lib.run([home + "/image", *words], env=env, cwd=cwd)
            equal((got.status, got.out), (70, b"") if differs else (0, plain.out), str(words))
            that(not differs or b"metadata of distributions: " in got.err, got.err)
            equal(lib.run([home + "/image", *words], env={**env, **AUTO}, cwd=cwd).out, plain.out)


def files_of_the_folder():
    """A name that is looked for means another file in each folder."""
    for number, (code, counts) in enumerate((
            ("os.path.exists('ours')", 1), ("os.path.exists(b'ours')", 1),
            ("pathlib.Path('ours').is_file()", 1), ("os.path.islink('ours')", 1),
            ("os.access('ours', os.R_OK)", 1), ("os.listdir()", 1), ("list(os.scandir('.'))", 1),
            ("os.listdir(None)", 1), ("os.listdir(path='.')", 1), ("list(os.scandir(None))", 1),
            ("os.stat(path='.').st_mode", 1), ("os.path.exists('\\udcffours')", 1),
            ("os.close(os.open('.', os.O_RDONLY))", 1), ("os.readlink(path='ours')", 1),
            ("open('ours')", 1), ("open(file='ours')", 1), ("os.path.exists('')", 0),
            ("os.path.exists('/usr/ours')", 0), ("linecache.getline('<ours>', 1)", 0),
            ("'ours' in os.listdir('/')", 0), ("os.stat('bin', dir_fd=usr).st_mode", 0),
            ("os.stat(usr).st_mode", 0))):
        parts = program("look%d" % number, "import linecache, os, pathlib\n"
                        "usr = os.open('/usr', os.O_RDONLY)\ntry:\n    kept = %s\n"
                        "except FileNotFoundError:\n    kept = None\nos.close(usr)\n" % code,
                        "print(m.kept)")
        equal(needs(parts[0]), ["working folder %s (module look%d_asks asked)"
                                % (lib.WORK, number)] if counts else [], code)


def files_that_were_missed():
    """pipx, httpie: another folder where there is one in the home. It may come later."""
    for number, code in enumerate((
            "os.path.exists(f)", "os.path.isdir(os.fsencode(f))", "os.access(f, os.R_OK)",
            "pathlib.Path(f).is_file()", "glob.glob(f)", "opened(f)", "os.path.islink(f)")):
        file = os.path.join(PLACE, "missed-%d" % number)
        parts = program("missed%d" % number, "import glob, os, pathlib\nf = %r\n"
                        "def opened(f):\n    try:\n        return open(f).read()\n"
                        "    except FileNotFoundError:\n        return None\n"
                        "kept = %s\n" % (file, code), "print(m.kept)")
        equal(needs(parts[0]), [])
        same(*parts[:2], [])
        os.mkdir(file) if "isdir" in code else lib.write(file, "")
        gives_way(*parts[:2], [], b"is there now: " + file.encode())
    parts = program("made", "import os\nf = %r\nif not os.path.exists(f):\n    os.mkdir(f)\n"
                    % (PLACE + "/made-here"), "print(m.f)")
    same(*parts[:2], [])


def a_relative_name_that_was_missed():
    parts = program("relative", "try:\n    kept = open('ours').read()\n"
                    "except FileNotFoundError:\n    kept = None\n", "print(m.kept)")
    equal(needs(parts[0]), ["working folder %s (module relative_asks asked)" % lib.WORK])


# What the modules of programs do, in short, and what they keep.
PROGRAMS = {
    "tox.tox_env.api": ("from pathlib import Path\n_CWD = Path.cwd()\n", "m._CWD"),
    "mycli.main": ("import os\nclass MyCli:\n"
                   "    pwd_config_file = os.path.join(os.getcwd(), '.myclirc')\n",
                   "m.MyCli.pwd_config_file"),
    "ansiblelint.errors": ("import os\nclass Lintable:\n    def __init__(self, name):\n"
                           "        self.name, self.dir = name, os.getcwd()\n"
                           "class MatchError:\n    lintable = Lintable(name='')\n",
                           "vars(m.MatchError.lintable)"),
    "httpie.context": ("import sys\ntry:\n    import curses\nexcept ImportError:\n"
                       "    curses = None\nclass Environment:\n"
                       "    stdin, stdout, stderr = sys.stdin, sys.stdout, sys.stderr\n"
                       "    stdin_isatty = stdin.isatty()\n    stdout_isatty = stdout.isatty()\n"
                       "    stderr_isatty = stderr.isatty()\n    colors = 256\n    if curses:\n"
                       "        try:\n            curses.setupterm()\n"
                       "            colors = curses.tigetnum('colors')\n"
                       "        except curses.error:\n            pass\n",
                       "[(k, v) for k, v in vars(m.Environment).items()"
                       " if type(v) in (bool, int)]"),
    "pipx.colors": ("import sys\ntry:\n    import colorama\nexcept ImportError:\n"
                    "    colorama = None\nPRINT_COLOR = sys.stdout.isatty()\n"
                    "if PRINT_COLOR and colorama:\n    colorama.init()\n", "m.PRINT_COLOR"),
    "pipx.animate": ("import sys\nstderr_is_tty = sys.stderr.isatty()\n", "m.stderr_is_tty"),
    "S3.Config": ("import sys\nclass Config:\n    progress_meter = sys.stdout.isatty()\n",
                  "m.Config.progress_meter"),
    "gallery_dl.output": ("import os, sys\nTTY_STDOUT = sys.stdout.isatty()\n"
                          "TTY_STDERR = sys.stderr.isatty()\nTTY_STDIN = sys.stdin.isatty()\n"
                          "COLORS_DEFAULT = {}\nCOLORS = not os.environ.get('NO_COLOR')\n"
                          "if COLORS:\n    if TTY_STDOUT:\n"
                          "        COLORS_DEFAULT['success'] = '1;32'\n"
                          "        COLORS_DEFAULT['skip'] = '2'\n    if TTY_STDERR:\n"
                          "        COLORS_DEFAULT['debug'] = '0;37'\n"
                          "        COLORS_DEFAULT['info'] = '1;37'\n"
                          "        COLORS_DEFAULT['warning'] = '1;33'\n"
                          "        COLORS_DEFAULT['error'] = '1;31'\n",
                          "(m.COLORS_DEFAULT, m.TTY_STDIN, m.TTY_STDOUT, m.TTY_STDERR)"),
    "rich.console": ("import sys\nclass Console:\n"
                     "    def __init__(self, color_system='auto'):\n"
                     "        self._color_system = color_system\n"
                     "        if color_system == 'auto':\n"
                     "            self._color_system = self._detect_color_system()\n"
                     "    def _detect_color_system(self):\n"
                     "        return 'known' if sys.stdout.isatty() else None\n",
                     "[c._color_system for c in MADE]"),
    "pre_commit.xargs": ("import os\ndef _environ_size():\n    environ = os.environb\n"
                         "    size = 8 * len(environ)\n    for k, v in environ.items():\n"
                         "        size += len(k) + len(v) + 2\n    return size\n"
                         "def _get_platform_max_length():\n"
                         "    return os.sysconf('SC_ARG_MAX') - 2048 - _environ_size()\n"
                         "def xargs(*, _max_length=_get_platform_max_length()):\n"
                         "    return _max_length\n", "m.xargs() == m._get_platform_max_length()"),
    "openstack.config.loader": ("import os\nYAML_SUFFIXES, JSON_SUFFIXES = ['.y'], ['.j']\n"
                                "CONFIG_SEARCH_PATH = [os.getcwd(), '/etc']\n"
                                "CONFIG_FILES, SECURE_FILES, VENDOR_FILES = [\n"
                                "    [os.path.join(d, name + s) for d in CONFIG_SEARCH_PATH\n"
                                "     for s in YAML_SUFFIXES + JSON_SUFFIXES]\n"
                                "    for name in ('clouds', 'secure', 'clouds-public')]\n",
                                "(m.CONFIG_SEARCH_PATH, m.CONFIG_FILES, m.SECURE_FILES,"
                                " m.VENDOR_FILES)"),
    "osc.output.tty": ("import os, sys\nIS_INTERACTIVE = os.isatty(sys.stdout.fileno())\n",
                       "m.IS_INTERACTIVE"),
    "rdiff_backup.Globals": ("import os\nprocess_uid, process_gid = os.getuid(), os.getgid()\n"
                             "process_groups = [process_gid] + os.getgroups()\n",
                             "(m.process_uid, m.process_gid, m.process_groups)"),
    "supervisor.medusa.filesys": ("import os\nclass schizophrenic_unix_filesystem:\n"
                                  "    PROCESS_UID, PROCESS_EUID = os.getuid(), os.geteuid()\n"
                                  "    PROCESS_GID, PROCESS_EGID = os.getgid(), os.getegid()\n",
                                  "[v for k, v in vars(m.schizophrenic_unix_filesystem).items()"
                                  " if k[:8] == 'PROCESS_']")}


def modules_of_programs():
    """Rows renew what they keep: a folder, terminals, a user."""
    for number, (name, (code, show)) in enumerate(PROGRAMS.items()):
        folder = os.path.join(PLACE, "of%d" % number)
        *above, last = name.split(".")
        os.makedirs(os.path.join(folder, *above))
        for depth in range(len(above)):
            lib.write(os.path.join(folder, *above[:depth + 1], "__init__.py"), "")
        lib.write(os.path.join(folder, *above, last + ".py"), code)
        made = "made = [it.Console(), it.Console(None), it.Console('named')]\n"
        parts = program("of%d" % number, "import %s as it\n%s" % (name, made * ("MADE" in show)),
                        "MADE, m = getattr(m, 'made', 0), m.it\nprint(%s)" % show)
        equal(needs(parts[0]), [], name)
        for command in [], ["env", "-C", "/usr", "MORE=1"], [*TERMINAL, "TERM=xterm-256color"]:
            same(*parts[:2], [], command=command)
        if "getuid" in code and not os.getuid():
            same(*parts[:2], [], command=lib.as_nobody([]))


def billiard():
    """celery's multiprocessing has a key for its connections, and a folder, too."""
    folder = os.path.join(PLACE, "key")
    os.makedirs(folder + "/billiard")
    lib.write(folder + "/billiard/__init__.py", "")
    lib.write(folder + "/billiard/process.py", "import os\nORIGINAL_DIR = os.getcwd()\n"
              "class AuthenticationString(bytes):\n    pass\nclass _MainProcess:\n"
              "    def __init__(self):\n"
              "        self._config = {'authkey': AuthenticationString(os.urandom(32))}\n"
              "_current_process = _MainProcess()\n")
    parts = program("key", "import billiard.process as it\n", "m = m.it\nprint(m.ORIGINAL_DIR, "
                    "type(m._current_process._config['authkey']))\nif sys.argv[1:]:\n"
                    "    print(m._current_process._config['authkey'].hex())")
    equal(needs(parts[0]), [])
    same(*parts[:2], [], command=["env", "-C", "/usr"])
    equal(len({lib.run([parts[0], "show"]).out for _ in range(3)}), 3)


def streams_that_are_closed():
    """A row asks each stream again, which there has to be."""
    os.makedirs(PLACE + "/no_stream/S3")
    lib.write(PLACE + "/no_stream/S3/__init__.py", "")
    lib.write(PLACE + "/no_stream/S3/Config.py", "import sys\nclass Config:\n"
              "    progress_meter = sys.stdout and sys.stdout.isatty()\n")
    parts = program("no_stream", "import S3.Config\n", "print('x', file=sys.stderr)")
    gives_way(*parts[:2], [], b"standard output, which is closed",
              ["sh", "-c", 'exec "$@" >&-', "sh"])


def renewed():
    """rich keeps its working folder, and a row of ours renews it."""
    parts = program("rich", "import sys, types\n"
                    "rich = sys.modules['rich'] = types.ModuleType('rich')\n"
                    "exec('import os; _IMPORT_CWD = os.path.abspath(os.getcwd())',"
                    " rich.__dict__)\n", "print(m.rich._IMPORT_CWD)")
    for folder in PLACE, "/usr":
        same(*parts[:2], [], command=["env", "-C", folder])


def closed_streams():
    """mypy: def main(stdout=sys.stdout). It is None where there is none."""
    parts = program("closed", "import sys\ndef main(out=sys.stdout):\n    return out\n",
                    "print(type(m.main()), file=sys.stderr)")
    same(*parts[:2], [])
    gives_way(*parts[:2], [], b"holds a standard stream, which is closed",
              ["sh", "-c", 'exec "$@" >&-', "sh"])
    parts = program("thread", "import threading\nkept = threading.Thread(target=str)\n"
                    "kept.start()\nkept.join()\n", "print(sys.stderr, m.kept._stderr, "
                    "m.threading.main_thread()._stderr)")
    same(*parts[:2], [], command=["sh", "-c", 'exec "$@" 2>&-', "sh"])


for test in (defaults, what_it_is, a_word, all_words, copies, the_name_without_an_entry,
             keys, forks, warm_state, dates_of_others, imported_again, another_interpreter,
             changed_by_the_module, process_id, times, host_name, functions_in_sets,
             terminals, a_terminal_of_its_own, a_parser, what_a_start_needs, coloured,
             styles_of_django, build_of_cpython, folders, another_isort,
             copies_of_the_path, made_of_the_path, twice_on_the_path, files_along_the_path,
             names_of_pkg_resources, metadata_of_distributions, files_of_the_folder,
             files_that_were_missed, a_relative_name_that_was_missed, modules_of_programs,
             billiard, streams_that_are_closed, renewed, closed_streams):
    run(test.__name__.replace("_", " "), test)
done()
