"""gunicorn before Django: four workers that serve a page with rows of SQLite. What is
frozen are gunicorn, Django and the project, which has answered requests through
gunicorn's own worker; workers are forked from the restored process."""
import http.client
import os
import re
import select
import shutil
import socket

from workloads import HERE, command, write

PACKAGES = "gunicorn python3-django"
ENV = {}
SOCKET = "gunicorn.sock"

# A worker in the process that is frozen answers requests that come through a pair
# of sockets. What it leaves open is closed.
WARM = """
import gc, os, socket, sys

sys.path.insert(0, os.getcwd())
sys.argv = ["gunicorn", "%(application)s"]
import gunicorn.arbiter, gunicorn.glogging, gunicorn.workers.gthread
from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.workers.sync import SyncWorker

server = WSGIApplication()
server.cfg.set("loglevel", "critical")
worker = SyncWorker(1, os.getpid(), [], server, 30, server.cfg,
                    gunicorn.glogging.Logger(server.cfg))
worker.wsgi = server.wsgi()


class Listener:
    def getsockname(self):
        return "127.0.0.1", 80


def ask(path):
    ours, theirs = socket.socketpair()
    with ours:
        ours.sendall(b"GET %%s HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n" %% path)
        worker.handle(Listener(), theirs, ("127.0.0.1", 1))
        while ours.recv(65536):
            pass


for _ in range(20):
    for path in b"/", b"/random/", b"/nothing":
        ask(path)
worker.tmp.close()
sys.path.remove(os.getcwd())
%(end)s
"""
END = """
from django.db import connections
connections.close_all()
"""


class Connection(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path, timeout=60):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def get(path, page):
    """(status, body)"""
    connection = Connection(path)
    try:
        connection.request("GET", page)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def wait_listening(child, path):
    """Until somebody listens there: connecting is what tells."""
    process = os.pidfd_open(child.pid)
    try:
        while True:
            try:
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(path)
                    return
            except (FileNotFoundError, ConnectionRefusedError):
                if select.select([process], [], [], 0.002)[0]:
                    raise RuntimeError("the server ended")
    finally:
        os.close(process)


def first_page(page="/"):
    def useful(child, home):
        wait_listening(child, os.path.join(home, SOCKET))
        return get(os.path.join(home, SOCKET), page)
    return useful


def all_answer(count, page="/random/"):
    """Each of so many workers has answered, with its pid in front: only then would
    none of them miss a signal (gunicorn's handlers are set late in a worker)."""
    def settled(child, home):
        seen = set()
        while len(seen) < count:
            status, body = get(os.path.join(home, SOCKET), page)
            assert status == 200, status
            seen.add(body.split()[0])
    return settled


def arrange(home):
    shutil.copytree(HERE + "/shop", home, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("__pycache__"))
    command(home, "./manage.py", "migrate")
    write(home, "warm.py", WARM % {"application": "shop.wsgi", "end": END})


def build(home):
    return ["-e", "/usr/bin/gunicorn", "-w", home + "/warm.py"]


def masked(data):
    """Dates and pids, and what a thread of the master's tells whenever it comes to it
    (gunicorn 25)."""
    data = re.sub(rb"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d( [+-]\d{4}|,\d+)\]", b"[DATE]", data)
    data = re.sub(rb"\[\d\d/\w+/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]", b"[DATE]", data)
    data = re.sub(rb"\[DATE\] \[\d+\] \[INFO\] Control socket listening .*\n", b"", data)
    return re.sub(rb"\[DATE\] \[\d+\]|(pid: ?|\.sock \()\d+", rb"[DATE] \1PID", data)


def unordered(data):
    """Also the order of what several processes write."""
    return b"".join(sorted(masked(data).splitlines(True)))


def serve(*words, application="shop.wsgi", **more):
    words = ["-b", "unix:" + SOCKET, *words, application]
    return {**dict(plain=["/usr/bin/gunicorn", *words], image=words, mask=masked,
                   useful=first_page()), **more}


def runs(home):
    return {
        "four workers": serve("-w", "4", "--log-level", "warning", bench=True,
                              settled=all_answer(4), mask=unordered),
        "four workers that tell": serve("-w", "4", settled=all_answer(4), mask=unordered),
        "access log": serve("--access-logfile", "-", "--access-logformat",
                            "%(m)s %(U)s %(s)s %(B)s %(H)s"),
        "threads": serve("-k", "gthread", "--threads", "4", "--log-level", "warning"),
        "not found": serve("--log-level", "warning", useful=first_page("/nothing")),
        "preload": serve("-w", "2", "--preload", "--log-level", "warning",
                         settled=all_answer(2), mask=unordered),
        "no such application": serve(application="shop.nothing", useful=None),
        "no such option": serve("--no-such-option", useful=None),
        "version": serve("--version", useful=None),
        "configuration": serve("--check-config", useful=None),
    }
