#!/usr/bin/python3
"""pydump build and info: what they write, and what they refuse, each refusal
with its own message that names the culprit; nothing is left behind then."""
import json
import os
import pty
import select
import signal
import subprocess
import sys

import lib
from tap import Skip, done, equal, run, that

PLACE = lib.folder("build")


def build(*arguments, place=None, **more):
    """Build into a new folder; the result, and what lies in the folder then."""
    place = place or lib.folder("out")
    more["env"] = {"PYIMAGE": None, **more.get("env", {})}
    got = lib.run([lib.PYDUMP, "build", "-o", place + "/image", *arguments], **more)
    return got, sorted(os.listdir(place)), place


def warmup(code):
    name = "%s/warmup-%d.py" % (PLACE, len(os.listdir(PLACE)))
    return lib.write(name, code, 0o644)


def refused(*arguments, words=(), status=1, **more):
    got, left, _ = build(*arguments, **more)
    equal(got.status, status, "status, stderr is %r" % got.err)
    equal(got.out, b"", "stdout")
    for word in words:
        that(word.encode() in got.err, "%r is not in %s" % (word, got.err.decode()))
    that(b"pydump: " in got.err, got.err)
    equal(left, [], "what is left")
    return got.err.decode()


# ------------------------------------------------------------ imports
def module_not_found():
    refused("-i", "no_such_module", words=["no_such_module", "no such module"])
    refused("-i", "json", "-i", "json.no_such_module", words=["json.no_such_module"])
    refused("-i", "", words=[""], status=2)


def module_raises():
    path = warmup("def fails():\n    raise ValueError('the reason')\nfails()\n")
    text = refused("-w", path, words=["ValueError: the reason", path, "line 2", "in fails"])
    that("Traceback (most recent call last)" in text, text)


def module_that_raises_on_import():
    place = lib.folder("raises")
    os.makedirs(place + lib.USER_SITE)
    lib.write(place + lib.USER_SITE + "/bad_module.py", "x = 1 / 0\n")
    text = refused("-i", "bad_module", env={"HOME": place},
                   words=["bad_module", "ZeroDivisionError", "line 1"])
    that("Traceback (most recent call last)" in text, text)


def syntax_error():
    path = warmup("x = = 1\n")
    refused("-w", path, words=["SyntaxError", path])


def warmup_is_missing():
    refused("-w", PLACE + "/no-such-file.py", status=74,
            words=["no-such-file.py", "No such file"])
    refused("-w", PLACE, words=[PLACE], status=74)


def warmup_exits():
    refused("-w", warmup("import sys; sys.exit(3)"), words=["SystemExit"])


def warmup_ends_the_process():
    refused("-w", warmup("import os; os._exit(0)"), words=["ended"])
    refused("-w", warmup("import os; os._exit(5)"), words=["5"])


def warmup_crashes():
    code = ("import ctypes, resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
            "ctypes.string_at(8)")
    refused("-w", warmup(code), words=["signal 11", "Segmentation fault"])


# ------------------------------------------------------------ what can't be frozen
def thread_left_running():
    text = refused("-w", warmup(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True,"
        " name='left-over').start()"), words=["thread"])
    that("left-over" in text, text)


def interpreter_left():
    """With which 3.13 can't fork."""
    code = "import %s as i\nprint('made', i.create())\n" % lib.INTERPRETERS
    if sys.version_info < (3, 13):
        raise Skip("optional: this python3 can fork with another interpreter")
    refused("-w", warmup(code), words=["another interpreter", "let it end before"])


def thread_of_a_library_left_running():
    """After the fork only one is left: that is fine."""
    code = ("import threading, sys, types\nm = sys.modules['kept'] = types.ModuleType('m')\n"
            "t = threading.Thread(target=print)\nt.start()\nt.join()\n")
    got, left, _ = build("-w", warmup(code))
    equal((got.status, left), (0, ["image"]), got.err)


def descriptors(kind, code):
    place = lib.folder("opener")
    os.makedirs(place + lib.USER_SITE)
    lib.write(place + lib.USER_SITE + "/opener_module.py", code)
    refused("-i", "json", "-i", "opener_module", env={"HOME": place},
            words=[kind, "opener_module"])


def descriptor_of_a_warmup():
    path = warmup("import os, sys\nsys.kept = os.pipe()")
    refused("-w", path, words=["pipe", path])


def regular_files_stay():
    path = lib.write(PLACE + "/kept.txt", "some text\n")
    got, left, place = build("-w", warmup(
        "import sys, types\nm = sys.modules['kept'] = types.ModuleType('m')\n"
        "m.r = open(%r)\nm.r.read(5)\nm.w = open(%r + '.log', 'a')" % (path, path)))
    equal((got.status, left), (0, ["image"]), got.err)
    got = lib.run([place + "/image", "-c", "import kept; print(repr(kept.r.read()),"
                   " kept.r.fileno(), kept.w.fileno()); kept.w.write('line\\n')"])
    equal((got.status, got.err), (0, b""))
    equal(got.out.split()[0], b"'text\\n'")
    equal(lib.read(path + ".log"), b"line\n")


def file_open_for_writing():
    path = PLACE + "/written.txt"
    refused("-w", warmup("import sys\nsys.kept = open(%r, 'w')" % path),
            words=["written.txt"])


def deleted_file():
    refused("-w", warmup("import sys, tempfile\nsys.kept = tempfile.TemporaryFile()"),
            words=["/"])


def shared_mapping():
    path = lib.write(PLACE + "/shared.bin", bytes(4096))
    refused("-w", warmup("import mmap, sys\nf = open(%r, 'r+b')\n"
                         "sys.kept = mmap.mmap(f.fileno(), 4096)\nf.close()" % path),
            words=["shared.bin"])


run("module not found", module_not_found)
run("warm-up that raises", module_raises)
run("module that raises", module_that_raises_on_import)
run("warm-up with a syntax error", syntax_error)
run("warm-up is missing", warmup_is_missing)
run("warm-up calls sys.exit", warmup_exits)
run("warm-up ends the process", warmup_ends_the_process)
run("warm-up crashes", warmup_crashes)
run("a thread is left", thread_left_running)
run("a thread that has ended", thread_of_a_library_left_running)
run("another interpreter is left", interpreter_left)
for kind, code in {
        "socket": "import socket\ns = socket.socket()",
        "pipe": "import os\np = os.pipe()",
        "eventfd": "import os\ne = os.eventfd(0)",
        "eventpoll": "import ctypes\ne = ctypes.CDLL(None).epoll_create1(0)",
        "memfd": "import os\nm = os.memfd_create('name')",
        "/dev/zero": "f = open('/dev/zero')",
        "/dev/urandom": "f = open('/dev/urandom', 'rb')",
        "folder": "import os\nd = os.open('/usr', os.O_RDONLY)"}.items():
    run("a descriptor is left: " + kind, descriptors, kind, code)
run("a descriptor is left by a warm-up", descriptor_of_a_warmup)
run("regular files may stay open", regular_files_stay)
run("a file that is open for writing", file_open_for_writing)
run("a deleted file", deleted_file)
run("a shared writable mapping", shared_mapping)


# ------------------------------------------------------------ temporary files
def temporary(code):
    """A warm-up that leaves one, and notes its name."""
    return warmup("import atexit, os, sys, tempfile, types\n"
                  "kept = sys.modules['kept'] = types.ModuleType('kept')\n" + code)


def removed_by_a_process():
    for code in ("kept.t = tempfile.TemporaryDirectory()",
                 "kept.t = tempfile.mkdtemp()\natexit.register(os.rmdir, kept.t)",
                 "fd, kept.t = tempfile.mkstemp()\nos.close(fd)\n"
                 "atexit.register(os.unlink, kept.t)"):
        refused("-w", temporary(code), words=["module __main__ made /tmp/", "removed it"])


def stays():
    got, left, place = build("-w", temporary("kept.t = tempfile.mkdtemp()"))
    equal((got.status, left), (0, ["image"]), got.err)
    got = lib.run([place + "/image", "-c", "import kept, os; print(os.path.isdir(kept.t));"
                   " os.rmdir(kept.t)"])
    equal(got, (0, b"True\n", b""))


def removed_in_time():
    got, left, place = build("-w", temporary(
        "import pyimage\n"
        "def make(): kept.t = tempfile.TemporaryDirectory()\n"
        "make()\n"
        "pyimage.register_before_snapshot(lambda: kept.t.cleanup())\n"
        "pyimage.register_after_restore(make)\n"
        "with tempfile.TemporaryDirectory(): pass\n"))
    equal((got.status, left), (0, ["image"]), got.err)
    code = "import kept, os; print(kept.t.name, os.path.isdir(kept.t.name))"
    seen = [lib.run([place + "/image", "-c", code]) for _ in range(2)]
    for got in seen:
        name, there = got.out.split()
        equal((got.status, got.err, there), (0, b"", b"True"))
        that(not os.path.exists(name), name)
    that(seen[0].out != seen[1].out, "both made %r" % seen[0].out)


run("a temporary file that the first process removes", removed_by_a_process)
run("a temporary folder that stays", stays)
run("a temporary folder that hooks remove and make", removed_in_time)


# ------------------------------------------------------------ output
def folder_is_not_writable():
    if os.getuid():
        raise Skip("optional: needs root and nobody")
    place = lib.folder("readonly")
    os.chmod(place, 0o755)
    got = lib.run(lib.as_nobody([lib.PYDUMP, "build", "-o", place + "/image"]),
                  env={"PYIMAGE": None})
    equal((got.status, got.out), (74, b""), got.err)
    that(place.encode() in got.err and b"Permission denied" in got.err, got.err)


def folder_is_missing():
    got = lib.run([lib.PYDUMP, "build", "-o", PLACE + "/no/folder/image"])
    equal(got.status, 74, got.err)
    that(b"no/folder" in got.err, got.err)


def output_is_a_folder():
    place = lib.folder("isfolder")
    os.mkdir(place + "/image")
    got, left, _ = build(place=place)
    equal((got.status, left), (74, ["image"]), got.err)


def too_large_a_file():
    place = lib.folder("fsize")
    got = lib.shell("ulimit -f 2000", lib.PYDUMP, "build", "-o", place + "/image")
    equal((got.status, os.listdir(place)), (74, []), got.err)
    that(b"large" in got.err, got.err)


def full_disk():
    if os.getuid() or lib.run(["unshare", "-m", "true"]).status:
        raise Skip("optional: only root can mount")
    place = lib.folder("full")
    script = ("mount -t tmpfs -o size=2m,mode=1777 tmpfs %s || exit 99\n"
              "\"$@\"; s=$?; ls -A %s; exit $s" % (place, place))
    got = lib.run(["unshare", "-m", "sh", "-c", script, "sh", lib.PYDUMP, "build", "-o",
                   place + "/image"])
    equal((got.status, got.out), (74, b""), got.err)
    that(b"No space left" in got.err, got.err)


def old_image_stays():
    place = lib.folder("old")
    build(place=place)
    old = lib.read(place + "/image")
    got, left, _ = build("-i", "no_such_module", place=place)
    equal((got.status, left), (1, ["image"]), got.err)
    that(lib.read(place + "/image") == old, "it has changed")


def image_is_replaced_by_rename():
    place = lib.folder("rename")
    build(place=place)
    os.link(place + "/image", place + "/other")
    before = os.stat(place + "/image").st_ino
    build(place=place)
    that(os.stat(place + "/image").st_ino != before, "it was written in place")
    equal(lib.run([place + "/other", "-c", "print(1)"]).out, b"1\n", "the old one")


def image_of_a_running_process():
    place = lib.folder("running")
    build(place=place)
    child = subprocess.Popen([place + "/image", "-c", "print(input()); import json;"
                              " print(json.dumps([1]))"], env=lib.ENV,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    build(place=place)
    equal(child.communicate(b"x\n")[0], b"x\n[1]\n")


def modes_of_the_image():
    place = lib.folder("modes")
    got = lib.shell("umask 000", lib.PYDUMP, "build", "-q", "-o", place + "/image")
    equal(got.status, 0, got.err)
    equal(oct(os.stat(place + "/image").st_mode & 0o7777), "0o755")


run("the folder is not writable", folder_is_not_writable)
run("the folder is missing", folder_is_missing)
run("the output is a folder", output_is_a_folder)
run("RLIMIT_FSIZE", too_large_a_file)
run("the disk is full", full_disk)
run("a refused build leaves the old image", old_image_stays)
run("an image is replaced by rename", image_is_replaced_by_rename)
run("an image is replaced while it runs", image_of_a_running_process)
run("nobody else may write to the image", modes_of_the_image)


# ------------------------------------------------------------ ends half-way
def stopped_in_a_warmup(act):
    """Start a build whose warm-up waits on a FIFO; act on it there."""
    place = lib.folder("half")
    fifo = PLACE + "/fifo-%d" % len(os.listdir(PLACE))
    os.mkfifo(fifo)
    path = warmup("import os\nwith open(%r, 'w') as f: f.write('%%d' %% os.getpid())\n"
                  "open(%r).read()\n" % (fifo, fifo))
    child = subprocess.Popen([lib.PYDUMP, "build", "-o", place + "/image", "-w", path],
                             env=lib.ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, start_new_session=True)
    with open(fifo) as file:
        host = int(file.read())
    # A descriptor that notices the host's end, whoever waits for it.
    watch = os.pidfd_open(host)
    act(child, host)
    out, err = child.communicate(timeout=lib.LIMIT)
    that(select.select([watch], [], [], lib.LIMIT)[0], "the host goes on")
    os.close(watch)
    return child.returncode, out, err, os.listdir(place)


def host_is_killed():
    status, out, err, left = stopped_in_a_warmup(lambda child, host: os.kill(host, 9))
    equal((status, out, left), (1, b"", []), err)
    that(b"signal 9" in err, err)


def pydump_is_interrupted(number):
    status, _, _, left = stopped_in_a_warmup(
        lambda child, host: child.send_signal(number))
    equal(left, [], "what is left")
    that(status in (-number, 128 + number), "status %s" % status)


def terminal_interrupts_all():
    status, _, _, left = stopped_in_a_warmup(
        lambda child, host: os.killpg(child.pid, 2))
    equal(left, [], "what is left")
    that(status in (-2, 130), "status %s" % status)


def pydump_is_killed():
    """Nothing of it goes on, and nothing stands at the final name."""
    status, _, _, left = stopped_in_a_warmup(lambda child, host: child.kill())
    equal(status, -9)
    that("image" not in left, left)


run("the host is killed", host_is_killed)
for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
    run("pydump gets " + number.name, pydump_is_interrupted, number)
run("^C at a terminal", terminal_interrupts_all)
run("pydump is killed", pydump_is_killed)


# ------------------------------------------------------------ command line
def usage():
    for arguments in ([], ["nothing"], ["build"], ["build", "-o"], ["build", "--nothing"],
                      ["build", "-o", "x", "-i"], ["build", "-o", "x", "word"], ["info"],
                      ["info", "--nothing", "x"], ["info", "a", "b"], ["--nothing"],
                      ["build", "-o", "x", "--freshness", "junk"]):
        got = lib.run([lib.PYDUMP, *arguments], cwd=lib.folder("usage"))
        equal((got.status, got.out), (2, b""), "%s: %r" % (arguments, got.err))
        that(b"pydump" in got.err, got.err)


def help_texts():
    for arguments in ["--help"], ["build", "--help"], ["info", "--help"], ["build", "-h"]:
        got = lib.run([lib.PYDUMP, *arguments])
        equal((got.status, got.err), (0, b""), arguments)
        that(got.out.startswith(b"usage: pydump"), got.out)
    got = lib.run([lib.PYDUMP, "--version"])
    equal((got.status, got.err), (0, b""))
    that(got.out.split()[0] == b"pydump" and got.out[7:8].isdigit(), got.out)


def help_on_a_full_disk():
    got = lib.shell("exec >/dev/full", lib.PYDUMP, "--help")
    equal(got.status, 74, got.err)


def summary():
    got, _, place = build("-i", "json")
    equal(got.status, 0, got.err)
    that(got.out.count(b"\n") <= 24, "more than a screen")
    for word in b"python", b"size", b"segments", b"guards", b"start", place.encode():
        that(word in got.out, "%r is not in %s" % (word, got.out))


def quiet():
    got, left, _ = build("-q")
    equal((got, left), ((0, b"", b""), ["image"]))


def build_json():
    got, _, place = build("--json")
    equal(got.status, 0, got.err)
    data = json.loads(got.out)
    that(isinstance(data, dict) and place + "/image" in got.out.decode(), got.out)


def progress_on_a_terminal():
    master, slave = pty.openpty()
    place = lib.folder("tty")
    child = subprocess.Popen([lib.PYDUMP, "build", "-o", place + "/image", "-i", "json"],
                             env=lib.ENV, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    text = lib.read_terminal(master)
    equal(child.wait(), 0, text)
    that(b"\r" in text.replace(b"\r\n", b""), "no progress line: %r" % text)


def info():
    got = lib.run([lib.PYDUMP, "info", lib.image("pandas")])
    equal((got.status, got.err), (0, b""))
    for word in b"/usr/bin/python3", lib.VERSION.encode(), b"segments", b"modules", b"guard":
        that(word in got.out, "%r is not in it" % word)
    got = lib.run([lib.PYDUMP, "info", "--json", lib.image("pandas")])
    equal((got.status, got.err), (0, b""))
    data = json.loads(got.out)
    text = json.dumps(data)
    for word in "/usr/bin/python3", lib.VERSION, "pandas":
        that(word in text, "%r is not in the JSON" % word)
    got2 = lib.run([lib.PYDUMP, "info", lib.image("pandas"), "--json"])
    equal(got2.out, got.out, "the option behind the image")


def info_refuses():
    for path, status in (("/bin/true", 1), (PLACE + "/missing", 74), ("/", None)):
        got = lib.run([lib.PYDUMP, "info", path])
        that(got.status == status or status is None and got.status in (1, 74), got)
        equal(got.out, b"")
        that(path.encode() in got.err, got.err)


def clean_environment():
    code = ("import os, sys, types\nm = sys.modules['kept'] = types.ModuleType('m')\n"
            "m.environ = dict(os.environ)\nm.argv = sys.argv[:]\nm.cwd = os.getcwd()\n")
    got, _, place = build("--keep-env", "KEPT", "--keep-env", "GIVEN=there",
                          "--no-guard-env", "*", "-w", warmup(code), env={"SECRET": "s", "KEPT": "k", "LD_BIND_NOW": ""})
    equal(got.status, 0, got.err)
    got = lib.run([place + "/image", "-c", "import kept, os; print(sorted(kept.environ),"
                   " kept.environ.get('KEPT'), kept.environ.get('GIVEN'), kept.argv,"
                   " 'SECRET' in os.environ, 'PYDUMP_CONTROL' in os.environ)"])
    names = eval(got.out.split(b"]")[0] + b"]")
    equal([n for n in names if n not in ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE")],
          ["GIVEN", "KEPT"])
    equal(got.out.split(b"]", 1)[1].strip(), b"k there [''] False False", got.err)
    data = lib.read(place + "/image")
    that(b"SECRET=s" not in data, "the caller's environment is in the image")


def imports_in_order():
    code = "import sys, types; sys.modules['kept'] = types.ModuleType('m')\n" \
           "sys.modules['kept'].seen = 'decimal' in sys.modules"
    got, _, place = build("-w", warmup(code), "-i", "decimal")
    equal(got.status, 0, got.err)
    equal(lib.run([place + "/image", "-c", "import kept; print(kept.seen)"]).out, b"True\n",
          "modules are imported before the warm-up")


def warmup_namespace_is_thrown_away():
    got, _, place = build("-w", warmup("left_over = 1\nprint('said while building')\n"))
    equal((got.status, got.err), (0, b"said while building\n"))
    got = lib.run([place + "/image", "-c", "import sys; print('left_over' in globals(),"
                   " sys.argv, sys.path[0] == '')"])
    equal(got.out, b"False ['-c'] True\n")


def other_python():
    for python in lib.VERSION, "/usr/bin/python" + lib.VERSION, "/usr/bin/python3":
        got, left, place = build("--python", python)
        equal((got.status, left), (0, ["image"]), got.err)
        equal(lib.run([place + "/image", "-c", "print(1)"]).out, b"1\n")
    for python in "/no/such/python", "9.9", "/bin/true", "/etc/passwd":
        got, left, _ = build("--python", python)
        that(got.status in (1, 74) and left == [], "%s: %s" % (python, got))
        that(python.encode() in got.err, got.err)


def builder_ignores_signals():
    """As under nohup. The image asks who runs it, as python3 does."""
    place = lib.folder("ignores")
    command = [lib.PYDUMP, "build", "-o", place + "/image"]
    equal(lib.shell("trap '' HUP INT QUIT USR1 40", *command,
                    env={"PYIMAGE": None}).status, 0, "status")
    code = ("import signal; print([signal.getsignal(n) for n in range(1, 65) "
            "if n not in (32, 33)])\n"
            "print([l for l in open('/proc/self/status') if l.startswith('SigIgn')])")
    for ignored in "", "trap '' HUP QUIT", "trap '' INT USR1":
        equal(lib.shell(ignored, place + "/image", "-c", code),
              lib.shell(ignored, lib.PYTHON, "-c", code), "signals after " + ignored)


def from_any_folder():
    got = lib.run([os.path.relpath(lib.PYDUMP, "/usr"), "build", "-o",
                   lib.folder("any") + "/image"], cwd="/usr")
    equal(got.status, 0, got.err)
    place = lib.folder("relative")
    got = lib.run([lib.PYDUMP, "build", "-o", "image", "-i", "json"], cwd=place)
    equal((got.status, os.listdir(place)), (0, ["image"]), got.err)
    for command in ["./image"], [lib.PYIMAGE, "image"]:
        equal(lib.run([*command, "-c", "print(1)"], cwd=place).out, b"1\n")


def as_nobody():
    if os.getuid():
        raise Skip("optional: needs root and nobody")
    place = lib.folder("nobody")
    got = lib.run(lib.as_nobody([lib.PYDUMP, "build", "-i", "json", "-o", place + "/image"]))
    equal(got.status, 0, got.err)
    for way in lib.WAYS.values():
        equal(lib.run(lib.as_nobody([*way(place + "/image"), "-c", "print(1)"])).out, b"1\n")


def nothing_runs_on():
    """No process of a build is left, be it refused or not."""
    mark = "mark-%d" % os.getpid()
    for code in "pass", "1/0", "import os, sys; sys.kept = os.pipe()":
        build("-w", warmup(code), "--keep-env", "BUILD_MARK=" + mark)
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                text = lib.read("/proc/%s/environ" % pid)
            except OSError:
                continue
            that(mark.encode() not in text, "process %s is left" % pid)


for case in (usage, help_texts, help_on_a_full_disk, summary, quiet, build_json,
             progress_on_a_terminal, info, info_refuses, clean_environment, imports_in_order,
             warmup_namespace_is_thrown_away, other_python, builder_ignores_signals,
             from_any_folder, as_nobody, nothing_runs_on):
    run(case.__name__.replace("_", " "), case)
done()
