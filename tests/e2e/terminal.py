"""A pseudo-terminal with a program on it, and what waitpid tells of its end.
Shared by the tests that compare an image with python3 outside of plain runs."""
import errno
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time

import lib
import tap

INTERRUPT, END, STOP, QUIT = b"\x03", b"\x04", b"\x1a", b"\x1c"
LIMIT = 60	# seconds for an answer
PRIMARY, SECONDARY = b">>> ", b"... "
# Where the terminal can do more, the prompt is a module of Python (_pyrepl).
IN_PYTHON = sys.version_info >= (3, 13)
ADDRESS = re.compile(rb"0x[0-9a-f]{6,16}")


def targets(*names):
    """name: command, of every image both ways."""
    return {"%s, %s" % (name, way): command(lib.image(name))
            for name in names or ("bare", "stdlib") for way, command in lib.WAYS.items()}


def each(targets, name, function, *args):
    """A test for each target: what the function gives for its command, it gives
    for python3's."""
    want = function([lib.PYTHON], *args)
    for target, command in targets.items():
        tap.run("%s (%s)" % (name, target), lambda: compare(function(command, *args), want))


def compare(got, want):
    if got != want:
        raise tap.Failed("it is\n  %.3000r, not\n  %.3000r" % (got, want))


def plain(text):
    """Less what is another one in each process."""
    return ADDRESS.sub(b"0x...", text)


# What moves the cursor, what deletes, what only looks other (ECMA-48).
CONTROL = re.compile(rb"\x1b\[([0-9;?]*)([@-~])|\x1b[=>]|[\r\n\b\x07]")


def shown(text):
    """The text less all control sequences, and less the blanks behind it: python3's
    new prompt indents lines by itself."""
    return re.sub(rb"\x1b\[[0-9;?]*[@-~]|\x1b[=>]", b"", text).rstrip(b" ")


def screen(text):
    """The lines that are to be seen in the end: in which pieces the lines were edited
    and painted depends on when the keys came."""
    rows, y, x, at = [""], 0, 0, 0
    pieces = [*CONTROL.finditer(text), None]
    for match in pieces:
        for letter in text[at:match.start() if match else None].decode():
            rows[y] = rows[y][:x].ljust(x) + letter + rows[y][x + 1:]
            x += 1
        if not match:
            return [row.rstrip() for row in rows]
        at = match.end()
        count = int(match[1]) if (match[1] or b"").isdigit() else 0
        key = match[2] or match[0]
        x = {b"D": x - (count or 1), b"\b": x - 1, b"C": x + (count or 1), b"\r": 0,
             b"G": (count or 1) - 1, b"H": 0}.get(key, x)
        y = {b"A": y - (count or 1), b"B": y + (count or 1), b"\n": y + 1}.get(key, y)
        x, y = max(x, 0), max(y, 0)
        rows += [""] * (y + 1 - len(rows))
        if key == b"K":
            rows[y] = rows[y][:x] if not count else "" if count == 2 else \
                rows[y][x:].rjust(len(rows[y]))
        elif key == b"J":
            rows[y] = rows[y][:x]
            del rows[y + 1:]
            if count == 2:
                rows = [""] * (y + 1)
        elif key == b"@":
            rows[y] = rows[y][:x].ljust(x) + " " * (count or 1) + rows[y][x:]
        elif key == b"P":
            rows[y] = rows[y][:x] + rows[y][x + (count or 1):]


def ended(child):
    """How waitid sees the end, before Popen makes one number of it: si_code
    (CLD_EXITED, CLD_KILLED, CLD_DUMPED) and the status or signal."""
    fd = os.pidfd_open(child.pid)
    ready, _, _ = select.select([fd], [], [], LIMIT)
    os.close(fd)
    if not ready:
        child.kill()
        child.wait()
        raise tap.Failed("it did not end")
    seen = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    child.wait()
    return seen.si_code, seen.si_status


def home(name):
    """An empty home, the same path for each run that is compared."""
    path = os.path.join(lib.WORK, "%s-%d" % (name, os.getpid()))
    shutil.rmtree(path, ignore_errors=True)
    os.mkdir(path)
    return path


class Session:
    """A program that leads a session of its own on a new terminal. Variables
    whose value is None are left out."""

    def __init__(self, command, env, home, size=(24, 80), arrange=None, output=None):
        self.output, self.sent = output, 0	# where stdout is a file
        self.typed = False
        self.master, slave = pty.openpty()
        self.resize(*size)
        variables = {**lib.ENV, "TERM": "dumb", "HOME": home, **env}

        def control():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            for number in signal.SIGINT, signal.SIGQUIT:	# `&` of a shell ignores them
                signal.signal(number, signal.SIG_DFL)
            if arrange:
                arrange()

        self.child = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=home, preexec_fn=control,
            env={k: v for k, v in variables.items() if v is not None})
        os.close(slave)
        self.text = b""

    def resize(self, rows, columns):
        """The kernel sends SIGWINCH to the terminal's foreground group."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def _more(self):
        ready, _, _ = select.select([self.master], [], [], LIMIT)
        if not ready:
            self.child.kill()
            raise tap.Failed("no answer after %r" % self.text[-300:])
        try:
            data = os.read(self.master, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        self.text += data
        return data

    def expect(self, end):
        start = len(self.text)
        while not self.text[start:].endswith(end):
            if not self._more():
                raise tap.Failed("ended, not %r, after %r" % (end, self.text[-300:]))

    def _painted(self):
        """What has been painted since the last keys: on the terminal, or in a file."""
        text = self.text
        if self.output:
            text = lib.read(self.output) if os.path.exists(self.output) else b""
        return text[self.sent:]

    def _takes_keys(self):
        """It has turned off the lines that the kernel makes, and waits."""
        return not termios.tcgetattr(self.master)[3] & termios.ICANON and \
            tap.all_asleep(self.child.pid)

    def expect_keys(self, what, arrived):
        """Until it waits for keys and what it painted since the last ones is right."""
        limit = time.monotonic() + LIMIT
        while True:
            painted = self._painted()
            if arrived(painted) and self._takes_keys() and painted == self._painted():
                return
            if self._has_more(.01) and not self._more():
                raise tap.Failed("ended, not %r, after %r" % (what, painted[-300:]))
            if time.monotonic() > limit:
                self.child.kill()
                raise tap.Failed("not %r, but %r" % (what, painted[-300:]))

    def expect_prompt(self, end):
        """With this at the end of what is to be seen, as python3's new prompt does: that
        puts the terminal into a mode for it and, while a line is typed, paints the prompt
        again and again. The line's own end is part of the answer, so keys that are still
        on their way are not overlooked; before the first ones there is none."""
        self.expect_keys(end, lambda painted: (b"\n" in painted or not self.typed) and
                         shown(painted).endswith(shown(end)))

    def _has_more(self, seconds):
        return bool(select.select([self.master], [], [], seconds)[0])

    def send(self, data):
        self.sent += len(self._painted())
        self.typed = True
        os.write(self.master, data)

    def finish(self):
        while self._more():
            pass
        os.close(self.master)
        return self.child.wait(), self.text

    def hang_up(self):
        os.close(self.master)

    def close(self):
        """Reads to the end: how it ended, and the transcript."""
        while self._more():
            pass
        os.close(self.master)
        return ended(self.child), self.text
