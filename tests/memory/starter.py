"""Starts the processes of a crowd. Who starts a process gives it a copy of its own table
of descriptors: exec closes what is in it, but it keeps its size for ever. So that is
not the bench, which holds two of each process, but one that holds none of them."""
import json
import os
import socket
import subprocess
import sys
import time

MOST = 1 << 16	# bytes of a message
PATIENCE = 60	# seconds for all to end


def finish(child, seconds):
    """Its exit code; it is killed if it takes longer."""
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


class Starter:
    """The bench's side."""

    def __init__(self):
        self.line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.server = subprocess.Popen(
                [sys.executable, "-m", __name__], stdin=theirs,
                cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                start_new_session=True)

    def start(self, orders, answers, **wish):
        """The number of the new process, which reads and writes these; they are closed.
        0: it can't be started. `wish`: command, cwd, env, merge."""
        try:
            socket.send_fds(self.line, [json.dumps(wish).encode()], [orders, answers])
        finally:
            os.close(orders)
            os.close(answers)
        return int(self.line.recv(MOST) or b"0")

    def end(self):
        """Waits for all, which have been told to; their exit codes."""
        self.line.shutdown(socket.SHUT_WR)
        codes = b"".join(iter(lambda: self.line.recv(MOST), b""))
        self.line.close()
        self.server.wait()
        return json.loads(codes or "[]")


# ------------------------------------------------------------ the other side
def _start(text, ends):
    wish = json.loads(text)
    mark = None
    if wish["merge"]:
        from memory import merging
        mark = merging.mark
    try:
        return subprocess.Popen(
            wish["command"], cwd=wish["cwd"], env=wish["env"], stdin=ends[0],
            stdout=ends[1], stderr=subprocess.DEVNULL, preexec_fn=mark, close_fds=False)
    finally:
        for end in ends:
            os.close(end)


def _end(children):
    late = time.monotonic() + PATIENCE
    return [finish(child, max(0, late - time.monotonic())) for child in children]


def serve(line):
    children = []
    while True:
        text, ends, _, _ = socket.recv_fds(line, MOST, 2, socket.MSG_CMSG_CLOEXEC)
        if not text:
            break
        try:
            children.append(_start(text, ends))
            line.send(b"%d" % children[-1].pid)
        except OSError as error:
            print(error, file=sys.stderr)
            line.send(b"0")
    codes = json.dumps(_end(children)).encode()
    for first in range(0, len(codes), MOST):
        line.send(codes[first:first + MOST])


if __name__ == "__main__":
    with socket.socket(fileno=0) as ours:
        serve(ours)
