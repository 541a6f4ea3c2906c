#!/usr/bin/python3
"""Servers that fork workers from an image: signals, workers that end and come again,
what must differ between them and what must not."""
import contextlib
import os
import re
import select
import signal
import subprocess
import sys

import lib
sys.path.insert(0, lib.ROOT + "/tests")
from tap import Skip, differ, done, equal, run, that
import workloads
from workloads import gunicorn, requests

LIMIT = 60
GUNICORN = "/usr/bin/gunicorn"


class Place:
    """The home of a workload and its image, made when they are first asked for."""

    def __init__(self, name):
        self.workload = workloads.Workload(name)
        if missing := self.workload.missing():
            raise Skip("packages are missing: " + " ".join(missing))
        self.home = lib.folder(name)
        self.image = os.path.join(lib.TMP, "img", "services-%s.pyimage" % name)
        self.workload.arrange(self.home)
        refusal = self.workload.image(lib.PYDUMP, self.image, self.home)
        that(refusal is None, refusal)
        self.socket = os.path.join(self.home, gunicorn.SOCKET)
        self.variables = self.workload.environment(self.home)

    def go(self, *words, **options):
        return lib.run([self.image, *words], env={**self.variables, "PYIMAGE_ENTRY": "off"},
                       cwd=self.home, **options)

    @contextlib.contextmanager
    def server(self, *words, command=None, bind="unix:" + gunicorn.SOCKET):
        child = subprocess.Popen(
            [command or self.image, "-b", bind, *words, "shop.wsgi"],
            env=self.variables, cwd=self.home, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
        try:
            if bind.startswith("unix:"):
                gunicorn.wait_listening(child, self.socket)
            yield child
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            child.stderr.close()

    def ask(self, page="/random/"):
        status, body = gunicorn.get(self.socket, page)
        equal(status, 200)
        return body

    def pid(self):
        return int(self.ask().split()[0])

    def workers(self, wanted):
        """Ask until the set of those who answered is wanted."""
        seen = set()
        while not wanted(seen):
            seen.add(self.pid())
        return seen


places = {}


def place(name="gunicorn"):
    if name not in places:
        places[name] = Place(name)
    return places[name]


def ends_well(child):
    child.send_signal(signal.SIGTERM)
    equal(child.wait(LIMIT), 0)


def gone(pid):
    """Wait until this process is no more; a worker is reaped by its master."""
    with contextlib.suppress(ProcessLookupError):
        process = os.pidfd_open(pid)
        that(select.select([process], [], [], LIMIT)[0], "process %d stays" % pid)
        os.close(process)


# ------------------------------------------------------------ signals
def reload_by_hup():
    here = place()
    with here.server("-w", "2") as child:
        old = here.workers(lambda seen: len(seen) == 2)
        child.send_signal(signal.SIGHUP)
        for pid in old:
            gone(pid)
        new = here.workers(lambda seen: len(seen) == 2)
        equal(old & new, set())
        ends_well(child)
        for pid in new:
            gone(pid)


def killed_worker():
    here = place()
    with here.server("-w", "2") as child:
        old = here.workers(lambda seen: len(seen) == 2)
        for signo in signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM:
            victim = here.pid()
            os.kill(victim, signo)
            gone(victim)
            new = here.workers(lambda seen: len(seen) == 2)
            that(victim not in new, victim)
        differ(old, new)
        ends_well(child)


def more_and_fewer():
    here = place()
    with here.server("-w", "1") as child:
        first = here.workers(lambda seen: len(seen) == 1)
        child.send_signal(signal.SIGTTIN)
        both = here.workers(lambda seen: len(seen) == 2)
        that(first < both, both)
        child.send_signal(signal.SIGTTOU)	# the oldest goes
        for pid in first:
            gone(pid)
        equal(here.workers(lambda seen: len(seen) == 1), both - first)
        ends_well(child)


# ------------------------------------------------------------ answers
def answers(here, words, command=None):
    with here.server(*words, command=command) as child:
        here.workers(lambda seen: len(seen) == 4)
        pages = {here.ask("/") for _ in range(100)}
        chances = [here.ask().split() for _ in range(100)]
        ends_well(child)
    return pages, chances


def hundred_requests():
    here = place()
    want, _ = answers(here, ["-w", "4"], GUNICORN)
    equal(len(want), 1)
    for words in ["-w", "4"], ["-w", "4", "-k", "gthread", "--threads", "2"]:
        got, chances = answers(here, words)
        equal(got, want)
        for column in 1, 2:	# of random, and of secrets
            equal(len({row[column] for row in chances}), 100)


def chosen_port():
    here = place()
    for command in GUNICORN, here.image:
        with here.server("--log-level", "info", bind="127.0.0.1:0", command=command) as child:
            for line in child.stderr:
                found = re.search(rb"Listening at: http://127.0.0.1:(\d+)", line)
                if found:
                    break
            connection = gunicorn.http.client.HTTPConnection("127.0.0.1", int(found[1]))
            connection.request("GET", "/")
            that(b"THING 7" in connection.getresponse().read(), command)
            connection.close()
            child.stderr.read1()
            child.send_signal(signal.SIGTERM)
            equal(child.wait(LIMIT), 0)


# ------------------------------------------------------------ many workers
def descriptors(pid):
    return sorted(os.listdir("/proc/%d/fd" % pid))


def without_control():
    """gunicorn's master has a thread from 25.1 on, which ends before each fork, begins
    behind it, and opens a socket when it comes to it."""
    usage = subprocess.run([GUNICORN, "--help"], stdout=subprocess.PIPE, check=True).stdout
    return ["--no-control-socket"] if b"--no-control-socket" in usage else []


def restarted_workers():
    """Each worker ends after one request; the master's descriptors stay as many."""
    here = place()
    counts = {}
    with here.server("-w", "2", "--max-requests", "1", *without_control()) as child:
        pids = [here.pid() for _ in range(10)]
        for _ in range(2):
            while len(pids) % 30:
                pids.append(here.pid())
            here.workers(lambda seen: len(seen) == 2)
            counts[len(pids)] = len(descriptors(child.pid))
            pids.append(here.pid())
        equal(len(set(pids)), len(pids), "each answered once")
        that(max(counts.values()) - min(counts.values()) <= 2, counts)
        ends_well(child)


FORKS = """
import os, random, ssl, threading
here = lambda: sorted(os.listdir("/proc/self/fd"))
before, seen = here(), set()
for n in range(%d):
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        text = "%%d %%d %%s %%s" %% (os.getpid(), threading.get_native_id(), random.random(),
                                 ssl.RAND_bytes(8).hex())
        os.write(w, text.encode())
        os._exit(len(here()) - len(before) - 2)
    os.close(w)
    with open(r, "rb") as file:
        own, tid, *chance = file.read().split()
    assert os.waitpid(pid, 0)[1] == 0
    assert int(own) == int(tid) == pid, (own, tid, pid)
    seen.update(chance)
assert here() == before, (before, here())
print(len(seen))
"""


def thousand_forks():
    got = lib.run([lib.image("stdlib"), "-c", FORKS % 1000])
    equal(got, (0, b"2000\n", b""))


BLAS = """
import os, numpy
a = numpy.arange(250000.0).reshape(500, 500) % 7
want = (a @ a).sum()
for n in range(4):
    pid = os.fork()
    if pid == 0:
        os._exit(0 if (a @ a).sum() == want else 1)
    assert os.waitpid(pid, 0)[1] == 0, n
    assert (a @ a).sum() == want
print(want == sum(int(x) for x in (a.astype(int) @ a.astype(int)).ravel().tolist()))
"""


def fork_with_openblas():
    got = lib.run([lib.image("numpy"), "-c", BLAS])
    equal(got, (0, b"True\n", b""))


# ------------------------------------------------------------ TLS
KEYLOG = """
import ssl, kept
for context in kept.context, ssl.create_default_context(cafile=kept.CA):
    context.keylog_filename = "keys"
    ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(ours, theirs, server_hostname="localhost")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        print(theirs.read()[11:43].hex())
"""


def client_random():
    """RFC 8446, 4.1.2: behind the record's and the handshake's headers, 5 + 4 bytes, and
    two of the version come 32 random ones."""
    here = place("requests")
    texts = []
    for _ in range(3):
        got = here.go("-c", KEYLOG)
        equal((got.status, got.err), (0, b""))
        texts += got.out.split()
    equal((len(texts), len(set(texts))), (6, 6), texts)


# ------------------------------------------------------------ files
def edited(name):
    """A template, too: Django keeps those that it has read."""
    here = place()
    name = os.path.join(here.home, name)
    status, text = os.stat(name), lib.read(name)
    equal(here.go("-c", "pass").status, 0)
    lib.write(name, text + b"\n# edited\n")
    got = here.go("-c", "pass")
    equal((got.status, name.encode() in got.err), (70, True), got.err)
    lib.write(name, text)
    os.utime(name, ns=(status.st_atime_ns, status.st_mtime_ns))
    equal(here.go("-c", "pass").status, 0)


run("SIGHUP: other workers", reload_by_hup)
run("a worker that is killed is replaced", killed_worker)
run("SIGTTIN, SIGTTOU: more and fewer workers", more_and_fewer)
run("hundreds of requests over four workers", hundred_requests)
run("a port that the kernel chooses", chosen_port)
run("workers that end after one request", restarted_workers)
run("a thousand forks", thousand_forks)
run("forks with OpenBLAS's threads", fork_with_openblas)
run("TLS: the client's random bytes", client_random)
for file in "goods/views.py", "goods/templates/goods/shelf.html":
    run("a file of the project that was edited: " + file, edited, file)
done()
