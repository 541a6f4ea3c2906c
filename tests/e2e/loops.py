#!/usr/bin/python3
"""Event loops that imports make: each process has its own, under the numbers of the
build, and they do what they do in python3."""
import os
import re
import select
import subprocess

import lib
from tap import Skip, done, equal, run, that

PLACE = lib.folder("loops")
os.chmod(PLACE, 0o755)

# Runs before the freeze; what it leaves in the module `kept` is there afterwards.
KEPT = """
import os, sys, types
kept = sys.modules["kept"] = types.ModuleType("kept")
"""


def warm(name, code):
    return lib.write("%s/%s.py" % (PLACE, name), KEPT + code, 0o644)


def image(name, code, *options, **more):
    path = "%s/%s.pyimage" % (PLACE, name)
    got = lib.build(path, warmups=[warm(name, code)], options=options, **more)
    equal((got.status, got.err), (0, b""), "the build")
    return path


def refused(name, code, *words):
    path = "%s/%s.pyimage" % (PLACE, name)
    got = lib.build(path, warmups=[warm(name, code)])
    equal((got.status, got.out, os.path.exists(path)), (1, b"", False), got.err)
    for word in words:
        that(word.encode() in got.err, "%r is not in %s" % (word, got.err))


def same(name, code, script, *options):
    """Python3, and an image whatever its user and way, say the same and no error."""
    want = lib.run([lib.PYTHON, *options, "-c", KEPT + code + "\n" + script])
    equal((want.status, want.err), (0, b""), "python3")
    path = image(name, code, *["--python-option=" + option for option in options])
    for before in lib.users().values():
        for way in lib.WAYS.values():
            equal(lib.run(before([*way(path), "-c", script])), want)
    return path


# ------------------------------------------------------------ asyncio
LOOP = """
import asyncio, signal
kept.loop = asyncio.new_event_loop()
asyncio.set_event_loop(kept.loop)
kept.got = []
async def wait(): await asyncio.wait_for(asyncio.sleep(0.001), 1000)
kept.loop.run_until_complete(wait())
kept.loop.call_soon_threadsafe(kept.got.append, "soon")
kept.task = kept.loop.create_task(asyncio.sleep(0.001, "task"))
kept.loop.add_signal_handler(signal.SIGUSR1, kept.got.append, "signal")
"""

# Nothing is to be done in it.
IDLE = """
import asyncio
kept.loop = asyncio.new_event_loop()
kept.loop.run_until_complete(asyncio.sleep(0))
"""

USE = """
import asyncio, kept, os, signal, sys, threading
async def main():
    future = kept.loop.create_future()
    threading.Thread(target=lambda: kept.loop.call_soon_threadsafe(
        future.set_result, "thread")).start()
    print(await future, await kept.task)
    child = await asyncio.create_subprocess_exec("echo", "child", stdout=-1)
    print(await child.communicate())
    os.kill(os.getpid(), signal.SIGUSR1)
    for _ in range(5000):
        if "signal" not in kept.got:
            await asyncio.sleep(0.001)
    print(kept.got)
    reader, writer = await asyncio.open_connection(sock=server())
    writer.write(b"question")
    print(await reader.read(100))
    writer.close()
def server():
    import socket
    a, b = socket.socketpair()
    threading.Thread(target=lambda: (b.sendall(b.recv(100).upper()), b.close())).start()
    return a
asyncio.set_event_loop(asyncio.get_event_loop_policy().get_event_loop())
kept.loop.run_until_complete(main())
"""


def asyncio_loop():
    same("asyncio", LOOP, "import warnings; warnings.simplefilter('ignore')\n" + USE)


def it_is_the_one_that_is_set():
    same("set", LOOP, "import asyncio, kept; print(asyncio.get_event_loop() is kept.loop)")


def unnumbered(text):
    """The last line."""
    return re.sub(rb"fd=\d+", b"fd=N", text).splitlines()[-1:]


def its_end():
    """With all warnings, of loops that are closed, or not."""
    for option in "-Xdev", "-Werror":
        path = same("end" + option, IDLE, "import kept; kept.loop.close()", option)
        for script in "", "import atexit, kept; atexit.register(kept.loop.__del__)":
            got = lib.run([path, "-c", script])
            want = lib.run([lib.PYTHON, option, "-c", KEPT + IDLE + script])
            equal((got.status, unnumbered(got.err)), (want.status, unnumbered(want.err)))


FORK = """
import kept, os, time
kept.loop.call_soon(print, "both")
if child := os.fork(): os.waitpid(child, 0)
kept.loop.call_soon(kept.loop.stop)
kept.loop.run_forever()
"""


def forks():
    same("fork", IDLE, FORK)


NUMBERS = """
import fcntl, kept, os
def flags(file):
    fd = file.fileno()
    return os.get_inheritable(fd), oct(fcntl.fcntl(fd, fcntl.F_GETFL)), os.fstat(fd).st_mode
print([flags(f) for f in (kept.loop._ssock, kept.loop._csock, kept.loop._selector)])
print(kept.number == kept.loop._csock.fileno(), kept.loop._selector.get_key(
    kept.loop._ssock).events, sorted(os.listdir('/proc/self/task')) == [str(os.getpid())])
"""


def flags_and_numbers():
    same("flags", LOOP + "kept.number = kept.loop._csock.fileno()\n"
         "os.set_inheritable(kept.loop._selector.fileno(), True)\n"
         "kept.loop._csock.setblocking(True)", NUMBERS)


def two_at_once():
    """One is woken up, and the other is not."""
    path = image("two", LOOP)
    code = """
import kept, sys, threading
threading.Thread(target=lambda: sys.stdin.read(1) and
                 kept.loop.call_soon_threadsafe(kept.loop.stop)).start()
print("sleeps", flush=True)
kept.loop.run_forever()
print("awake")
"""
    both = [subprocess.Popen([path, "-c", code], stdin=subprocess.PIPE, env=lib.ENV,
                             stdout=subprocess.PIPE, bufsize=0) for _ in range(2)]
    try:
        for one in both:
            equal(one.stdout.readline(), b"sleeps\n")
        for one, other in (both, both[::-1]):
            one.stdin.write(b"x")
            equal(one.stdout.readline(), b"awake\n")
            if one is both[0]:
                equal(select.select([other.stdout], [], [], 0.2)[0], [], "the other")
        equal([one.wait(lib.LIMIT) for one in both], [0, 0])
    finally:
        for one in both:
            one.kill()
            one.wait()
            one.stdin.close()
            one.stdout.close()


run("asyncio", asyncio_loop)
run("asyncio: the loop that is set", it_is_the_one_that_is_set)
run("asyncio: warnings at the end", its_end)
run("asyncio: a fork", forks)
run("asyncio: flags and numbers", flags_and_numbers)
run("asyncio: two at once", two_at_once)


# ------------------------------------------------------------ others
EPOLL = """
import select, selectors
kept.selector = selectors.DefaultSelector()
kept.epoll = select.epoll()
kept.same = select.epoll.fromfd(kept.epoll.fileno())
kept.outer = select.epoll()
kept.outer.register(kept.epoll.fileno(), select.EPOLLIN | select.EPOLLET)
kept.closed = select.epoll()
kept.closed.close()
del select.epoll
"""

WATCH = """
import kept, os, selectors
a, b = os.pipe()
kept.selector.register(a, selectors.EVENT_READ, "data")
kept.epoll.register(a, 1)
print(kept.selector.select(0), kept.same.poll(0), kept.outer.poll(0))
os.write(b, b"x")
print([(key.data, events) for key, events in kept.selector.select()])
print([len(one.poll(0)) for one in (kept.epoll, kept.same, kept.outer, kept.outer)])
print(kept.closed.closed)
"""


def epoll_objects():
    """Also one in another, and where eventlet took their type out of its module."""
    same("epoll", EPOLL, WATCH)


TWISTED = """
from twisted.internet import %sreactor
kept.reactor = reactor
reactor.callFromThread(print, "first")
reactor.callWhenRunning(print, "running")
"""

SERVE = """
from twisted.internet import protocol, reactor, threads, utils
import kept
class Upper(protocol.Protocol):
    def dataReceived(self, data): self.transport.write(data.upper())
class Ask(protocol.Protocol):
    def connectionMade(self): self.transport.write(b"question")
    def dataReceived(self, data):
        print(data, kept.reactor is reactor)
        self.transport.loseConnection()
        d = threads.deferToThread(lambda: "thread")
        d.addCallback(print)
        d.addCallback(lambda _: utils.getProcessOutput("/bin/echo", [b"child"]))
        d.addCallback(print)
        d.addBoth(lambda _: reactor.callLater(0.001, reactor.stop))
port = reactor.listenTCP(0, protocol.Factory.forProtocol(Upper), interface="127.0.0.1")
protocol.ClientCreator(reactor, Ask).connectTCP("127.0.0.1", port.getHost().port)
reactor.run()
"""


def need_twisted():
    got = lib.run([lib.PYTHON, "-c", "import twisted.internet"])
    if got.status:
        raise Skip("no twisted: %r" % got.err[-99:])


def twisted():
    need_twisted()
    same("twisted", TWISTED % "", SERVE)


def twisted_by_asyncio():
    need_twisted()
    same("both", "from twisted.internet import asyncioreactor\nasyncioreactor.install()\n"
         + TWISTED % "", SERVE)


run("epoll objects and selectors", epoll_objects)
run("twisted", twisted)
run("twisted on asyncio's loop", twisted_by_asyncio)


# ------------------------------------------------------------ what can't be
def timers():
    refused("timer", LOOP + "kept.loop.call_later(100, print, 5)",
            "an event loop is to call something later", "<TimerHandle", "print(")


def timers_of_twisted():
    need_twisted()
    refused("later", TWISTED % "" + "reactor.callLater(100, print, 5)",
            "an event loop is to call something later", "<DelayedCall", "print")


def number_in_use():
    path = image("used", LOOP)
    code = "import kept; print(kept.loop._csock.fileno())"
    got = lib.run([path, "-c", code])
    number = int(got.out)
    that(number >= 20, number)
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, number)
    os.close(null)
    words = b"descriptor %d of an event loop that imports made" % number
    got = lib.run([path, "-c", code], pass_fds=[number])
    that(got.status == 70 and words + b" is in use" in got.err, got)
    got = lib.run([path, "-c", "print(5)"], env={"PYIMAGE": "auto"}, pass_fds=[number])
    equal(got, (0, b"5\n", b""), "the fallback")
    os.close(number)
    got = lib.shell("ulimit -n %d" % number, path, "-c", code)
    that(got.status == 70 and words + b" can't be made" in got.err, got)
    got = lib.shell("ulimit -n %d" % number, path, "-c", "print(5)", env={"PYIMAGE": "auto"})
    equal(got, (0, b"5\n", b""), "the fallback")


LOW = "import kept; kept.loop.run_until_complete(kept.task); print(kept.loop._csock.fileno())"


def low_numbers():
    """The build had few, and what is made anew takes the place of another one of them."""
    place = warm("few", LOOP)
    path = PLACE + "/few.pyimage"
    got = lib.shell("ulimit -n 200", lib.PYDUMP, "build", "-o", path, "-w", place,
                    env={"PYIMAGE": None})
    equal((got.status, got.err), (0, b""))
    got = lib.run([path, "-c", LOW])
    equal((got.status, got.err), (0, b""))
    that(int(got.out) < 20, got.out)


def low_numbers_are_in_use():
    path = image("low", LOOP)
    got = lib.run(["bash", "-c", "for n in {3..19}; do eval \"exec $n<<<$n\"; done; exec \"$@\"",
                   "bash", path, "-c", LOW + "; import os; print(os.read(3, 9), os.read(19, 9))"])
    equal((got.status, got.err), (0, b""))
    that(re.fullmatch(rb"\d+\nb'3\\n' b'19\\n'\n", got.out), got.out)
    got = lib.run(["bash", "-c", "exec \"$@\" <&- >&- 2>&-", "bash", path, "-c",
                   "import kept, os\n"
                   "kept.loop.run_until_complete(kept.task); os._exit(5)"])
    equal(got, (5, b"", b""), "without standard streams")


run("a call for later", timers)
run("a call for later of twisted's", timers_of_twisted)
run("its number is in use, or beyond the limit", number_in_use)
run("low numbers", low_numbers)
run("low numbers are in use", low_numbers_are_in_use)


# ------------------------------------------------------------ threading
SHUTDOWN = """
import threading
kept.calls = 0
theirs = threading._shutdown
def shutdown(kept=kept, theirs=theirs):
    kept.calls += 1
    print("shutdown", kept.calls)
    theirs()
threading._shutdown = shutdown
"""


def own_shutdown():
    """gevent's starts its loop, and is for once."""
    same("shutdown", SHUTDOWN, "import kept; print(kept.calls)")


run("threading._shutdown of a program", own_shutdown)
done()
