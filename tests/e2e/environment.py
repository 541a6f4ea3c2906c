#!/usr/bin/python3
"""Which variables of the environment the workload read, who read them, and that an
image starts only where they are as they were while it was built."""
import json
import os

import lib
from tap import done, equal, run, that

PLACE = lib.folder("environment")
MODULES = os.path.join(PLACE, "modules")
os.mkdir(MODULES)
AUTO = {"PYIMAGE": "auto"}
WHO = "import sys; print('image' if 'reader' in sys.modules else 'plain')"
BASE = {"LANG": "C.UTF-8"}


def build(code, *options, name="image", env=None):
    """An image whose warm-up leaves a module of this code in sys.modules."""
    path = os.path.join(PLACE, name)
    file = lib.write(os.path.join(PLACE, "warm.py"),
                     "import sys, types\nreader = sys.modules['reader'] = "
                     "types.ModuleType('reader')\n" + code)
    got = lib.run([lib.PYDUMP, "build", "-q", "-o", path, "-w", file, *options],
                  env={**BASE, "PYIMAGE": None, **(env or {})})
    equal((got.status, got.out), (0, b""), got.err.decode())
    return path


def variables(path):
    """name: its row in pydump info --json."""
    info = json.loads(lib.run([lib.PYDUMP, "info", "--json", path]).out)
    return {row["name"]: row for row in info["variables"]}


def who(path, env=None, way="kernel"):
    got = lib.run([*lib.WAYS[way](path), "-c", WHO], env={**BASE, **AUTO, **(env or {})})
    equal((got.status, got.err), (0, b""))
    return got.out.decode().strip()


def starts(path, env, word=None):
    """As an image; or, where there is a word, not, and for a reason that has it."""
    for way in lib.WAYS:
        equal(who(path, env, way), "plain" if word else "image", "%s %s" % (way, env))
    if not word:
        return
    got = lib.run([path, "-c", "pass"], env={**BASE, **env})
    equal((got.status, got.out), (70, b""), got.err)
    that(word.encode() in got.err, got.err)
    that(not any(value and value.encode() in got.err for value in env.values()
                 if value not in ("C", "C.UTF-8", "de", "/")), "a value is told: %r" % got.err)


# ------------------------------------------------------------ who reads
WAYS = {
    "os.environ[]": "try: os.environ['%s']\nexcept KeyError: pass",
    "os.environ.get": "os.environ.get('%s')",
    "os.getenv": "os.getenv('%s')",
    "os.getenvb": "os.getenvb(b'%s')",
    "os.environb": "os.environb.get(b'%s')",
    "in os.environ": "'%s' in os.environ",
    "os.environ.setdefault": "os.environ.setdefault('%s', ''); del os.environ['%s']",
    "os.environ.pop": "os.environ.pop('%s', None)",
    "os.path.expandvars": "os.path.expandvars('$%s/x')",
    "getenv in C": "ctypes.CDLL(None).getenv(b'%s')",
    "secure_getenv in C": "ctypes.CDLL(None).secure_getenv(b'%s')",
}


def every_way():
    names = {"V%d" % n: way for n, way in enumerate(WAYS)}
    code = "import os, ctypes\n" + "".join(
        WAYS[way].replace("%s", name) + "\n" for name, way in names.items())
    rows = variables(build(code))
    for name, way in names.items():
        that(name in rows, way + " was not seen")
        row = rows[name]
        equal((row["guard"], row["set"]), (True, False), way)
        if " in C" not in way:
            that("__main__ (%s/warm.py, line " % PLACE in row["reader"], row)
    lines = {int(rows[n]["reader"].rpartition("line ")[2].rstrip(")"))
             for n, way in names.items() if " in C" not in way}
    equal(len(lines), len(WAYS) - 2, "lines of readers")


def the_readers_are_named():
    os.makedirs(MODULES + "/pack", exist_ok=True)
    lib.write(MODULES + "/pack/__init__.py", "\nimport os\nX = os.environ.get('PACK_X')\n")
    rows = variables(build("sys.path.append(%r)\nimport pack, hashlib\nsys.path.pop()\n"
                           # OpenSSL 3.5 reads it when it is used
                           "hashlib.new('sha256')" % MODULES))
    equal(rows["PACK_X"]["reader"], "pack (%s/pack/__init__.py, line 3)" % MODULES)
    that(rows["OPENSSL_CONF"]["reader"].startswith("libcrypto.so"), rows["OPENSSL_CONF"])
    got = lib.run([lib.PYDUMP, "info", PLACE + "/image"]).out.decode()
    that("variable  guard    unset PACK_X by pack (" in got, got)
    # what the interpreter reads itself is not the workload's
    equal([n for n in rows if n.startswith(("PYTHON", "PYIMAGE", "PYDUMP"))], [])
    that("LC_CTYPE" not in rows, rows)


def nothing_is_left():
    """os.environ, its type and exec are the ordinary ones."""
    path = build("import os\nos.environ.get('A')\nreader.data = os.environ._data\n"
                 "os.environ['SET'] = 'by an import'")
    code = ("import builtins, os, posix, gc\n"
            "print(type(os.environ), type(os.environ._data), os.environb._data is "
            "os.environ._data, os.environ._data is posix.environ, os.environ.get('SET'),"
            "type(os.environ).__mro__, builtins.exec, exec.__module__, exec.__text_signature__,"
            "[c for c in object.__subclasses__() if c.__name__ == '_Data'],"
            "sorted(os.environ))")
    env = {**BASE, "B": "1"}
    got = lib.run([path, "-c", code], env=env)
    want = lib.run([lib.PYTHON, "-c", "import os; os.environ['SET'] = 'by an import'\n" + code],
                   env=env)
    equal(got.err, b"")
    # who kept the stand-in has one that still works; its type lives on with it
    equal(got.out.decode().replace("[<class 'os._Data'>]", "[]"), want.out.decode())
    got = lib.run([path, "-c", "import sys, os\nd = sys.modules['reader'].data\n"
                   "print(d[b'B'], b'NO' in d, len(d) == len(os.environ), dict(d) == "
                   "os.environ._data)"], env=env)
    equal((got.out, got.err), (b"b'1' False True True\n", b""))
    path = build("import os\nos.environ.get('A')")
    got = lib.run([path, "-c", code], env=env).out.decode()
    equal(got, lib.run([lib.PYTHON, "-c", code], env=env).out.decode())


def getenv_is_libc_s():
    """In the image the functions that noted reads are jumps to libc's own."""
    path = build("import os, ctypes\nreader.libc = ctypes.CDLL(None)\n"
                 "reader.libc.getenv.restype = ctypes.c_char_p\nreader.libc.getenv(b'A')",
                 "--no-guard-env", "A")
    code = ("import sys, ctypes\nlibc = sys.modules['reader'].libc\n"
            "print(libc.getenv(b'A'), ctypes.string_at(ctypes.cast(libc.getenv, "
            "ctypes.c_void_p).value, 12).hex())\n"
            "libc.setlocale.restype = ctypes.c_char_p\nprint(libc.setlocale(6, b'C'))")
    got = lib.run([path, "-c", code], env={**BASE, "A": "here"})
    equal(got.err, b"")
    found = got.out.decode().split()
    equal((found[0], found[1][:4], found[1][-4:], found[2]), ("b'here'", "48b8", "ffe0", "b'C'"))


for test in every_way, the_readers_are_named, nothing_is_left, getenv_is_libc_s:
    run(test.__name__.replace("_", " "), test)


# ------------------------------------------------------------ guards
READ = "import os\nreader.mode = os.environ.get('APP_MODE', 'none')\n"


def a_read_is_a_guard():
    path = build(READ)
    starts(path, {})
    starts(path, {"APP_MODEL": "x", "APP": "x"})
    for value in "s3cret", "", "x" * 100000:
        starts(path, {"APP_MODE": value}, "APP_MODE")
    path = build(READ, "--keep-env", "APP_MODE=batch")
    starts(path, {"APP_MODE": "batch"})
    for env in {"APP_MODE": "batches"}, {"APP_MODE": ""}, {}:
        starts(path, env, "APP_MODE")
    path = build(READ, "--no-guard-env", "APP_MODE")
    starts(path, {"APP_MODE": "s3cret"})
    equal(variables(path)["APP_MODE"]["guard"], False)


def asked_for():
    path = build("", "--guard-env", "APP_MODE", "--guard-env", "HOME")
    starts(path, {})
    starts(path, {"APP_MODE": "s3cret"}, "APP_MODE")
    starts(path, {"HOME": "/nowhere"}, "HOME")
    starts(path, {"HOME": None}, "HOME")
    equal(variables(path)["APP_MODE"]["reader"], "")
    for option in ("--guard-env=A=1", "--guard-env=", "--guard-env=*",
                   "--guard-env=PYTHONPATH", "--no-guard-env=PYIMAGE"):
        got = lib.run([lib.PYDUMP, "build", "-o", PLACE + "/none", option])
        equal((got.status, os.path.exists(PLACE + "/none")), (2, False), option)
        that(got.err.count(b"\n") <= 2, got.err)


def changed_before_it_is_read():
    """What counts is what the start had, not what an import made of it."""
    path = build("import os\nos.environ['APP_MODE'] = 'mine'\nos.environ['APP_MODE']")
    starts(path, {})
    starts(path, {"APP_MODE": "mine"}, "APP_MODE")


def site_reads_too():
    """Lines of .pth files and what they import run before the imports."""
    venv = os.path.join(PLACE, "venv")
    lib.run([lib.PYTHON, "-m", "venv", "--without-pip", venv])
    folder = venv + "/lib/python%s/site-packages/" % lib.VERSION
    lib.write(folder + "x.pth", "import os; os.environ.get('BY_PTH')\nimport by_pth\n")
    lib.write(folder + "by_pth.py", "import os\n'BY_SITE' in os.environ\n")
    path = build("", "--python", venv + "/bin/python", name="site-image")
    for name in "BY_PTH", "BY_SITE":
        that(name in variables(path), variables(path))
        starts(path, {name: "s3cret"}, name)


def where_libraries_are():
    """ctypes.util gives the linker the environment, a folder and a name."""
    path = build("import ctypes.util\n"
                 "reader.found = ctypes.util.find_library('no-such-library')")
    starts(path, {"ANY_OTHER": "s3cret", "TMPDIR": "/", "PATH": os.environ["PATH"] + ":/"})
    equal(variables(path)["PATH"]["guard"], False)
    path = build("import ctypes.util, shutil\n"
                 "reader.found = ctypes.util.find_library('c'), shutil.which('true')")
    starts(path, {"PATH": os.environ["PATH"] + ":/"}, "PATH")


def what_kind_of_program():
    """platform gives file(1) the environment; Cryptodome, of yt-dlp, asks."""
    path = build("import platform\nreader.found = platform.architecture()")
    starts(path, {"ANY_OTHER": "s3cret", "TERM": "xterm"})


def languages():
    """gettext: no language and the C locale's names are the same."""
    path = build("import gettext\nreader.text = gettext.gettext('x')")
    equal(variables(path)["LANGUAGE"]["language_only"], True)
    for env in ({}, {"LANG": None}, {"LANG": "C"}, {"LANGUAGE": ""}, {"LC_ALL": "C.UTF-8"},
                {"LANGUAGE": "C"}):
        starts(path, env)
    starts(path, {"LANGUAGE": "de"}, "LANGUAGE")
    starts(path, {"LC_MESSAGES": "de_DE.UTF-8"}, "LC_MESSAGES")


def locales():
    path = build("import locale\nreader.l = locale.setlocale(locale.LC_ALL, '')")
    that(variables(path)["LC_TIME"]["reader"].startswith("__main__ ("), variables(path))
    starts(path, {})
    starts(path, {"LC_TIME": "de_DE.UTF-8"}, "LC_TIME")
    starts(path, {"LANG": "C"}, "LANG")


def coercion():
    """In the C locale python3 sets LC_CTYPE, for its children, too."""
    code = "import os\nreader.kept = os.environ.get('LC_CTYPE')"
    show = "import sys; print(sys.modules['reader'].kept)"
    path = build(code, env={"LANG": None})
    for value in None, "", "C", "POSIX", "C.UTF-8":
        env = {"LANG": None, "LC_CTYPE": value}
        equal(lib.run([lib.PYTHON, "-c", "import os; print(os.environ['LC_CTYPE'])"],
                      env=env).out, b"C.UTF-8\n")
        starts(path, env)
        equal(lib.run([path, "-c", show], env={**env, "PYIMAGE": "on"}).out, b"C.UTF-8\n")
    starts(path, {"LANG": None, "LC_CTYPE": "de_DE.UTF-8"}, "locale")
    starts(path, {"LANG": "C.UTF-8", "LC_CTYPE": "C.UTF-8"}, "LANG")
    path = build(code)
    starts(path, {})
    starts(path, {"LC_CTYPE": "C.UTF-8"}, "LC_CTYPE")


def the_whole_environment():
    code = "import os\nreader.all = dict(os.environ)"
    path = build(code)
    row = variables(path)["*"]
    equal(row["guard"], True)
    that("warm.py, line 4" in row["reader"], row)
    starts(path, {"PWD": "/", "_": "/bin/x", "SHLVL": "2"})
    starts(path, {"ANY": "s3cret"}, "ANY")
    starts(path, {"HOME": "/nowhere"}, "HOME")
    path = build(code + "\nos.environ.get('APP_MODE')", "--no-guard-env", "*")
    starts(path, {"ANY": "s3cret", "HOME": "/nowhere"})
    starts(path, {"APP_MODE": "s3cret"}, "APP_MODE")


def those_that_begin_alike():
    """tqdm, numba, dask go through all for their own (the table in reads.c)."""
    place = lib.folder("chooser")
    os.mkdir(place + "/tqdm")
    lib.write(place + "/tqdm/__init__.py", "")
    lib.write(place + "/tqdm/utils.py", "import os\nfound = {\n    k: v for k, v in"
              " os.environ.items() if k.startswith('TQDM_')}\n")
    lib.run(["chmod", "-R", "go+rX", place])
    code = "import sys\nsys.path.insert(0, %r)\nimport tqdm.utils" % place
    path = build(code, "--keep-env", "TQDM_ONE=kept")
    rows = variables(path)
    that("*" not in rows, rows)
    equal([n for n in rows if rows[n]["guard"] and "TQDM" in n], ["TQDM_*", "TQDM_ONE"])
    starts(path, {"TQDM_ONE": "kept"})
    starts(path, {"TQDM_ONE": "kept", "ANY": "s3cret", "TQDM": "x", "HOME": "/nowhere"})
    starts(path, {"TQDM_ONE": "kept", "TQDM_": "s3cret"}, "TQDM_")
    starts(path, {"TQDM_ONE": "kept", "TQDM_TWO": "s3cret"}, "TQDM_TWO")
    starts(path, {"TQDM_ONE": "s3cret"}, "TQDM_ONE")
    starts(path, {}, "TQDM_ONE")


def kept_for_the_loader():
    """What the loader and early libraries read unseen, where it was let in."""
    where = {"LD_LIBRARY_PATH": "/opt/lib", "OMP_NUM_THREADS": "31415"}
    path = build("", *(w for n, v in where.items() for w in ("--keep-env", "%s=%s" % (n, v))))
    starts(path, where)
    starts(path, {"OMP_NUM_THREADS": "31415"}, "LD_LIBRARY_PATH")
    for env in {"OMP_NUM_THREADS": "27182"}, {"LD_BIND_NOW": "1"}:
        equal(who(path, {**where, **env}), "plain", env)


def homes():
    """The user site folder and sysconfig's userbase have their own rules."""
    path = build("import sysconfig\nreader.base = sysconfig.get_config_var('userbase')")
    equal(variables(path)["HOME"]["guard"], False)
    code = "import sysconfig; print(sysconfig.get_config_var('userbase'))"
    for home in lib.TMP + "/home", "/nowhere", None:
        got = lib.run([path, "-c", code], env={**BASE, "HOME": home})
        equal(got, lib.run([lib.PYTHON, "-c", code], env={**BASE, "HOME": home}), home)
    path = build("import os\nreader.home = os.path.expanduser('~/x')")
    starts(path, {"HOME": "/nowhere"}, "HOME")


def warned():
    """Of what the caller has set and the build did not let in."""
    file = lib.write(PLACE + "/warn.py", "import os; os.environ.get('APP_MODE')")
    got = lib.run([lib.PYDUMP, "build", "-o", PLACE + "/warned", "-w", file],
                  env={"APP_MODE": "secret", "PYIMAGE": None})
    equal(got.status, 0, got.err)
    that(b"warning   APP_MODE is set here" in got.out, got.out)
    that(b"secret" not in got.out + got.err, got.out)


def hostile_names():
    code = ("import os, ctypes\nfor n in ('', '=', 'A=B', 'A\\n\\x1b[31m', '\\udcff', 'x' * 3000):\n"
            "    os.environ.get(n)\n"
            "ctypes.CDLL(None).getenv(b''); ctypes.CDLL(None).getenv(b'C=D')\n")
    path = build(code)
    rows = variables(path)
    equal({n for n in rows if n[:1] in ("", "=", "A", "C", "x") and n[:3] != "COV"},
          {"A\n\x1b[31m", "x" * 3000})
    got = lib.run([lib.PYDUMP, "info", path])
    equal((got.status, b"\x1b" in got.out), (0, False))
    starts(path, {"x" * 3000: "s3cret"}, "x" * 60)
    file = lib.write(PLACE + "/many.py", "import os\nfor n in range(9000): os.environ.get('V%d' % n)")
    got = lib.run([lib.PYDUMP, "build", "-o", PLACE + "/many", "-w", file])
    equal((got.status, os.path.exists(PLACE + "/many")), (1, False))
    that(b"variables of the environment" in got.err, got.err)
    lib.write(PLACE + "/many.py", "import os\nfor n in range(2100): os.environ.get('V%d' % n)")
    got = lib.run([lib.PYDUMP, "build", "-o", PLACE + "/many", "-w", file])
    equal((got.status, os.path.exists(PLACE + "/many")), (1, False))
    that(b"--no-guard-env" in got.err, got.err)


for test in (a_read_is_a_guard, asked_for, changed_before_it_is_read, site_reads_too, where_libraries_are,
             what_kind_of_program, languages, locales, coercion, the_whole_environment,
             those_that_begin_alike,
             kept_for_the_loader, homes, warned, hostile_names):
    run(test.__name__.replace("_", " "), test)
done()
