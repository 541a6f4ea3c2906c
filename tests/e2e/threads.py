#!/usr/bin/python3
"""Threads: those that are there at the freeze are refused with their stacks, those
that fork handlers end are fine, and those that start after the restore are as in
python3."""
import os

import lib
from tap import Skip, done, equal, run, that

SITE = lib.USER_SITE


# ------------------------------------------------------------ at the freeze
def build(code):
    home = lib.folder("home")
    os.makedirs(home + SITE)
    lib.write(home + SITE + "/thread_module.py", code)
    # -q: python3 is not measured, which would wait for such a thread for ever
    got = lib.build(home + "/image", ["thread_module"], options=["-q"], env={"HOME": home})
    return got, home


def refused(code, *words):
    got, home = build(code)
    text = got.err.decode()
    equal((got.status, got.out, os.path.exists(home + "/image")), (1, b"", False), text)
    for word in ("threads are still running", "let the workload start them after", *words):
        that(word in text, "%r is not in %s" % (word, text))
    return text


WAIT = "import threading\nevent = threading.Event()\ndef waits():\n    event.wait()\n"


def of_python():
    """Also one that a rehearsal of the end would wait for."""
    for daemon in True, False:
        refused(WAIT + "threading.Thread(target=waits, name='left-over', daemon=%s).start()"
                % daemon, "of Python's, named 'left-over'" + ", a daemon" * daemon,
                'thread_module.py", line 4, in waits', "event.wait()")


def of_a_pool():
    refused("import concurrent.futures as f, time\np = f.ThreadPoolExecutor(2, 'pool-of-mine')\n"
            "def work(n):\n    return n\nlist(p.map(work, range(9)))\n",
            "named 'pool-of-mine_0'", "in _worker")


# A thread that has just started waits for the GIL, which it gets when a file is read.
SLEEPS = """
import os, time
def sleeps(thread):
    with open("/proc/self/task/%s/syscall" % thread) as file:
        return file.read().startswith("230 ")  # clock_nanosleep, on x86-64
_thread.start_new_thread(time.sleep, (1000,))
while not any(map(sleeps, os.listdir("/proc/self/task"))):
    pass
"""


def without_a_name():
    refused("import _thread, threading\n" + WAIT + "_thread.start_new_thread(waits, ())\n" + SLEEPS,
            "of Python's, started by _thread.start_new_thread():", "in waits",
            "_thread.start_new_thread(), started in", "clock_nanosleep (libc.so.6)")


def many():
    text = refused(WAIT + "for n in range(13):\n"
                   "    threading.Thread(target=waits, name='n%d' % n).start()", "and 3 more")
    equal(text.count("\n  File "), 10 * text.count("in waits") // 10 * 6, text)
    equal(text.count("named 'n"), 10, text)


C_THREAD = ("import ctypes\nc = ctypes.CDLL(%r)\nt = ctypes.c_ulong()\n"
            "c.pthread_create(ctypes.byref(t), None, c.%s, None)\n")


def of_a_library():
    """Blocked signals don't keep it from answering; its name is the kernel's."""
    library = lib.LIB + "/probe.so"
    refused(C_THREAD % (library, "probe_sleep_blocked"), "(python3), started in "
            "probe_sleep_blocked (probe.so):", "in probe_sleep_blocked (probe.so)", "libc.so.6)")


def of_glib():
    text = refused("from gi.repository import Gio, GLib\nloop = GLib.MainLoop()\n"
                   "f = Gio.File.new_for_path('/etc/passwd')\n"
                   "f.load_contents_async(None, lambda o, r: (o.load_contents_finish(r), "
                   "loop.quit()))\nloop.run()\n", "(gmain), started in",
                   "g_main_context_iteration (libglib-2.0.so.0)", "poll (libc.so.6)")
    that("of Python's" not in text, text)


def ended_by_a_fork_handler():
    """By one of Python's, and by OpenBLAS's own."""
    got, home = build(WAIT + "t = threading.Thread(target=waits)\nt.start()\n"
                      "def end():\n    event.set()\n    t.join()\n"
                      "import os\nos.register_at_fork(before=end)\n")
    equal((got.status, got.err), (0, b""))
    got = lib.run([home + "/image", "-c", "import os, threading, thread_module as m\n"
                   "print(m.t.is_alive(), threading.active_count(), "
                   "len(os.listdir('/proc/self/task')))\n"
                   "t = threading.Thread(target=print, args=('works',)); t.start(); t.join()"],
                  env={"HOME": home})
    equal((got.status, got.out, got.err), (0, b"False 1 1\nworks\n", b""))


def started_by_a_fork_handler():
    refused(WAIT + "import os\ndef again():\n"
            "    threading.Thread(target=waits, name='again').start()\n"
            "os.register_at_fork(after_in_child=again)\n", "named 'again'", "in waits")


def ended_before():
    got, home = build("import threading\nfor n in range(200):\n"
                      "    t = threading.Thread(target=int)\n    t.start()\n    t.join()\n")
    equal((got.status, got.err), (0, b""))


run("refused: of Python's", of_python)
run("refused: of a pool", of_a_pool)
run("refused: without a name", without_a_name)
run("refused: more than are told", many)
run("refused: of a C library", of_a_library)
run("refused: of GLib", of_glib)
run("refused: started by a fork handler", started_by_a_fork_handler)
run("fine: ended by a fork handler", ended_by_a_fork_handler)
run("fine: ended before", ended_before)


# ------------------------------------------------------------ after the restore
PROGRAMS = {}


def program(name, image, text, before=""):
    PROGRAMS[name] = image, text, before


program("ThreadPoolExecutor", "stdlib", """
import concurrent.futures as f, threading, time
def work(n):
    return n * n, threading.current_thread().name.rpartition("_")[0]
with f.ThreadPoolExecutor(5, "pool") as pool:
    print(list(pool.map(work, range(20))))
    futures = [pool.submit(divmod, n, 0) for n in range(3)]
    print([type(x.exception()).__name__ for x in f.as_completed(futures)])
later = f.ThreadPoolExecutor(1)
later.submit(print, "joined at the end")
""")
program("asyncio", "stdlib", """
import asyncio, threading
def work(n):
    return n, threading.current_thread() is threading.main_thread()
async def main():
    print(await asyncio.gather(*(asyncio.to_thread(work, n) for n in range(10))))
    loop = asyncio.get_running_loop()
    print(await loop.run_in_executor(None, work, 1))
    process = await asyncio.create_subprocess_exec("echo", "word", stdout=-1)
    print(await process.communicate(), process.returncode)
asyncio.run(main())
""")
for method in "fork", "spawn", "forkserver":
    program("multiprocessing, " + method, "stdlib", """
import multiprocessing as m, os, sys
def work(n):
    return n * n
def put(queue, lock, value):
    with lock:
        queue.put([m.current_process().name, m.parent_process().pid == os.getppid()])
        value.value += 1
def fails():
    sys.exit(3)
if __name__ == "__main__":
    c = m.get_context(%r)
    with c.Pool(3) as pool:
        print(pool.map(work, range(20)), pool.apply_async(work, (5,)).get())
    queue, lock, value = c.Queue(), c.Lock(), c.Value("i", 0)
    children = [c.Process(target=put, args=(queue, lock, value), name="n%%d" %% n) for n in range(3)]
    for child in children:
        child.start()
    got = sorted(queue.get()[0] for child in children)
    for child in children:
        child.join()
    print(got, value.value, [child.exitcode for child in children])
    child = c.Process(target=fails)
    child.start(); child.join(); print(child.exitcode)
    with c.Manager() as manager:
        d = manager.dict(a=1); d["b"] = 2; print(sorted(d.items()))
""" % method)
    program("ProcessPoolExecutor, " + method, "stdlib", """
import concurrent.futures as f, multiprocessing as m
def work(n):
    return n * n
if __name__ == "__main__":
    with f.ProcessPoolExecutor(2, m.get_context(%r)) as pool:
        print(list(pool.map(work, range(10), chunksize=3)))
        print(type(pool.submit(divmod, 1, 0).exception()).__name__)
""" % method)
program("threading.local", "stdlib", """
import contextvars, threading
local, variable = threading.local(), contextvars.ContextVar("v", default=0)
class Local(threading.local):
    def __init__(self, n): self.n = n
sub = Local(5)
local.x = 1; variable.set(1)
def work(n):
    seen = hasattr(local, "x"), variable.get(), sub.n
    local.x = sub.n = n; variable.set(n)
    barrier.wait()
    out[n] = seen, local.x, variable.get(), sub.n
out, barrier = {}, threading.Barrier(4)
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print(sorted(out.items()), local.x, variable.get(), sub.n)
""")
STACKS = """
import ctypes, threading
c = ctypes.CDLL(None)
def size():
    attributes, address, size = (ctypes.c_long * 16)(), ctypes.c_void_p(), ctypes.c_size_t()
    c.pthread_self.restype = ctypes.c_ulong
    c.pthread_getattr_np(ctypes.c_ulong(c.pthread_self()), attributes)
    c.pthread_attr_getstack(attributes, ctypes.byref(address), ctypes.byref(size))
    guard = ctypes.c_size_t()
    c.pthread_attr_getguardsize(attributes, ctypes.byref(guard))
    print(size.value, guard.value)
def deep(n):
    return n and deep(n - 1)
def go():
    t = threading.Thread(target=size); t.start(); t.join()
go()
for n in 256 << 10, 64 << 20, 0:
    print(threading.stack_size(n)); go()
import sys
sys.setrecursionlimit(30000)
threading.stack_size(200 << 20)
t = threading.Thread(target=lambda: print(deep(20000))); t.start(); t.join()
"""
program("stack sizes", "stdlib", STACKS)
program("stack sizes, a small limit", "stdlib", STACKS, "ulimit -s 3000")
program("stack sizes, no limit", "stdlib", STACKS, "ulimit -s unlimited")
program("names and numbers", "stdlib", """
import os, threading
def look():
    tid = threading.get_native_id()
    with open("/proc/self/task/%d/comm" % tid) as one, open("/proc/self/comm") as all:
        print(one.read() == all.read(), tid != os.getpid(), threading.current_thread().name)
print(threading.get_native_id() == os.getpid(), threading.main_thread().native_id == os.getpid())
for name in None, "mine":
    t = threading.Thread(target=look, name=name); t.start(); t.join()
print(threading.active_count(), threading.get_ident() == threading.main_thread().ident)
""")
program("signals", "stdlib", """
import signal, threading, time
signal.signal(signal.SIGUSR1, lambda *a: print("in", threading.current_thread().name))
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
def look():
    print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])))
    print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
    signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
    print(sorted(signal.sigpending()), signal.sigwait([signal.SIGUSR1]))
t = threading.Thread(target=look); t.start(); t.join()
print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
""")
program("what threading offers", "stdlib", """
import queue, sys, threading, faulthandler
print("timer"), threading.Timer(0.01, print, ("timed",)).run()
q, r = queue.Queue(3), queue.SimpleQueue()
def move():
    while (item := q.get()) is not None: r.put(item + 1)
t = threading.Thread(target=move); t.start()
for n in range(50): q.put(n)
q.put(None); t.join(); print([r.get() for n in range(50)] == list(range(1, 51)))
def fails(): raise ValueError("in a thread")
threading.excepthook = lambda args: print(args.exc_type.__name__, args.thread.name)
t = threading.Thread(target=fails, name="failing"); t.start(); t.join()
sys.setswitchinterval(1e-6)
count, lock = [0], threading.Lock()
def add():
    for n in range(3000):
        with lock: count[0] += 1
threads = [threading.Thread(target=add) for n in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print(count)
faulthandler.dump_traceback_later(1000); faulthandler.cancel_dump_traceback_later()
threading.Thread(target=threading.Event().wait, daemon=True).start()
threading.Thread(target=print, args=("not waited for",)).start()
""")
program("a fork in a thread", "stdlib", """
import os, threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)	# of 3.12 and later
def work():
    pid = os.fork()
    if not pid:
        print("child", threading.active_count(), threading.main_thread() is
              threading.current_thread(), len(os.listdir("/proc/self/task")), flush=True)
        os._exit(7)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
t = threading.Thread(target=work); t.start(); t.join()
""")
program("a thread of C's that calls Python", "stdlib", """
import ctypes, threading
c, t = ctypes.CDLL(None), ctypes.c_ulong()
@ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
def called(argument):
    print(argument, type(threading.current_thread()).__name__)
    return 11
result = ctypes.c_void_p()
for n in range(3):
    c.pthread_create(ctypes.byref(t), None, called, ctypes.c_void_p(n + 5))
    c.pthread_join(t, ctypes.byref(result)); print(result.value)
""")
# Its pool starts with python3's import, and with an image's first use.
program("OpenBLAS", "numpy", """
import numpy, os
a = numpy.arange(1e6).reshape(1000, 1000) % 7
for n in range(3):
    b = a @ a
after = len(os.listdir("/proc/self/task"))
print(after, after > 1 or os.cpu_count() == 1, b.sum(), b[3, 5], b[999, 998])
c = a + 9000 * numpy.eye(1000)
print(numpy.allclose(numpy.linalg.inv(c) @ c, numpy.eye(1000)))
if os.fork() == 0:
    print((a @ a == b).all(), flush=True); os._exit(0)
os.wait(); print((a @ a == b).all())
""")
program("Gio", "gi", """
import os, threading
from gi.repository import Gio, GLib
loop, got = GLib.MainLoop(), []
def done(file, result):
    got.append(len(file.load_contents_finish(result)[1]))
    if len(got) == 3: loop.quit()
for name in "/etc/passwd", "/etc/group", "/etc/hostname":
    Gio.File.new_for_path(name).load_contents_async(None, done)
loop.run()
print(len(got), sorted(got) == sorted(os.stat(n).st_size for n in
      ("/etc/passwd", "/etc/group", "/etc/hostname")), len(os.listdir("/proc/self/task")) > 1)
GLib.idle_add(lambda: print(threading.current_thread().name) or loop.quit())
threading.Thread(target=lambda: GLib.idle_add(loop.quit)).start()
loop.run()
""")
program("a main loop in a thread", "gi", """
import threading
from gi.repository import GLib
context = GLib.MainContext.new()
loop = GLib.MainLoop.new(context, False)
def run():
    context.push_thread_default(); loop.run(); context.pop_thread_default()
t = threading.Thread(target=run); t.start()
source = GLib.Idle()
source.set_callback(lambda *a: print(threading.current_thread() is t) or loop.quit())
source.attach(context); t.join()
""")


def compare(name):
    image, text, before = PROGRAMS[name]
    place = lib.folder("program")
    lib.write(place + "/program.py", text)

    def outcome(command):
        return lib.shell(before, *command, "program.py", cwd=place)
    want = outcome(["/usr/bin/python3"])
    equal((want.status, want.err), (0, b""), "python3's end")
    that(want.out, "it prints nothing")
    for way, command in lib.WAYS.items():
        equal(outcome(command(lib.image(image))), want, way)


for name in PROGRAMS:
    if name == "OpenBLAS" and "openblas" not in os.path.realpath(
            "/usr/lib/x86_64-linux-gnu/libblas.so.3"):
        def skip():
            raise Skip("numpy does not use OpenBLAS")
        run(name, skip)
    else:
        run(name, compare, name)
done()
