#!/usr/bin/python3
"""Module pyimage and its likes: what a program learns of its image, and hooks that
run before the freeze and after each restore, and not at any other time."""
import os
import shutil
import signal
import subprocess
import time

import lib
from tap import done, equal, run, that

PLACE = lib.folder("hooks")
VERSION = lib.run([lib.PYTHON, "-V"]).out.decode().split()[1]
TWIN = PLACE + "/twin"
shutil.copytree(lib.ROOT + "/python", TWIN, ignore=shutil.ignore_patterns("__pycache__"))
lib.run(["chmod", "-R", "go+rX", TWIN])
WITH_TWIN = "import sys; sys.path.insert(0, %r); " % TWIN

# What every warm-up below begins with: a module whose list outlives the freeze.
KEPT = """
import pyimage, snapshot_restore_py, sys, types
kept = sys.modules["kept"] = types.ModuleType("kept")
kept.log = []
"""


def build(code, *arguments, prelude=KEPT):
    """Build with this warm-up; the result and the image's path."""
    place = lib.folder("image")
    os.chmod(place, 0o755)
    path = lib.write(place + "/warm.py", prelude + code, 0o644)
    return lib.build(place + "/image", warmups=[path], options=arguments), place + "/image"


def made(code, *arguments, **more):
    got, path = build(code, *arguments, **more)
    equal((got.status, got.err), (0, b""), "the build")
    return path


def refused(code, *words):
    got, path = build(code)
    equal((got.status, got.out), (1, b""), "the build says %r" % got.err)
    for word in words:
        that(word.encode() in got.err, "%r is not in %s" % (word, got.err.decode()))
    equal(os.listdir(os.path.dirname(path)), ["warm.py"], "what is left")


def prints(path, code, want, **more):
    for before in lib.users().values():
        for command in lib.WAYS.values():
            got = lib.run(before([*command(path), "-c", code]), **more)
            equal(got, (0, want.encode() + b"\n", b""))


# ------------------------------------------------------------ what it tells
def building_and_restored():
    path = made("kept.log += [pyimage.is_building(), pyimage.is_restored(), pyimage.info()]\n")
    prints(path, "import kept, pyimage; print(kept.log, pyimage.is_building(),"
           " pyimage.is_restored())", "[True, False, None] False True")
    prints(path, "import os, pyimage, sys\nif pid := os.fork(): os.waitpid(pid, 0)\n"
           "else: print(pyimage.is_restored())", "True")


def info():
    start = time.time()
    path = made("", "-i", "json", "-i", "argparse", "--python-option=-B")
    code = "import pyimage; i = pyimage.info(); print(%s)"
    prints(path, code % "i['path'], i['version'], i['executable'], i['entry']",
           path + " %s /usr/bin/python3 None" % VERSION)
    prints(path, code % "i['imports'], i['options'], i['warmups']",
           "['json', 'argparse'] ['-B'] [%r]" % (os.path.dirname(path) + "/warm.py"))
    prints(path, code % ("%r < i['built'] < %r, 40 < i['modules'] <= len(__import__('sys')"
                         ".modules)" % (start, time.time())), "True True")
    os.rename(path, path + " new")
    prints(path + " new", code % "i['path']", path + " new")


def with_an_entry():
    place = lib.folder("image")
    os.chmod(place, 0o755)
    lib.write(place + "/app.py", "import pyimage, sys\n"
              "print(pyimage.info()['entry'], sys.argv[1:], flush=True)\n", 0o644)
    path = made("pyimage.register_after_restore(lambda: print('hook', sys.argv, flush=True))\n",
                "-e", place + "/app.py")
    app = place + "/app.py"
    for command in lib.WAYS.values():
        got = lib.run([*command(path), "one", "-c"])
        want = "hook %r\n%s ['one', '-c']\n" % ([app, "one", "-c"], app)
        equal(got, (0, want.encode(), b""))


def unseen_until_imported():
    code = ("import sys; print([n for n in (*sys.modules, *sys.builtin_module_names)"
            " if 'pyimage' in n or 'snapshot' in n])")
    prints(lib.image("bare"), code, "[]")
    prints(lib.image("bare"), "import pyimage; print(pyimage.is_restored(), pyimage.__spec__"
           ".has_location, hasattr(pyimage, '__file__'))", "True False False")


def twin_is_not_used():
    code = WITH_TWIN + "import pyimage, snapshot_restore_py; print(pyimage.is_restored())"
    prints(lib.image("bare"), code, "True")
    got = lib.run([lib.PYTHON, "-c", code])
    equal(got, (0, b"False\n", b""), "python3 with the package")


SAME = WITH_TWIN + """
import inspect, pyimage, snapshot_restore_py
for module in pyimage, snapshot_restore_py:
    for name, value in sorted(vars(module).items()):
        if name[0] != "_":
            print(name, inspect.signature(value), inspect.getdoc(value))
for register in (pyimage.register_before_snapshot, pyimage.register_after_restore,
                 snapshot_restore_py.register_before_snapshot,
                 snapshot_restore_py.register_after_restore):
    @register
    def function(): raise SystemExit("it was called")
    print(function.__name__, register(print, 1, sep=2) is print)
    for bad in (), (5,), (None, 1):
        try:
            register(*bad)
        except TypeError as error:
            print(bad and error)
for wrong in pyimage.is_building, pyimage.is_restored, pyimage.info:
    try:
        wrong(1)
    except TypeError:
        print("TypeError")
"""


def twin_is_the_same():
    """Names, signatures, texts, errors; in a restored process as without an image."""
    want = lib.run([lib.PYTHON, "-c", SAME])
    equal((want.status, want.err), (0, b""), "python3's end")
    that(want.out.count(b"\n") > 35, want.out)
    equal(lib.run([lib.image("bare"), "-c", SAME]), want)


run("is_building and is_restored", building_and_restored)
run("info", info)
run("an image with an entry", with_an_entry)
run("nothing is seen of it until it is imported", unseen_until_imported)
run("in an image the packages for python3 are not used", twin_is_not_used)
run("the packages for python3 have the same functions", twin_is_the_same)


# ------------------------------------------------------------ order and arguments
ORDER = """
@pyimage.register_before_snapshot
def one(): kept.log.append("one")
pyimage.register_before_snapshot(kept.log.append, "two")
@snapshot_restore_py.register_before_snapshot
def three():
    kept.log.append("three")
    pyimage.register_before_snapshot(kept.log.append, "made late")
@pyimage.register_after_restore
def four(*args, **kwargs): kept.log.append(("four", args, kwargs))
snapshot_restore_py.register_after_restore(four, 1, two=3)
pyimage.register_after_restore(kept.log.append, "five")
"""


def order():
    path = made(ORDER)
    prints(path, "import kept; print(kept.log)", str([
        "three", "made late", "two", "one", ("four", (), {}), ("four", (1,), {"two": 3}),
        "five"]))
    prints(path, "import kept; print(len(kept.log))", "7", env={"PYIMAGE_FINALIZE": "full"})


def when():
    """The restored process is as the program will find it, and the program follows."""
    path = made("""
@pyimage.register_after_restore
def hook():
    import os, threading
    print(sys.argv, os.environ["MARK"], os.getpid() == threading.get_native_id(),
          pyimage.is_restored(), flush=True)
""")
    got = lib.run([path, "-c", "print('program')", "word"], env={"MARK": "here"})
    equal(got, (0, b"['-c', 'word'] here True True\nprogram\n", b""))


def not_at_other_times():
    """Not in rehearsals, nor in pydump's own runs of the image."""
    log = lib.folder("log") + "/log"
    path = made("""
def note(word):
    with open(%r, "a") as file:
        file.write(word)
pyimage.register_before_snapshot(note, "before ")
pyimage.register_after_restore(note, "after ")
""" % log)
    equal(lib.read(log), b"before ", "after the build")
    lib.run([path, "-c", "pass"])
    lib.run([path, "-c", "pass"])
    equal(lib.read(log), b"before after after ", "after two runs")


def late_ones():
    """What is registered in a restored process is not called."""
    path = made("@pyimage.register_after_restore\ndef hook():\n"
                "    pyimage.register_after_restore(kept.log.append, 'late')\n")
    prints(path, "import kept, pyimage; pyimage.register_before_snapshot(print, 'b');"
           " pyimage.register_after_restore(print, 'a'); print(kept.log)", "[]")


def of_a_module():
    home = lib.folder("home")
    os.makedirs(home + lib.USER_SITE)
    lib.write(home + lib.USER_SITE + "/with_hooks.py",
              "import pyimage\nlog = []\npyimage.register_after_restore(log.append, 1)\n")
    path = lib.folder("image") + "/image"
    got = lib.build(path, ["with_hooks"], env={"HOME": home})
    equal((got.status, got.err), (0, b""))
    equal(lib.run([path, "-c", "import with_hooks; print(with_hooks.log)"],
                  env={"HOME": home}), (0, b"[1]\n", b""))


run("order and arguments", order)
run("what the process is like after the restore", when)
run("hooks run at no other time", not_at_other_times)
run("hooks that are registered after the restore", late_ones)
run("hooks of a module that is imported", of_a_module)


# ------------------------------------------------------------ in time for the checks
def in_time():
    """What would be refused, closed and ended by hooks."""
    path = made("""
import os, socket, threading
kept.socket = socket.socket()
stop = threading.Event()
thread = threading.Thread(target=stop.wait)
thread.start()
os.chdir("/")
@pyimage.register_before_snapshot
def hook():
    kept.socket.close()
    stop.set()
    thread.join()
    os.chdir(%r)
pyimage.register_after_restore(lambda: setattr(kept, "socket", socket.socket()))
""" % lib.WORK)
    prints(path, "import kept; print(kept.socket.fileno() > 2)", "True")


LOOP = """
import asyncio, socket
def make():
    kept.loop = asyncio.new_event_loop()
    kept.pair = socket.socketpair()
    kept.loop.add_reader(kept.pair[0], print)
    asyncio.set_event_loop(kept.loop)
def end():
    for one in kept.loop, *kept.pair: one.close()
make()
kept.loop.run_until_complete(asyncio.sleep(0))
"""


def event_loop():
    """It reads from a socket; hooks close both and make others."""
    refused(LOOP, "eventpoll", "warm.py")
    path = made(LOOP + "pyimage.register_before_snapshot(end)\n"
                "pyimage.register_after_restore(make)\n")
    prints(path, "import asyncio, kept; print(kept.loop.run_until_complete(asyncio.sleep(0,"
           " 'slept')), asyncio.get_event_loop() is kept.loop)",
           "slept True")


WARNS = """
import warnings
exec('''
import warnings
def f(): warnings.warn("told once for each place")
def g(): warnings.warn_explicit("told once", UserWarning, "file", 1)
''', kept.__dict__)
warnings.filterwarnings("once", "told once$")
kept.f(), kept.g()
"""


def warnings_are_told_again():
    """What a warm-up has warned of was told to who built."""
    got, path = build(WARNS)
    equal((got.status, got.err.count(b"UserWarning: told")), (0, 2), got.err)
    got = lib.run([path, "-c", "import kept; kept.f(), kept.g(), kept.f(), kept.g()"])
    equal((got.status, got.err.count(b"UserWarning: told")), (0, 2), got.err)


NUMEXPR = """
import os, threading
waiting = []
def wait(event): event.wait()
def _set_num_threads(count):
    before = len(waiting)
    for thread, event in waiting: event.set(); thread.join()
    del waiting[:]
    for n in range(count if count > 1 else 0):
        event = threading.Event()
        thread = threading.Thread(target=wait, args=(event,), daemon=True)
        waiting.append((thread, event))
        thread.start()
    return before
_set_num_threads(3)
"""


def threads_of_numexpr():
    """They end before the freeze, and each process has its own from the start."""
    place = lib.folder("numexpr")
    os.mkdir(place + "/numexpr")
    lib.write(place + "/numexpr/__init__.py", "")
    lib.write(place + "/numexpr/interpreter.py", NUMEXPR)
    lib.run(["chmod", "-R", "go+rX", place])
    path = made("sys.path.insert(0, %r)\nimport numexpr.interpreter" % place)
    prints(path, "import numexpr.interpreter as i, os; print(len(i.waiting), "
           "len(os.listdir('/proc/self/task')), all(t.is_alive() for t, e in i.waiting))",
           "3 4 True")


BUS = """
import dbus.bus
kept.bus = dbus.bus.BusConnection(%r)
"""


def bus():
    """A connection to D-Bus is a socket, unless a hook closes it."""
    address = "unix:path=%s/bus" % lib.folder("bus")
    daemon = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address",
         "--address=" + address], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        that(daemon.stdout.readline(), "dbus-daemon gave no address")
        refused(BUS % address, "socket", "warm.py")
        path = made(BUS % address +
                    "pyimage.register_before_snapshot(lambda: kept.bus.close())\n"
                    "@pyimage.register_after_restore\n"
                    "def connect(): kept.bus = dbus.bus.BusConnection(%r)\n" % address)
        got = lib.run([path, "-c", "import kept; print(kept.bus.get_unique_name()[:3],"
                       " kept.bus.get_is_connected())"])
        equal(got, (0, b":1. True\n", b""))
    finally:
        daemon.terminate()
        daemon.wait()
        daemon.stdout.close()


run("a hook ends what could not be frozen", in_time)
run("an event loop", event_loop)
run("numexpr's threads", threads_of_numexpr)
run("warnings of the build", warnings_are_told_again)
run("a connection to D-Bus", bus)


# ------------------------------------------------------------ errors
def before_raises():
    refused("@pyimage.register_before_snapshot\ndef fails():\n    1 / 0\n",
            "before the freeze", "ZeroDivisionError", "in fails", "warm.py")
    refused("pyimage.register_before_snapshot(sys.exit, 0)\n", "before the freeze",
            "SystemExit")
    refused("pyimage.register_before_snapshot(5)\n", "TypeError", "callable, not int")


def other_interpreter():
    # 3.13 tells of what was raised there, and raises nothing here
    refused("import " + lib.INTERPRETERS + " as i\nn = i.create()\n"
            "e = i.run_string(n, 'import pyimage; pyimage.register_after_restore(print)')\n"
            "i.destroy(n)\nassert not e, e.formatted\n", "main interpreter")


AFTER = """
import atexit
atexit.register(lambda: pyimage.is_restored() and print("at exit", flush=True))
def act(what):
    kept.log.append(what)
    exec(what)
for what in %r:
    pyimage.register_after_restore(act, what)
"""


def after_raises():
    path = made(AFTER % (["1 / 0", "print('second')"],))
    for command in lib.WAYS.values():
        got = lib.run([*command(path), "-c", "print('program')"])
        equal((got.status, got.out), (1, b"at exit\n"), "stderr is %r" % got.err)
        that(got.err.startswith(b"Traceback (most recent call last):\n") and
             b"in act" in got.err and got.err.endswith(b"ZeroDivisionError: division by zero\n"),
             got.err)


def after_exits():
    for what, status, err in (("sys.exit(5)", 5, b""), ("sys.exit()", 0, b""),
                              ("sys.exit('why')", 1, b"why\n")):
        path = made(AFTER % ([what, "print('second')"],))
        got = lib.run([path, "-c", "print('program')"])
        equal(got, (status, b"at exit\n", err))


def after_is_interrupted():
    path = made(AFTER % (["raise KeyboardInterrupt"],))
    got = lib.run([path, "-c", "print('program')"])
    equal((got.status, got.out), (-signal.SIGINT, b"at exit\n"))
    that(got.err.endswith(b"KeyboardInterrupt\n"), got.err)


run("a hook raises before the freeze", before_raises)
run("a hook of another interpreter", other_interpreter)
run("a hook raises after the restore", after_raises)
run("a hook ends the process after the restore", after_exits)
run("a hook is interrupted after the restore", after_is_interrupted)
shutil.rmtree(PLACE, ignore_errors=True)
done()
