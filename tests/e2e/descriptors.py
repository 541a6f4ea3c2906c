#!/usr/bin/python3
"""Files that are open at the freeze: those that a restore can open again are as in
python3, and whatever else is open, locked or mapped is refused with the module and
line that did it."""
import os
import subprocess

import lib
from tap import Skip, done, equal, run, that

SITE = lib.USER_SITE + "/"


def package(code, name="opener_module"):
    """A home whose user site folder holds a module with this code."""
    home = lib.folder("home")
    os.makedirs(home + SITE)
    lib.write(home + SITE + name + ".py", code)
    return home


def build(code, *options):
    """Build an image that imports the code as opener_module."""
    home = package(code)
    path = home + "/image"
    got = lib.build(path, ["opener_module"], options=options, env={"HOME": home})
    return got, path, home


def good(code, *options):
    got, path, home = build(code, *options)
    equal((got.status, got.err), (0, b""), "the build's end")
    return path, home


# ------------------------------------------------------------ what is refused
def refused(code, *words, line=None):
    got, path, home = build(code)
    text = got.err.decode()
    equal((got.status, got.out), (1, b""), text)
    that(not os.path.exists(path), "an image is left")
    for word in words:
        that(word in text, "%r is not in %s" % (word, text))
    if line:
        want = "by module opener_module (%s%sopener_module.py, line %d;" % (home, SITE, line)
        that(want in text, "%r is not in %s" % (want, text))


FILE = lib.write(lib.WORK + "/descriptors.txt", "0123456789\n")
FIFO = lib.WORK + "/descriptors.fifo"
os.mkfifo(FIFO)
KINDS = {
    # what it is: (words of the message, code, line)
    "a socket": ("a socket", "import socket\ns = socket.socket()", 2),
    "a connected socket": ("a socket", "import socket\na, b = socket.socketpair()", 2),
    "a pipe": ("a pipe", "import os\np = os.pipe()", 2),
    "a named pipe": ("a named pipe", "import os\nf = os.open(%r, os.O_RDWR)" % FIFO, 2),
    "epoll of C": ("an epoll", "import ctypes\ne = ctypes.CDLL(None).epoll_create1(0)", 2),
    "epoll that watches": ("an epoll", "import os, select\ne = select.epoll()\n"
                           "a, b = os.pipe()\ne.register(a)", None),
    "epoll that watches what is closed": (
        "an epoll", "import os, select\ne = select.epoll()\na, b = os.pipe()\n"
        "e.register(a)\nc = os.dup(a)\nos.close(a)", None),
    "a selector that watches": ("an epoll", "import selectors, socket\n"
                                "s = selectors.DefaultSelector()\n"
                                "s.register(socket.socket(), selectors.EVENT_READ)", 2),
    "an event loop that reads": ("an epoll", "import asyncio, os\n"
                                 "loop = asyncio.new_event_loop()\n"
                                 "loop.add_reader(os.pipe()[0], print)", 2),
    "a copy of an event loop's": ("a socket", "import asyncio, os\n"
                                  "loop = asyncio.new_event_loop()\n"
                                  "s = loop._csock.dup()", 3),
    "eventfd": ("an eventfd", "import os\ne = os.eventfd(0)", 2),
    "timerfd": ("a timer", "import ctypes\nt = ctypes.CDLL(None).timerfd_create(1, 0)", 2),
    "signalfd": ("a signalfd", "import ctypes\n"
                 "s = ctypes.CDLL(None).signalfd(-1, (ctypes.c_ulong * 16)(), 0)", 2),
    "inotify": ("an inotify", "import ctypes\ni = ctypes.CDLL(None).inotify_init()", 2),
    "memfd": ("a memory file", "import os\nm = os.memfd_create('name')", 2),
    "pidfd": ("a process", "import os\np = os.pidfd_open(os.getpid())", 2),
    "/dev/zero": ("a device (/dev/zero)", "f = open('/dev/zero', 'rb')", 1),
    "/dev/urandom": ("a device (/dev/urandom)", "f = open('/dev/urandom', 'rb')", 1),
    "a pseudo-terminal": ("a device", "import os\na, b = os.openpty()", 2),
    "a folder": ("a folder (/usr)", "import os\nd = os.open('/usr', os.O_RDONLY)", 2),
    "a scan that is not over": ("a folder (/usr)", "import os\nd = os.scandir('/usr')\nnext(d)",
                                2),
    "O_PATH": ("(O_PATH)", "import os\nf = os.open('/etc/passwd', os.O_PATH)", 2),
    "/proc/self": ("that the kernel makes", "f = open('/proc/self/status')", 1),
    "/proc": ("that the kernel makes", "f = open('/proc/meminfo')", 1),
    "/sys": ("that the kernel makes", "f = open('/sys/kernel/mm/transparent_hugepage/enabled')",
             1),
    "for writing": ("opened for writing", "f = open(%r, 'w')" % (FILE + ".w"), 1),
    "for reading and writing": ("opened for writing", "f = open(%r, 'r+')" % FILE, 1),
    "for reading and appending": ("opened for writing", "f = open(%r, 'a+')" % FILE, 1),
    "a file that was removed": ("a deleted file", "import os\nf = open(%r, 'w+')\nos.remove(f.name)"
                                % (FILE + ".gone"), 2),
    "a file that was renamed": ("whose name is gone", "import os\nos.link(%r, %r)\nf = open(%r)\n"
                                "os.remove(f.name)" % (FILE, FILE + "1", FILE + "1"), 3),
    "a temporary file": ("a deleted file", "import tempfile\nf = tempfile.TemporaryFile()", 2),
    "flock": ("that it has locked", "import fcntl\nf = open(%r)\nfcntl.flock(f, fcntl.LOCK_SH)"
              % FILE, 2),
    "lockf": ("that it has locked", "import fcntl\nf = open(%r)\nfcntl.lockf(f, fcntl.LOCK_SH)"
              % FILE, 2),
    "a file of the build": ("changed while building", "open(%r, 'w').close()\nf = open(%r)"
                            % (FILE + ".new", FILE + ".new"), 2),
    "a copy of stderr": ("a standard stream", "import os\nf = os.dup(2)", 2),
    "a mapping of a file": ("descriptors.txt) is memory that is shared", "import mmap\n"
                            "f = open(%r, 'r+b')\nm = mmap.mmap(f.fileno(), 0)\nf.close()\n"
                            "import os\nfor n in os.listdir('/proc/self/fd'):\n"
                            "    if int(n) > 2 and int(n) < 100 and os.path.exists('/dev/fd/' + n):\n"
                            "        os.close(int(n))" % FILE, 3),
    "shared memory": ("a deleted file", "import multiprocessing as m\na = m.RawArray('i', 5)", 2),
    "named shared memory": ("a child process", "from multiprocessing import shared_memory\n"
                            "m = shared_memory.SharedMemory(None, True, 5000)\nm.unlink()", None),
}
for name, (words, code, at) in KINDS.items():
    run("refused: " + name, lambda: refused(code, words, line=at))

# Wherever the line is that opens it, the module's line that led there is named.
PLACES = {
    "in a function": ("import socket\ndef f():\n    return socket.socket()\ns = f()", 4),
    "by a generator": ("import socket\ndef f():\n    yield 1\n    yield socket.socket()\n"
                       "g = f()\nnext(g)\ns = next(g)", 7),
    "by another module": ("import xml.dom.minidom\nimport socket as s\n"
                          "import multiprocessing.connection as c\nl = c.Listener(None)", 4),
    "where a number was used before": ("import os\nfor n in range(5):\n"
                                       "    os.close(os.open('/etc/passwd', 0))\n"
                                       "s = os.eventfd(0)", 4),
    "by C": ("import ctypes\nc = ctypes.CDLL(None)\ns = c.socket(1, 1, 0)", 3),
}
for name, (code, at) in PLACES.items():
    run("named: " + name, lambda: refused(code, line=at))


def opened_by_a_thread():
    """No module's body is on its stack: the line itself is named."""
    refused("import socket, threading\ndef run():\n    global s\n    s = socket.socket()\n"
            "t = threading.Thread(target=run)\nt.start()\nt.join()",
            "a socket", "by module opener_module", "opener_module.py, line 4; in")


def opened_before_any_code():
    refused("import os, sys\nos.dup2(os.pipe()[0], 3)\nos.closerange(4, 90)", "a pipe",
            "opened by module opener_module")


run("named: by a thread", opened_by_a_thread)
run("named: by dup2", opened_before_any_code)


def lowest_first():
    refused("import os, socket\ne = os.eventfd(0)\ns = socket.socket()", "descriptor 20 ",
            "an eventfd", line=2)


def closed_in_time():
    """What is closed before the freeze is no reason; nor are those that stay."""
    good("import os, socket\ns = socket.socket()\np = os.pipe()\ns.close()\n"
         "os.closerange(p[0], p[1] + 1)\nd = list(os.scandir('/usr'))")


run("the lowest is named first", lowest_first)
run("what is closed in time is none", closed_in_time)


# ------------------------------------------------------------ what is opened again
STATE = """
import fcntl, os
def state(*files):
    for f in files:
        fd = f if isinstance(f, int) else f.fileno()
        print(fd > 2, os.lseek(fd, 0, 1), oct(fcntl.fcntl(fd, fcntl.F_GETFL)),
            fcntl.fcntl(fd, fcntl.F_GETFD), os.readlink("/proc/self/fd/%d" % fd))
"""


def both(code, script, arrange=lambda place: None):
    """Python3 and an image of the same module say the same, but for numbers: an image's
    are higher."""
    results = []
    for image in False, True:
        place = lib.folder("files")
        code_here = STATE + code.replace("PLACE", place)
        lib.write(place + "/text", "first\nsecond\nthird\n")
        home = package(code_here)
        command = ["/usr/bin/python3"]
        if image:
            path = home + "/image"
            got = lib.build(path, ["opener_module"], env={"HOME": home})
            equal((got.status, got.err), (0, b""), "the build's end")
            command = [path]
        arrange(place)
        got = lib.run([*command, "-c", "from opener_module import *\n" + script],
                      env={"HOME": home})
        log = place + "/log"
        text = lib.read(log) if os.path.exists(log) else None
        results.append((got.status, got.out.replace(place.encode(), b"PLACE"), got.err, text))
    plain, image = results
    equal(plain[0], 0, plain[2])
    equal(image, plain)


def reading():
    both("f = open('PLACE/text'); f.readline(); b = open('PLACE/text', 'rb'); b.seek(8)\n"
         "u = open('PLACE/text', 'rb', 0); u.read(3)",
         "state(f, b, u); print(f.read(), b.read(), u.read(), f.tell())")


def flags():
    both("a = os.open('PLACE/text', os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)\n"
         "b = os.open('PLACE/text', os.O_RDONLY | os.O_APPEND); os.set_inheritable(b, True)\n"
         "c = os.open('PLACE/log', os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_SYNC)",
         "state(a, b, c); os.system('readlink /proc/self/fd/%d /proc/self/fd/%d' % (a, b))")


def copies():
    both("a = os.open('PLACE/text', 0); b = os.dup(a); c = os.open('PLACE/text', 0)\n"
         "os.dup2(a, 40); os.read(a, 4)",
         "os.read(b, 2); state(a, b, c, 40); os.lseek(40, 1, 0); state(a, b, c, 40)")


def appending():
    both("f = open('PLACE/log', 'a')\n"
         "import logging; logging.basicConfig(filename='PLACE/log', level=20)",
         "state(f); f.write('by the program\\n'); f.flush(); logging.info('this'); state(f)")


def appending_to_what_grew():
    def grow(place):
        with open(place + "/log", "w") as file:
            file.write("x" * 100 + "\n")
    both("f = open('PLACE/log', 'a')", "state(f); print(f.tell()); f.write('line\\n')", grow)


def rotated_log():
    """python3 would append to what is there under the name."""
    def rotate(place):
        if os.path.exists(place + "/log"):
            os.rename(place + "/log", place + "/log.1")
        lib.write(place + "/log", "new\n")
        os.chmod(place + "/log", 0o666)
    both("f = open('PLACE/log', 'a')", "state(f); f.write('line\\n')", rotate)


def random_device():
    """By read(2); two runs do not get the same."""
    path, home = good("import os\na = os.open('/dev/urandom', os.O_RDONLY)\nos.read(a, 16)\n"
                      "f = open('/dev/random', 'rb', 0)")
    got = [lib.run([path, "-c", "from opener_module import *; print(a, f.fileno(), "
                    "os.read(a, 16), f.read(16), os.readlink('/proc/self/fd/%d' % a))"],
                   env={"HOME": home}) for _ in range(2)]
    for one in got:
        equal((one.status, one.err, one.out.split()[:2], one.out.split()[-1]),
              (0, b"", [b"20", b"21"], b"/dev/urandom"))
    that(got[0] != got[1], got)


def random_device_that_is_read_ahead():
    """By Python, also where it is hidden from the collector, and by stdio."""
    for code in ("f = open('/dev/urandom', 'rb'); f.read(1)",
                 "import gc; f = open('/dev/urandom', 'rb'); f.read(1); gc.freeze()",
                 "import ctypes; c = ctypes.CDLL(None); c.fopen.restype = ctypes.c_void_p\n"
                 "f = c.fopen(b'/dev/urandom', b'r'); c.fgetc(ctypes.c_void_p(f))"):
        refused(code, "a device (/dev/urandom)", "by module opener_module")


def the_null_device():
    """IPython.utils.io opens it to write; nothing of it is ever there or kept."""
    path, home = good("import os\nw = open(os.devnull, 'w')\nw.write('lost')\n"
                      "r = open(os.devnull, 'rb')\nr.read(1)\n"
                      "b = os.open(os.devnull, os.O_RDWR | os.O_APPEND)\nd = os.dup(b)")
    got = lib.run([path, "-c", "import os, fcntl; from opener_module import *\n"
                   "for f in w.fileno(), r.fileno(), b, d:\n"
                   "    print(f, os.readlink('/proc/self/fd/%d' % f),\n"
                   "          fcntl.fcntl(f, fcntl.F_GETFL) & 0o2003, os.get_inheritable(f))\n"
                   "print(w.write('more'), w.flush(), r.read(), os.write(d, b'x'), os.read(b, 1))"],
                  env={"HOME": home})
    equal((got.status, got.err), (0, b""))
    equal(got.out, b"20 /dev/null 1 False\n21 /dev/null 0 False\n22 /dev/null 1026 False\n"
                   b"23 /dev/null 1026 False\n4 None b'' 1 b''\n")


run("the null device", the_null_device)
run("a random device", random_device)
run("a random device that is read ahead", random_device_that_is_read_ahead)
run("files that are read", reading)
run("flags of files", flags)
run("copies share one offset", copies)
run("files that are appended to", appending)
run("a log that has grown", appending_to_what_grew)
run("a log that was rotated", rotated_log)


# ------------------------------------------------------------ what has changed since
def falls_back(change, why, mode="r", users=("root",)):
    """After the change: PYIMAGE=on says why, and else python3 does what it does."""
    place = lib.folder("changed")
    os.chmod(place, 0o755)
    file = lib.write(place + "/file", "text\n", 0o644)
    path, home = good("f = open(%r, %r)" % (file, mode))
    script = "import opener_module as m, sys; print(m.f.%s)" % (
        "read()" if mode == "r" else "write('x')")
    equal(lib.run([path, "-c", script], env={"HOME": home}).status, 0, "before the change")
    change(file)
    for user in users:
        as_user = lib.users()[user]
        got = lib.run(as_user([path, "-c", script]), env={"HOME": home})
        equal((got.status, got.out), (70, b""), got.err)
        that(why in got.err and file.encode() in got.err, got.err)
        got = lib.run(as_user([path, "-c", script]), env={"HOME": home, "PYIMAGE": "auto"})
        want = lib.run(as_user(["/usr/bin/python3", "-c", script]), env={"HOME": home})
        equal(got, want, "the fallback")


def replace(file):
    """By one of the same size and time."""
    status = os.stat(file)
    lib.write(file + ".new", "TEXT\n")
    os.utime(file + ".new", ns=(status.st_atime_ns, status.st_mtime_ns))
    os.rename(file + ".new", file)


def edit(file):
    status = os.stat(file)
    lib.write(file, "TEXT\n")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))


def exchange(file):
    os.remove(file)
    os.mkfifo(file)


run("a file that was read: gone", falls_back, os.remove, b"is gone")
run("a file that was read: another inode", falls_back, replace, b"has changed")
run("a file that was read: another time", falls_back, edit, b"has changed")
run("a file that was read: another size", falls_back,
    lambda file: os.truncate(file, 2), b"has changed")
run("a log: gone", falls_back, os.remove, b"can't be looked at", "a")


def no_permission():
    if os.getuid():
        raise Skip("optional: needs root and nobody")
    falls_back(lambda file: os.chmod(file, 0o600), b"can't be opened", "r", ["nobody"])
    falls_back(lambda file: None, b"can't be opened", "a", ["nobody"])


def another_kind():
    place = lib.folder("kind")
    path, home = good("f = open(%r)" % lib.write(place + "/file", "text\n"))
    exchange(place + "/file")
    got = lib.run([path, "-c", "pass"], env={"HOME": home})
    equal(got.status, 70, got.err)
    that(b"is of another kind" in got.err, got.err)


def number_in_use():
    path, home = good("f = open(%r)" % FILE)
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 20)
    os.close(null)
    got = lib.run([path, "-c", "pass"], env={"HOME": home}, pass_fds=[20])
    equal(got.status, 70, got.err)
    that(b"in use" in got.err, got.err)
    got = lib.run([path, "-c", "import opener_module as m; print(m.f.read())"],
                  env={"HOME": home, "PYIMAGE": "auto"}, pass_fds=[20])
    equal((got.status, got.out, got.err), (0, b"0123456789\n\n", b""))
    os.close(20)


def low_numbers_are_in_use():
    """As shells and service managers hand them on."""
    path, home = good("f = open(%r)" % FILE)
    code = "import opener_module as m, os; print(m.f.read(), os.read(3, 9), os.read(19, 9))"
    got = lib.run(["bash", "-c", "for n in {3..19}; do eval \"exec $n<<<$n\"; done; exec \"$@\"",
                   "bash", path, "-c", code], env={"HOME": home})
    equal((got.status, got.out, got.err), (0, b"0123456789\n b'3\\n' b'19\\n'\n", b""))


def too_few_descriptors():
    path, home = good("f = open(%r); import os; os.dup2(f.fileno(), 50)" % FILE)
    got = lib.shell("ulimit -n 20", path, "-c", "pass", env={"HOME": home})
    equal(got.status, 70, got.err)
    that(b"needs its descriptor" in got.err, got.err)


run("a file without permission", no_permission)
run("a FIFO in its place", another_kind)
run("its number is in use", number_in_use)
run("low numbers are in use", low_numbers_are_in_use)
run("its number is beyond the limit", too_few_descriptors)


def info():
    path, home = good("f = open(%r); import os; d = os.dup(f.fileno())" % FILE)
    data = subprocess.run([lib.PYDUMP, "info", "--json", path], stdout=subprocess.PIPE).stdout
    one, other = __import__("json").loads(data)["files"]
    equal(one["inode"], os.stat(FILE).st_ino)
    equal((one["fd"], other["fd"], other["copy_of"]), (20, 21, 20))
    that("copy_of" not in one, one)


run("info tells inode and copies", info)
done()
