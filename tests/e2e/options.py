#!/usr/bin/python3
"""Each row of the two tables in include/python_options.h: what python3 is asked
for, an image does, or holds, or leaves to plain python3. Always compared with
what plain python3 does; the row's own choice decides whether the image may fall
back. A row without a case here fails."""
import os
import pty
import py_compile
import re
import shutil

import lib
import tap

HEADER = lib.read(lib.ROOT + "/include/python_options.h").decode()
OPTION = re.compile(r'\{ "([^"]+)", (NULL|"[^"]*"), PYTHON_([A-Z]+),')
ADDRESS = re.compile(rb"0x[0-9a-f]{6,}")
VARIABLE = re.compile(r'\{ "(PYTHON\w*)", PYTHON_([A-Z]+), PYTHON_([A-Z_]+),\s+(0|PYTHON_\w+) \}')

PROBE = """import sys, site, os, json, io
print(sys.flags, sys.dont_write_bytecode, sys.pycache_prefix, sys._xoptions)
print(sys.argv, sys.orig_argv[1:], sys.path, sys.warnoptions, __debug__)
print(site.ENABLE_USER_SITE, site.USER_SITE, sys.get_int_max_str_digits())
print(hasattr(sys, '__interactivehook__'))
for stream in sys.stdin, sys.stdout, sys.stderr:
    print(stream, stream.errors, stream.line_buffering, stream.write_through, stream.buffer)
import warnings, faulthandler
print([f for f in warnings.filters], faulthandler.is_enabled(), json.loads.__doc__ is None)
print(sorted((k, v) for k, v in os.environ.items() if k.startswith('PYTHON')))
sys.stdout.flush()
if warnings.filters and sys.flags.bytes_warning:
    b'' == ''
io.text_encoding(None)
open('text', 'w').close()
warnings.warn('old', DeprecationWarning)
import fresh
print(sorted(os.listdir('.')), os.path.exists('__pycache__'))
sys.stdout.write('last')
sys.stderr.write('word')
print(int('1' * 5000) > 0)
"""
FILES = {
    "script.py": "import nothing at all\n" + PROBE,
    "plain.py": PROBE,
    "fresh.py": "'docstring'\n",
    "startup.py": "print('startup', __file__)\n",
    "exits.py": "import sys; sys.exit('text')\n",
    "-c": PROBE,
    "-m": PROBE,
}


TOP = os.path.join(lib.folder("options"), "run")


def place():
    """The same path each time: it stands in output of any encoding."""
    shutil.rmtree(TOP, ignore_errors=True)
    os.mkdir(TOP)
    for name, text in FILES.items():
        lib.write(os.path.join(TOP, name), text)


def once(command, args, env, stdin):
    """What it prints, its status, and the files that it leaves."""
    place()
    variables = {"TERM": "dumb", **env}
    got = lib.run([*command, *args], env=variables, stdin=stdin, cwd=TOP)
    # An image imported the library's modules before: it writes none of theirs.
    left = sorted(os.path.relpath(os.path.join(folder, name), TOP)
                  for folder, _, names in os.walk(TOP) for name in names
                  if not folder.startswith(TOP + "/cache/usr/"))
    return [ADDRESS.sub(b"0x", text) for text in (got.out, got.err)] + [got.status, left]


WAYS = [lib.WAYS[way](lib.image("bare")) for way in lib.WAYS]
PROGRAMS = (("-c", PROBE, "a"), ("plain.py", "-b"), ("-m", "plain", "-c"), ("-",), ())


def same(args, env=(), programs=PROGRAMS, ways=None, stdin=PROBE.encode()):
    """The image is not to fall back."""
    env = dict(env)
    for n, program in enumerate(programs):
        want = once([lib.PYTHON], [*args, *program], env, stdin)
        for command in ways or [WAYS[n % 2]]:
            got = once(command, [*args, *program], {**env, "PYIMAGE": "on"}, stdin)
            tap.equal(got, want, "%s %s %s" % (command[-1], [*args, *program], env))


def falls_back(args, env=(), words="", programs=PROGRAMS[:2], stdin=b""):
    env = dict(env)
    for n, program in enumerate(programs):
        want = once([lib.PYTHON], [*args, *program], env, stdin)
        command = WAYS[n % 2]
        got = once(command, [*args, *program], {**env, "PYIMAGE": "on"}, stdin)
        tap.equal((got[2], got[0]), (70, b""), "status and output under PYIMAGE=on")
        tap.that(words.encode() in got[1], got[1])
        got = once(command, [*args, *program], {**env, "PYIMAGE": "auto"}, stdin)
        tap.equal(got, want, "%s %s" % ([*args, *program], env))


BUILT = {}


def holds(words, programs=PROGRAMS[:2], env=()):
    """An image that was built with the option is python3 with the option; where it
    is not used, so is what runs instead; and it takes it a second time."""
    path = os.path.join(lib.TMP, "img", "option-%d.pyimage" % len(BUILT))
    text = " ".join(words)
    BUILT[text] = path
    built = lib.build(path, options=["-q", "--python-option", text])
    tap.equal((built.status, built.out), (0, b""), built.err)
    for n, program in enumerate(programs):
        want = once([lib.PYTHON], [*words, *program], dict(env), b"")
        for mode, way in zip(("on", "off"), [*lib.WAYS.values()][::1 - 2 * (n % 2)]):
            got = once(way(path), program, {**dict(env), "PYIMAGE": mode}, b"")
            tap.equal(got, want, "PYIMAGE=%s %s" % (mode, [*words, *program]))
    info = lib.run([lib.PYDUMP, "info", path]).out.decode()
    for word in words:
        tap.that("option    %s\n" % word in info, info)


# What to ask for, for each row; more than one where the value matters.
OPTIONS = {
    "b": [["-b"], ["-bb"]],
    "B": [["-B"], ["-BB"]],
    "d": [["-d"]],
    "E": [["-E"]],
    "h": [["-h"]],
    "?": [["-?"]],
    "i": [["-i"], ["-ii"]],
    "I": [["-I"], ["-II"]],
    "O": [["-O"], ["-OO"]],
    "P": [["-P"]],
    "q": [["-q"], ["-qq"]],
    "R": [["-R"]],
    "s": [["-s"]],
    "S": [["-S"]],
    "t": [["-t"]],
    "u": [["-u"]],
    "v": [["-v"]],
    "V": [["-V"], ["-VV"]],
    "W": [["-W", "error::DeprecationWarning"], ["-Wdefault"], ["-W", "nonsense"]],
    "x": [["-x"]],
    "X": [["-X", "name"], ["-Xname=value"]],
    "--check-hash-based-pycs": [["--check-hash-based-pycs", "always"],
                                ["--check-hash-based-pycs", "never"]],
    "--help": [["--help"]],
    "--help-all": [["--help-all"]],
    "--help-env": [["--help-env"]],
    "--help-xoptions": [["--help-xoptions"]],
    "--version": [["--version"]],
    # -X
    "context_aware_warnings": [["-Xcontext_aware_warnings=1"]],
    "cpu_count": [["-Xcpu_count=3"]],
    "dev": [["-X", "dev"]],
    "disable-remote-debug": [["-Xdisable-remote-debug"]],
    "faulthandler": [["-X", "faulthandler"], ["-Xfaulthandler"]],
    "frozen_modules": [["-Xfrozen_modules=off"]],
    "gil": [["-Xgil=1"]],
    "importtime": [["-Ximporttime"]],
    "int_max_str_digits": [["-X", "int_max_str_digits=0"]],
    "lazy_imports": [["-Xlazy_imports=all"], ["-X", "lazy_imports=normal"]],
    "no_debug_ranges": [["-Xno_debug_ranges"]],
    "pathconfig_warnings": [["-Xpathconfig_warnings=0"]],
    "perf": [["-Xperf"]],
    "perf_jit": [["-Xperf_jit"]],
    "pycache_prefix": [["-Xpycache_prefix=cache"]],
    "showrefcount": [["-Xshowrefcount"]],
    "thread_inherit_context": [["-Xthread_inherit_context=1"]],
    "tracemalloc": [["-Xtracemalloc"], ["-Xtracemalloc=5"]],
    "utf8": [["-Xutf8"], ["-X", "utf8=0"]],
    "warn_default_encoding": [["-Xwarn_default_encoding"]],
}
# Their output is about the start itself: times, addresses. Compared by status.
LOOSE = {"v": b"# installing zipimport hook", "importtime": b"import time:"}
# Options that python3 refuses, with its usage message: never a part of an image.
WRONG = [["-W", "nonsense"]]


def loose(words, text):
    for command in WAYS:
        got = once(command, [*words, "-c", "print(1)"], {"PYIMAGE": "auto"}, b"")
        tap.equal((got[0], got[2]), (b"1\n", 0))
        tap.that(text in got[1], got[1][:500])
        got = once(command, [*words, "-c", "print(1)"], {"PYIMAGE": "on"}, b"")
        tap.equal((got[0], got[2]), (b"", 70))


def option_row(name, choice):
    if name not in OPTIONS:
        raise tap.Failed("no case for it")
    for words in OPTIONS[name]:
        if choice == "HONOURED":
            # with -i a prompt takes what is left of stdin
            same(words)
        elif name in LOOSE:
            loose(words, LOOSE[name])
        else:
            falls_back(words, words=words[0])
        if choice != "PLAIN" and words not in WRONG:
            holds(words)


def variable_row(name, choice, value, flags):
    if name not in VARIABLES:
        raise tap.Failed("no case for it")
    for text in VARIABLES[name]:
        env = {name: text}
        if choice == "HONOURED":
            # Without a flag it is read when it is used, if it is read at all.
            same([], env, PROGRAMS if flags != "0" or name in AT_THE_PROMPT else PROGRAMS[:2])
            same(["-E"], env, PROGRAMS[:1])
        elif name in LOOSE_VARIABLES:
            loose_variable(env, LOOSE_VARIABLES[name])
        elif value == "NUMBER" and text == "0":
            same([], env, PROGRAMS[:2])
        elif value == "BY_MODULE":
            falls_back([], env, name)
            falls_back(["-E"], env, name, PROGRAMS[:1])
        else:
            falls_back([], env, name)
            same(["-E"], env, PROGRAMS[:1])
    same([], {name: ""}, PROGRAMS[:1])


VARIABLES = {
    "PYTHONASYNCIODEBUG": ["1"],
    "PYTHONBREAKPOINT": ["0"],
    "PYTHONCASEOK": ["1"],
    "PYTHONCOERCECLOCALE": ["0"],
    "PYTHONDEBUG": ["1"],
    "PYTHONDEVMODE": ["1"],
    "PYTHONDOCS": ["/docs"],
    "PYTHONDONTWRITEBYTECODE": ["1", "0", "x"],
    "PYTHONDUMPREFS": ["1"],
    "PYTHONDUMPREFSFILE": ["refs"],
    "PYTHONEXECUTABLE": ["/bin/python3"],
    "PYTHONFAULTHANDLER": ["1", "0"],
    "PYTHONHASHSEED": ["random"],
    "PYTHONHOME": ["/usr"],
    "PYTHONINSPECT": ["1", "2", "0", "-1"],
    "PYTHONINTMAXSTRDIGITS": ["0"],
    "PYTHONIOENCODING": ["latin-1", "utf-16", "ascii:replace", ":strict", "utf-8:", ":"],
    "PYTHONLEGACYWINDOWSFSENCODING": ["1"],
    "PYTHONLEGACYWINDOWSSTDIO": ["1"],
    "PYTHONMALLOC": ["malloc", "debug"],
    "PYTHONMALLOCSTATS": ["1"],
    "PYTHONNODEBUGRANGES": ["1"],
    "PYTHONNOUSERSITE": ["1", "0"],
    "PYTHONOPTIMIZE": ["1", "2"],
    "PYTHONPATH": ["/nowhere", "."],
    "PYTHONPLATLIBDIR": ["lib"],
    "PYTHONPROFILEIMPORTTIME": ["1"],
    "PYTHONPYCACHEPREFIX": ["cache"],
    "PYTHONSAFEPATH": ["1", "0"],
    "PYTHONSTARTUP": ["startup.py", "nothing.py", "exits.py"],
    "PYTHONTHREADDEBUG": ["1"],
    "PYTHONTRACEMALLOC": ["1"],
    "PYTHONTZPATH": ["/nowhere"],
    "PYTHONUNBUFFERED": ["1", "0", "yes"],
    "PYTHONUSERBASE": ["base"],
    "PYTHONUTF8": ["1"],
    "PYTHONVERBOSE": ["1"],
    "PYTHONWARNDEFAULTENCODING": ["1"],
    "PYTHONWARNINGS": ["error::DeprecationWarning"],
    "PYTHONPERFSUPPORT": ["1"],
    "PYTHON_BASIC_COMPLETER": ["1"],
    "PYTHON_BASIC_REPL": ["1"],
    "PYTHON_COLORS": ["0"],
    "PYTHON_CONTEXT_AWARE_WARNINGS": ["1"],
    "PYTHON_CPU_COUNT": ["1"],
    "PYTHON_DISABLE_REMOTE_DEBUG": ["1"],
    "PYTHON_FROZEN_MODULES": ["off"],
    "PYTHON_GIL": ["1"],
    "PYTHON_HISTORY": ["history"],
    "PYTHON_JIT": ["0", "1"],
    "PYTHON_JIT_FITNESS_INITIAL": ["100"],
    "PYTHON_JIT_JUMP_BACKWARD_INITIAL_BACKOFF": ["100"],
    "PYTHON_JIT_JUMP_BACKWARD_INITIAL_VALUE": ["100"],
    "PYTHON_JIT_RESUME_INITIAL_BACKOFF": ["100"],
    "PYTHON_JIT_RESUME_INITIAL_VALUE": ["100"],
    "PYTHON_JIT_SIDE_EXIT_INITIAL_BACKOFF": ["100"],
    "PYTHON_JIT_SIDE_EXIT_INITIAL_VALUE": ["100"],
    "PYTHON_JIT_STRESS": ["1"],
    "PYTHON_LAZY_IMPORTS": ["all"],
    "PYTHON_PATHCONFIG_WARNINGS": ["0"],
    "PYTHON_PERF_JIT_SUPPORT": ["1"],
    "PYTHON_PRESITE": ["x"],
    "PYTHON_PYMALLOC_HUGEPAGES": ["1"],
    "PYTHON_SPECIALIZATION_OFF": ["1"],
    "PYTHON_THREAD_INHERIT_CONTEXT": ["1"],
    "PYTHON_TLBC": ["1"],
    "PYTHON_UOPS": ["1"],
    "PYTHON_UOPS_OPTIMIZE": ["0"],
}
AT_THE_PROMPT = ("PYTHONSTARTUP", "PYTHONIOENCODING")
LOOSE_VARIABLES = {"PYTHONVERBOSE": b"# installing zipimport hook",
                   "PYTHONPROFILEIMPORTTIME": b"import time:",
                   "PYTHONMALLOCSTATS": b"arenas"}


def loose_variable(env, text):
    for command in WAYS:
        got = once(command, ["-c", "print(1)"], {**env, "PYIMAGE": "auto"}, b"")
        tap.equal((got[0], got[2]), (b"1\n", 0))
        tap.that(text in got[1], got[1][:500])
        got = once(command, ["-c", "print(1)"], {**env, "PYIMAGE": "on"}, b"")
        tap.equal((got[0], got[2]), (b"", 70))


for found in OPTION.finditer(HEADER):
    tap.run("option %s: %s" % (found[1], found[3].lower()), option_row, found[1], found[3])
for found in VARIABLE.finditer(HEADER):
    tap.run("%s: %s" % (found[1], found[2].lower()), variable_row, *found.groups())


# ------------------------------------------------------------ combinations
@tap.test
def every_row_was_found():
    rows = len(re.findall(r"^\t\{ \"", HEADER, re.M))
    tap.equal(len(OPTION.findall(HEADER)) + len(VARIABLE.findall(HEADER)), rows)


@tap.test
def variables_that_python3_does_not_know():
    same([], {"PYTHON_VERSION": "3.11.2", "PYTHONNOSUCHTHING": "1", "PYTHON": "x"}, PROGRAMS[:2])


@tap.test
def bundles():
    for args in (["-Bsc", PROBE, "a"], ["-uIc" + PROBE, "-b"], ["-qBPm", "plain"],
                 ["-B", "-E", "-s", "--", "plain.py", "-x"], ["-xB", "script.py", "a"],
                 ["-BXfaulthandler", "plain.py"], ["-B", "--"], ["-sB", "-", "a"],
                 ["-B", "-"], ["--", "-c"], ["--", "-m", "x"], ["--", "-"], ["-Bc", ""], ["-Esm", "plain", "-m"]):
        same(args, programs=((),))
    for args in (["-BO", "plain.py"], ["-Bc"], ["-BX"], ["-y"], ["-By", "-c", "1"], ["---"],
                 ["--nothing"], ["-BJ"], ["-Xfaulthandler=0", "plain.py"], ["-m"]):
        falls_back(args, programs=((),))


@tap.test
def a_line_is_skipped():
    same(["-x"], programs=(("script.py",), ("-", ), ("fresh.py",)))


@tap.test
def options_and_variables_together():
    for args, env in ((["-i"], {"PYTHONINSPECT": "5"}), (["-ii"], {"PYTHONINSPECT": "1"}),
                      (["-u"], {"PYTHONIOENCODING": "latin-1"}),
                      (["-Bu"], {"PYTHONUNBUFFERED": "0", "PYTHONDONTWRITEBYTECODE": "0"}),
                      (["-I"], {"PYTHONPATH": "/x", "PYTHONHOME": "/y", "PYTHONINSPECT": "1"}),
                      (["-Ii"], {"PYTHONSTARTUP": "startup.py"}),
                      (["-i"], {"PYTHONSTARTUP": "startup.py"})):
        same(args, env)


@tap.test
def an_unknown_encoding_is_left_to_python3():
    for command in WAYS[:1]:
        env = {"PYTHONIOENCODING": "no-such-codec"}
        want = once([lib.PYTHON], ["-c", "pass"], env, b"")
        tap.equal(once(command, ["-c", "pass"], {**env, "PYIMAGE": "auto"}, b"")[2:], want[2:])
        got = once(command, ["-c", "pass"], {**env, "PYIMAGE": "on"}, b"")
        tap.equal((got[2], got[0]), (70, b""))


@tap.test
def inspect_after_an_end():
    for code in ("import sys; x = 1; sys.exit(3)", "1/0", "raise SystemExit", "x = = 1", "x = 1",
                 "import os; os.environ['PYTHONINSPECT'] = '1'"):
        for args in (["-i"], [], ["-iE"]):
            for program in (("-c", code), ("-m", "inspected"), ("inspected.py",)):
                FILES["inspected.py"] = code + "\n"
                same(args, programs=(program,), stdin=b"print('prompt', x)\n",
                     env={} if args else {"PYTHONINSPECT": "1"})
    del FILES["inspected.py"]


@tap.test
def a_frozen_module_that_holds_a_buffer():
    """Under -u python3 would have given it the raw file."""
    path = os.path.join(lib.TMP, "img", "buffer.pyimage")
    warm_up = lib.write(os.path.join(lib.folder("options"), "buffer.py"),
                        "import sys\nsys.kept = sys.stdout.buffer\n")
    tap.equal(lib.build(path, options=["-q"], warmups=[warm_up]).status, 0)
    for way in lib.WAYS.values():
        same([], programs=(("-c", "print(1)"),), ways=[way(path)])
        got = once(way(path), ["-u", "-c", "print(1)"], {"PYIMAGE": "on"}, b"")
        tap.equal((got[0], got[2]), (b"", 70))
        got = once(way(path), ["-u", "-c", "print(1)"], {"PYIMAGE": "auto"}, b"")
        tap.equal((got[0], got[2]), (b"1\n", 0))


EXITS = ("import os, sys\nos.environ['PYTHONINSPECT'] = '1'\n"
         "sys.exit(sys.argv[1] if sys.argv[1:] else 3)\n")


def on_terminal(command, args, typed):
    """Its standard input is a terminal on which this is typed already."""
    place()
    lib.write(TOP + "/exits.py", EXITS)
    py_compile.compile(TOP + "/exits.py", TOP + "/exits.pyc")
    os.rename(TOP + "/exits.pyc", TOP + "/bytecode")
    os.mkdir(TOP + "/folder")
    lib.write(TOP + "/folder/__main__.py", EXITS)
    master, slave = pty.openpty()
    os.write(master, typed)
    got = lib.run([*command, *args], stdin_file=slave, cwd=TOP, env={"TERM": "dumb"})
    os.close(slave)
    os.close(master)
    return got


@tap.test
def a_prompt_behind_what_exits():
    """Modules come back from SystemExit, since 3.13.15, 3.14.7 scripts and commands, too."""
    for args in (["-m", "exits"], ["-m", "exits", "text"], ["folder"], ["exits.py"],
                 ["exits.py", "text"], ["bytecode"], ["-c", EXITS], ["-c", EXITS, "text"]):
        typed = b"print(40 + 2, globals().get('__file__'))\n\x04"
        want = on_terminal([lib.PYTHON], args, typed)
        tap.that(b"42" in want.out or args[0] not in ("-m", "folder"), "python3 prompts")
        for command in WAYS:
            tap.equal(on_terminal(command, args, typed), want, args)


@tap.test
def a_fixed_hash_seed_is_not_random():
    path = os.path.join(lib.TMP, "img", "seed.pyimage")
    tap.equal(lib.build(path, options=["-q", "--keep-env", "PYTHONHASHSEED=0"]).status, 0)
    for command in (way(path) for way in lib.WAYS.values()):
        tap.equal(once(command, ["-c", "print(hash('a'))"], {"PYIMAGE": "on"}, b"")[2], 0)
        for args, env in (["-R"], {}), ([], {"PYTHONHASHSEED": "random"}):
            got = once(command, [*args, "-c", "print(1)"], {**env, "PYIMAGE": "on"}, b"")
            tap.equal((got[0], got[2]), (b"", 70))
            got = once(command, [*args, "-c", "import sys; print(sys.flags.hash_randomization)"],
                       {**env, "PYIMAGE": "auto"}, b"")
            tap.equal((got[0], got[2]), (b"1\n", 0))


@tap.test
def what_hangs_on_a_stream_ends_with_it():
    code = ("import sys, os\nclass D:\n def __del__(s, w=os.write): w(1, b'd')\n"
            "sys.stdout.zz = D(); sys.stdin.zz = D(); sys.stderr.zz = D()\nprint('x')\n")
    for args in [], ["-u"]:
        for env in {}, {"PYIMAGE_FINALIZE": "full"}, {"PYTHONIOENCODING": "latin-1"}:
            same(args, env, (("-c", code), ("-",)), stdin=code.encode())


@tap.test
def options_in_the_prefix_reach_every_fallback():
    """More than one, with blanks, and a late refusal."""
    path = os.path.join(lib.TMP, "img", "two-options.pyimage")
    words = ["-W", "ignore:some text:UserWarning", "-OB", "-X", "name=a b"]
    options = ["-q"]
    for text in "-W ignore:some text:UserWarning", "-OB", "-X name=a b":
        options += ["--python-option", text]
    tap.equal(lib.build(path, options=options).status, 0)
    program = ("-c", PROBE, "a", "b")
    want = once([lib.PYTHON], [*words, *program], {}, b"")
    for way in lib.WAYS.values():
        for mode in "on", "off", "auto":
            tap.equal(once(way(path), program, {"PYIMAGE": mode}, b""), want, mode)
        for env in {"LD_BIND_NOW": "1"}, {"PYTHONIOENCODING": "no-such-codec"}:
            tap.equal(once(way(path), program, {**env, "PYIMAGE": "auto"}, b"")[2:],
                      once([lib.PYTHON], [*words, *program], env, b"")[2:], env)


tap.done()
