#!/usr/bin/python3
"""stdin, stdout and stderr: each on everything that it may be. What the streams
say of themselves and what comes out is compared with plain python3."""
import errno
import os
import pty
import re
import shutil
import socket
import subprocess
import termios
import threading

import lib
import tap

PROBE = """
import os, sys
def tell(stream):
    if stream is None:
        return None
    raw = stream.buffer.raw if hasattr(stream.buffer, 'raw') else None
    try:
        position = stream.buffer.tell()
    except OSError as error:
        position = error.errno
    return (stream.encoding, stream.errors, stream.line_buffering, stream.write_through,
            stream.isatty(), stream.mode, stream.name, stream.newlines, stream.fileno(),
            stream.seekable(), stream.readable(), stream.writable(), stream.closed,
            type(stream).__name__, type(stream.buffer).__name__, type(raw).__name__,
            raw and (raw.name, raw.mode, raw.closefd, raw._blksize), position,
            repr(stream), os.get_inheritable(stream.fileno()))
with open('told', 'w') as out:
    for name in 'stdin', 'stdout', 'stderr':
        print(name, tell(getattr(sys, name)), file=out)
        stream = getattr(sys, '__%s__' % name)
        print(stream is getattr(sys, name), file=out)
"""
TALK = PROBE + """
def attempt(what, *args):
    try:
        return what(*args)
    except Exception as error:
        return repr(error)
with open('told', 'a') as out:
    print(attempt(lambda: sys.stdin.readline(100)), file=out)
    print(attempt(lambda: sys.stdin.read(3)), file=out)
    print(attempt(lambda: print('to stdout')), file=out)
    print(attempt(lambda: print('to stderr', file=sys.stderr)), file=out)
"""
# How much of 20000 bytes in small pieces leaves the buffer by itself.
BUFFER = """
import os, sys
for stream in sys.stdout, sys.stderr:
    try:
        for n in range(200):
            stream.write('y' * 99 + '\\n')
    except Exception:
        pass
os._exit(0)
"""
# One write each that ends without a newline, then a clean end.
PARTIAL = "import sys\nsys.stdout.write('out'); sys.stderr.write('err')\n"

INPUT = b"first line\nsecond line\nthird\n"


class Ends:
    """What belongs to one run: descriptors for the child, and the collectors."""

    def __init__(self, place):
        self.place = place
        self.close = []
        self.output = {}
        self.threads = []

    def collect(self, fd, read, key):
        def work():
            data = b""
            while True:
                try:
                    piece = read(fd, 65536)
                except OSError as error:
                    if error.errno not in (errno.EIO, errno.ECONNRESET):
                        raise
                    piece = b""
                if not piece:
                    break
                data += piece
            self.output[key] = data
            os.close(fd)
        thread = threading.Thread(target=work)
        self.threads.append(thread)

    def file(self, n, flags=os.O_RDWR, text=None, offset=0):
        path = "%s/file%d" % (self.place, n)
        lib.write(path, INPUT if text is None else text)
        fd = os.open(path, flags)
        os.lseek(fd, offset, 0)
        return fd

    def pipe(self, n):
        r, w = os.pipe()
        if n == 0:
            os.write(w, INPUT)
            os.close(w)
            return r
        self.collect(r, os.read, n)
        return w

    def socket(self, n):
        a, b = socket.socketpair()
        a, b = a.detach(), b.detach()
        if n == 0:
            os.write(a, INPUT)
            os.close(a)
        else:
            self.collect(a, os.read, n)
        return b

    def tty(self, n):
        master, slave = pty.openpty()
        if n == 0:	# no echo: the kernel writes it when it comes to it
            flags = termios.tcgetattr(slave)
            flags[3] &= ~termios.ECHO
            termios.tcsetattr(slave, termios.TCSANOW, flags)
            os.write(master, INPUT)
        self.collect(master, os.read, n)
        return slave


KINDS = {
    "pipe": Ends.pipe,
    "socket": Ends.socket,
    "tty": Ends.tty,
    "a file": lambda ends, n: ends.file(n, os.O_RDONLY if n == 0 else os.O_WRONLY),
    "a file for both": lambda ends, n: ends.file(n),
    "an empty file": lambda ends, n: ends.file(n, text=""),
    "a file at an offset": lambda ends, n: ends.file(n, offset=11),
    "a file at its end": lambda ends, n: ends.file(n, offset=len(INPUT)),
    "a file behind its end": lambda ends, n: ends.file(n, offset=1000),
    "a file for appending": lambda ends, n: ends.file(n, os.O_RDWR | os.O_APPEND),
    "a file of the wrong mode":
        lambda ends, n: ends.file(n, os.O_WRONLY if n == 0 else os.O_RDONLY),
    "/dev/null": lambda ends, n: os.open("/dev/null", os.O_RDWR),
    "/dev/full": lambda ends, n: os.open("/dev/full", os.O_RDWR),
    "a folder": lambda ends, n: os.open("/", os.O_RDONLY),
    "closed": lambda ends, n: None,
}


def once(command, code, kinds):
    place = os.path.join(lib.WORK, "stdio-%d" % os.getpid())
    shutil.rmtree(place, ignore_errors=True)
    os.mkdir(place)
    ends = Ends(place)
    made = {}
    for n, kind in enumerate(kinds):
        made[n] = made[kind[1]] if isinstance(kind, tuple) else KINDS[kind](ends, n)

    def arrange():
        # All of them out of the way first: they may be 0, 1, 2 themselves.
        high = {n: fd if fd is None else os.dup(fd) for n, fd in made.items()}
        for n, fd in high.items():
            if fd is None:
                os.close(n)
            else:
                os.dup2(fd, n)
        os.closerange(3, 256)

    # An image that can't tell of a folder as python3 does may fall back.
    mode = "auto" if "a folder" in kinds else "on"
    child = subprocess.Popen(
        command + ["-c", code], env={**lib.ENV, "PYIMAGE": mode}, cwd=place, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        close_fds=False, preexec_fn=arrange)
    for fd in {fd for fd in made.values() if fd is not None}:
        os.close(fd)
    for thread in ends.threads:
        thread.start()
    status = child.wait()
    for thread in ends.threads:
        thread.join()
    files = {name: lib.read(os.path.join(place, name)) for name in os.listdir(place)}
    return status, files, {n: re.sub(rb"0x[0-9a-f]{6,16}", b"0x...", data)
                           for n, data in sorted(ends.output.items())}


def main():
    settings = {}
    for n, stream in enumerate(("stdin", "stdout", "stderr")):
        for kind in KINDS:
            kinds = ["pipe"] * 3
            kinds[n] = kind
            settings["%s is %s" % (stream, kind)] = kinds
    for kind in KINDS:
        settings["each is %s" % kind] = [kind] * 3
    settings["all are one terminal"] = ["tty", ("as", 0), ("as", 0)]
    settings["stdout and stderr are one pipe"] = ["pipe", "pipe", ("as", 1)]
    settings["stdout and stderr are one file"] = ["pipe", "a file", ("as", 1)]
    settings["all are one file"] = ["a file for both", ("as", 0), ("as", 0)]
    programs = {"": TALK, ", buffers": BUFFER, ", the last piece": PARTIAL}
    for name, kinds in settings.items():
        for program, code in programs.items():
            want = once([lib.PYTHON], code, kinds)
            for way, command in lib.WAYS.items():
                tap.run("%s%s (%s)" % (name, program, way), lambda: tap.equal(
                    once(command(lib.image("bare")), code, kinds), want,
                    "status, files, output"))
    tap.done()


main()
