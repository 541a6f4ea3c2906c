#!/usr/bin/python3
"""What modules do when they are imported, and what becomes of it: the same as in
python3, or a refusal that names it."""
import json
import os
import stat
import subprocess

import lib
from tap import Skip, differ, done, equal, run, that

STATE = "import sys, types\nm = sys.modules['kept'] = types.ModuleType('kept')\n"


def build(code, *options, place=None, **more):
    place = place or lib.folder("workload")
    path = lib.write(os.path.join(place, "arrange.py"), STATE + code)
    image = os.path.join(place, "image")
    got = lib.run([lib.PYDUMP, "build", "-q", "-w", path, "-o", image, *options], **more)
    return got, image


def image(code, *options):
    got, path = build(code, *options)
    equal(got, (0, b"", b""))
    return path


def go(path, code, before=(), **options):
    return lib.run([*before, path, "-c", code], **options)


# ------------------------------------------------------------ environment
def changed_variable():
    path = image("import os\nos.environ.setdefault('SOME_MODE', 'default')")
    code = "import os; print(os.environ['SOME_MODE'], 'kept' in __import__('sys').modules)"
    equal(go(path, code), (0, b"default True\n", b""))
    got = go(path, code, env={"SOME_MODE": "mine"})
    equal((got.status, got.out, b"SOME_MODE" in got.err), (70, b"", True))
    got = go(path, code, env={"SOME_MODE": "mine", "PYIMAGE": None})
    equal(got, (0, b"mine False\n", b""))
    got = go(path, code, env={"SOME_MODE": "mine", "PYIMAGE": None, "PYIMAGE_VERBOSE": "1"})
    equal((got.status, got.out), (0, b"mine False\n"))
    that(b"SOME_MODE; running plain Python instead\n" in got.err, got.err)


def library_variables():
    path = image("")
    for name in "OPENSSL_CONF", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NPY_X", "LOCPATH":
        got = go(path, "pass", env={name: "1"})
        equal((got.status, name.encode() in got.err), (70, True), name)


# ------------------------------------------------------------ what imports ask
def asker(body):
    """An image that holds a module with this body, imported in a folder of its own."""
    place = lib.folder("asker")
    lib.write(place + "/asking.py", body)
    code = "sys.path.insert(0, %r)\nimport asking\nsys.path.remove(%r)" % (place, place)
    return image(code), place


def asked_for_the_folder():
    for body in "import os\nV = os.getcwd()", "import os\nV = os.path.abspath('x')[:-2]", \
            "from posix import getcwdb as ask\nV = ask().decode()":
        path, place = asker(body)
        code = "import sys; print(sys.modules['asking'].V)"
        equal(go(path, code), (0, lib.WORK.encode() + b"\n", b""))
        got = go(path, code, cwd=place)
        equal((got.status, got.out), (70, b""), body)
        that(b"working folder, which module asking asked for" in got.err, got.err)
        got = go(path, "print(1)", cwd=place, env={"PYIMAGE": None})
        equal(got, (0, b"1\n", b""))


def asked_for_the_user():
    if os.getuid():
        raise Skip("optional: only root can be another user")
    for name in "getuid", "geteuid", "getgid", "getegid":
        path, _ = asker("import os\nV = os.%s()" % name)
        equal(go(path, "import os; print(os.%s())" % name), (0, b"0\n", b""))
        got = go(path, "pass", before=lib.as_nobody([]))
        equal((got.status, got.out), (70, b""), name)
        that(b"user or group, which module asking asked for" in got.err, got.err)


def functions_as_keys():
    """Their hash is of the C function, which others stand for while imports run."""
    path = image("import os, io\n"
                 "keys = m.keys = (os.getuid, os.getcwd, os.urandom, io.open, len)\n"
                 "m.names, m.all = {f: f.__name__ for f in keys}, set(keys)")
    code = "from kept import *; print([names[f] for f in keys], all >= set(keys), len(all))"
    equal(go(path, code), (0, b"['getuid', 'getcwd', 'urandom', 'open', 'len'] True 5\n", b""))


def files_that_were_read():
    """What they held is in the image, wherever it is kept: a setting, a template."""
    place = lib.folder("read")
    names = ["by_name", "by_path", "as_bytes", "relative", "updated", "gone"]
    for name in names:
        lib.write(os.path.join(place, name), "old")
    path = image(
        "import os, pathlib, io\n"
        "m.text = [open('%(p)s/by_name').read(), pathlib.Path('%(p)s/by_path').read_text(),\n"
        "    io.open(file=b'%(p)s/as_bytes', mode='rb').read(),"
        " open(os.path.relpath('%(p)s/relative')).read()]\n"
        "open('%(p)s/updated').read(); open('%(p)s/updated', 'a').close()\n"
        "open('%(p)s/gone').read(); os.unlink('%(p)s/gone')\n"
        "open('/proc/self/status').read()" % {"p": place})
    info = json.loads(lib.run([lib.PYDUMP, "info", "--json", path]).out)
    found = {os.path.basename(g["path"]) for g in info["guards"] if g["path"].startswith(place)}
    equal(found, set(names[:4]))
    equal([g["path"] for g in info["guards"] if g["path"].endswith(".pyc")], [])
    code = "import kept; print(kept.text)"
    equal(go(path, code).status, 0)
    lib.write(place + "/updated", "newer")
    lib.write(place + "/gone", "there")
    equal(go(path, code).status, 0)
    for name in names[:4]:
        status = os.stat(os.path.join(place, name))
        lib.write(os.path.join(place, name), "newer")
        got = go(path, code)
        equal((got.status, name.encode() in got.err), (70, True), name)
        lib.write(os.path.join(place, name), "old")
        os.utime(os.path.join(place, name), ns=(status.st_atime_ns, status.st_mtime_ns))


def asked_later():
    """Only the body of an imported module counts."""
    code = "import os\ndef ask(): return os.getcwd(), os.geteuid()\n"
    path, place = asker(code)
    got = go(path, "import sys; print(*sys.modules['asking'].ask())", cwd=place,
             before=lib.as_nobody([]) if os.getuid() == 0 else ())
    user = lib.NOBODY if os.getuid() == 0 else os.getuid()
    equal(got, (0, b"%s %d\n" % (place.encode(), user), b""))
    path = image("import os\nm.here = os.getcwd(), os.getuid()\n")	# a warm-up file
    equal(go(path, "print(1)", cwd=place), (0, b"1\n", b""))


# ------------------------------------------------------------ state that must be new
def sqlite_random():
    path = image("import sqlite3\n"
                 "sqlite3.connect(':memory:').execute('select random()').fetchall()")
    code = ("import sqlite3\n"
            "print(sqlite3.connect(':memory:').execute('select hex(randomblob(16))').fetchall())")
    one, other = go(path, code), go(path, code)
    equal((one.status, other.status), (0, 0))
    differ(one.out, other.out)


def host_name():
    if os.getuid() or lib.run(["unshare", "-u", "true"]).status:
        raise Skip("optional: only root can make a UTS namespace")
    path = image("import platform\nplatform.uname(), platform.platform()")
    got = go(path, "import platform; print(platform.node(), platform.uname().node)",
             before=["unshare", "-u", "sh", "-c", "hostname elsewhere && exec \"$@\"", "sh"])
    equal(got, (0, b"elsewhere elsewhere\n", b""))


def logging_start():
    path = image("import logging\nm.start = logging._startTime + 0")
    got = go(path, "import kept, logging\n"
             "r = logging.LogRecord('a', 1, 'b', 2, 'c', (), None)\n"
             "print(0 <= r.relativeCreated < 60000, logging._startTime > kept.start)")
    equal(got, (0, b"True True\n", b""))


def large_blocks_go_back():
    code = ("import sys\nbig, small = [], []\n"
            "for i in range(40):\n big.append(bytearray(b'x') * (5 << 20))\n"
            " small.append([object() for _ in range(1000)])\n"
            "def rss(): return int(open('/proc/self/statm').read().split()[1]) * 4096 >> 20\n"
            "full = rss()\ndel big\nprint(full >= 200, rss() < 100)")
    equal(go(image(""), code), (0, b"True True\n", b""))


# ------------------------------------------------------------ the process itself
CHANGES = {
    "umask": "os.umask(0o077)",
    "folder": "os.chdir('/usr')",
    "signals": "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])",
    "limits": "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
              "resource.setrlimit(resource.RLIMIT_NOFILE, (99, 99))",
    "priority": "os.nice(3)",
    "no_new_privs": "ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)",
    "name": "ctypes.CDLL(None).prctl(15, b'other', 0, 0, 0)",
    "timers": "signal.alarm(1000)",
    "child": "m.p = subprocess.Popen(['sleep', '100'], stderr=subprocess.DEVNULL,"
             " stdout=subprocess.DEVNULL)",
}


def refused_change(word, code):
    got, path = build("import ctypes, os, resource, signal, subprocess\n" + code)
    equal((got.status, os.path.exists(path)), (1, False), got.err)
    that(word.encode() in got.err, got.err)


# Memory and a lock that a process has in common with its children, and with nobody.
SHARED = """import mmap, multiprocessing
fork = multiprocessing.get_context("fork")    # others have a process for the names
m.lock = fork.Lock()
m.taken = fork.Semaphore(2)
m.taken.acquire()
m.memory = mmap.mmap(-1, 70000)
m.memory[:4] = b'kept'
"""
USE_SHARED = """import os, sys, kept
print(kept.memory[:4], kept.taken.acquire(block=False), kept.taken.acquire(block=False))
kept.lock.acquire()
pid = os.fork()
if not pid:
    kept.memory[:4] = b'sent'
    kept.lock.release()
    os._exit(0)
kept.lock.acquire()
print(kept.memory[:4], os.waitpid(pid, 0)[1])
sys.stdout.flush()
sys.stdin.read()
"""


def shared_memory():
    path = image(SHARED)
    want = b"b'kept' True False\nb'sent' 0\n"
    # The first one still lives while the second runs: they have nothing in common.
    first = subprocess.Popen([path, "-c", USE_SHARED], env=lib.ENV, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    lines = first.stdout.readline() + first.stdout.readline()
    equal(go(path, USE_SHARED), (0, want, b""))
    first.communicate()
    equal((lines, first.returncode), (want, 0))


# 18: MADV_WIPEONFORK. Whoever finds it empty is in another process than before.
WIPED = """import ctypes, mmap
libc = ctypes.CDLL(None, use_errno=True)
m.page = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
m.page[:4] = b'mine'
start = ctypes.c_char.from_buffer(m.page)
assert libc.madvise(ctypes.c_void_p(ctypes.addressof(start)), ctypes.c_size_t(4096), 18) == 0
del start
"""
USE_WIPED = """import kept, os
print(kept.page[:4])
kept.page[:4] = b'now.'
if not os.fork():
    os.write(1, ascii(kept.page[:4]).encode())
    os._exit(0)
os.wait()
print(kept.page[:4])
"""


def wiped_memory():
    got = go(image(WIPED), USE_WIPED)
    empty = ascii(bytes(4)).encode()
    equal(got, (0, empty + empty + b"\nb'now.'\n", b""))


# What it does with standard streams, and what python3 does after the same.
STREAMS = {
    "line buffering": "import sys\nsys.stdout.reconfigure(line_buffering=True)\n",
    "errors": "import sys\nsys.stdout.reconfigure(errors='replace')\n"
              "sys.stderr.reconfigure(errors='strict')\n",
    "encoding": "import sys\nsys.stdout.reconfigure(encoding='latin-1')\n"
                "sys.stdin.reconfigure(encoding='latin-1', errors='surrogateescape')\n",
    # a start may have another one
    "the encoding that it has": "import sys\nsys.stdout.reconfigure(encoding='utf-8')\n",
    "an attribute": "import sys\nsys.stdout.buffer.write = lambda data, w=sys.stdout.buffer"
                    ".write: w(data.upper())\nsys.stdin.mine = 'kept'\n",
}
SHOW_STREAMS = """
for file in sys.stdin, sys.stdout, sys.stderr:
    print(file.name, file.mode, file.encoding, file.errors, file.line_buffering,
          file.write_through, getattr(file, 'mine', None))
print(ascii(sys.stdin.read()))
sys.stdout.buffer.write(b'bytes')
import os
os.write(1, b'|')
try: print('\xe9\u20ac')
except UnicodeError as e: print(e)
"""


def stream(code):
    path = image(code)
    for variables in {}, {"PYTHONIOENCODING": "ascii:ignore"}, {"PYTHONUNBUFFERED": "1"}:
        if "buffer" in code and variables:
            continue	# a module that holds a buffer: python3 takes over
        what = {"env": variables, "stdin": b"in\xe9\xc3\xa9"}
        want = lib.run([lib.PYTHON, "-c", code + SHOW_STREAMS], **what)
        equal(go(path, "import sys" + SHOW_STREAMS, **what), want, variables)


def closed_stream():
    path = image("import sys\nm.e = sys.stderr")
    got = go(path, "print(2)", before=["sh", "-c", "exec \"$@\" 2>&-", "sh"])
    equal((got.status, got.out, got.err), (70, b"", b""))
    got = go(path, "print(2)", before=["sh", "-c", "exec \"$@\" 2>&-", "sh"],
             env={"PYIMAGE": "auto"})
    equal((got.status, got.out, got.err), (0, b"2\n", b""))


def path_order():
    place = lib.folder("order")
    for name in "front", "prog":
        os.mkdir(os.path.join(place, name))
        lib.write(os.path.join(place, name, "confmod.py"), "V = %r\n" % name)
    lib.write(place + "/prog/main.py", "import confmod, sys\nprint(confmod.V, sys.path[:2])\n")
    path = image("sys.path.insert(0, %r)" % (place + "/front"))
    got = go(path, "import sys; print(sys.path[1:2], '/<script>' in sys.path,"
             " '/<script>' in sys.path_importer_cache)")
    equal(got.out, b"[''] False False\n")
    # last, since it writes into a folder on sys.path
    got = lib.run([path, place + "/prog/main.py"])
    want = "front ['%s/front', '%s/prog']\n" % (place, place)
    equal(got, (0, want.encode(), b""))


# ------------------------------------------------------------ the end
def as_python(name, arrange, code):
    got = go(image(arrange), code)
    want = lib.run([lib.PYTHON, "-c", STATE + arrange + "\n" + code])
    equal(got, want, name)


ENDS = {
    "Py_AtExit": ("import ctypes, resource\n",
                  "import ctypes, resource\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
                  "ctypes.pythonapi.Py_AtExit("
                  "ctypes.cast(ctypes.CDLL(None).abort, ctypes.c_void_p))"),
    "pthread_exit flushes C's stdout": (
        "import ctypes\n", "import ctypes\nlibc = ctypes.CDLL(None)\n"
        "libc.printf(b'said\\n')\nlibc.pthread_exit(None)"),
    "destructors of a frozen library": (
        "import ctypes\nm.lib = ctypes.CDLL(%r)\n" % (lib.LIB + "/fini.so"), "print('end')"),
    "destructors of libraries that need each other": (
        "import ctypes\nm.lib = ctypes.CDLL(%r)\n" % (lib.LIB + "/fini_top.so"), "print('end')"),
    "the same, loaded by the program": (
        "import ctypes\n",
        "import ctypes\nctypes.CDLL(%r)\nprint('end')" % (lib.LIB + "/fini_top.so")),
    "a destructor closes a library": (
        "import ctypes\n",
        "import ctypes\nctypes.CDLL(%r)\nprint('end')" % (lib.LIB + "/fini_closer.so")),
    "a frozen library is closed": (
        "import ctypes, _ctypes\nm.lib = ctypes.CDLL(%r)\n" % (lib.LIB + "/tls_late.so"),
        "import sys, _ctypes\n_ctypes.dlclose(sys.modules['kept'].lib._handle)\nprint('end')"),
    "an object in a daemon thread's frame": (
        "import threading\n",
        "import threading\nready = threading.Event()\nclass A:\n"
        " def __del__(self): print('del')\n"
        "def f():\n a = A()\n ready.set()\n threading.Event().wait()\n"
        "threading.Thread(target=f, daemon=True).start()\nready.wait()"),
    "a generator that a daemon thread runs": (
        "import threading\n",
        "import threading\nready = threading.Event()\n"
        "def g():\n ready.set()\n threading.Event().wait()\n yield\n"
        "threading.Thread(target=list, args=(g(),), daemon=True).start()\nready.wait()"),
}


# ------------------------------------------------------------ the build
def replaced_while_building():
    place = lib.folder("replaced")
    site = place + lib.USER_SITE
    os.makedirs(site)
    code = "import os\nos.replace(os.path.dirname(__file__) + '/new', __file__)\nV = 'old'\n"
    lib.write(site + "/slow_module.py", code)
    lib.write(site + "/new", "V = 'new'\n")
    os.utime(site + "/new", (1e9, 1e9))
    got = lib.run([lib.PYDUMP, "build", "-q", "-i", "slow_module", "-o", place + "/image",
                   "--freshness", "stat"], env={"HOME": place})
    equal((got.status, b"changed while building" in got.err), (1, True), got.err)


def folder_of_others():
    place = lib.folder("others")
    os.chmod(place, 0o777)
    got, path = build("", place=place)
    equal((got.status, os.path.exists(path)), (1, False), got.err)
    that(b"other users may write" in got.err, got.err)
    if os.getuid() == 0:
        os.chmod(place, 0o755)
        os.chown(place, lib.NOBODY, lib.NOBODY)
        got, path = build("", place=place)
        equal((got.status, b"another user" in got.err), (1, True), got.err)
    that(stat.S_IMODE(os.stat(place).st_mode), "it is still there")


def shadowed_in_the_folder():
    """What stands in the caller's folder is nothing to the image."""
    place = lib.folder("shadow")
    lib.write(place + "/enum.py", "raise SystemExit('shadow')\n")
    got = lib.run([lib.PYDUMP, "build", "-i", "json", "-o", place + "/image"], cwd=place)
    equal((got.status, got.err), (0, b""))


run("a variable that imports changed", changed_variable)
run("variables of libraries", library_variables)
run("a module that asks for the folder", asked_for_the_folder)
run("a module that asks for the user", asked_for_the_user)
run("a module that asks later", asked_later)
run("functions as keys", functions_as_keys)
run("files that imports read", files_that_were_read)
run("sqlite's random numbers", sqlite_random)
run("the machine's name", host_name)
run("logging's start", logging_start)
run("large blocks go back to the system", large_blocks_go_back)
for word, code in CHANGES.items():
    run("changed at import: " + word, refused_change, word, code)
run("memory shared with children", shared_memory)
run("memory that a fork empties", wiped_memory)
for name, code in STREAMS.items():
    run("a standard stream is given " + name, stream, code)
run("a kept stream whose descriptor is closed", closed_stream)
run("imports insert into sys.path", path_order)
for name, (arrange, code) in ENDS.items():
    run(name, as_python, name, arrange, code)
run("a file replaced while building", replaced_while_building)
run("a folder of other users", folder_of_others)
run("a shadow in the caller's folder", shadowed_in_the_folder)
done()
