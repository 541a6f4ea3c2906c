"""A process that holds still at its end: all that it has written is there to be seen."""
import contextlib
import fcntl
import os
import socket
import subprocess

# What python3 does behind its code, as an image does for PYIMAGE_HOLD.
HOLD = "%s\nimport os; os.write(%d, b'.'); os.read(%d, 1)"
LOWEST = 500	# of the descriptor, far above those that an image has open


class Ended(Exception):
    pass


@contextlib.contextmanager
def held(command, env, code=None, errors=subprocess.DEVNULL):
    """The number of a process of an image, which goes on behind this. With `code` it is
    one of python3 that runs that; the command lacks its -c."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        number = fcntl.fcntl(theirs, fcntl.F_DUPFD_CLOEXEC, LOWEST)
        theirs.close()
        if code is None:
            env = {**env, "PYIMAGE_HOLD": str(number)}
        else:
            command = [*command, "-c", HOLD % (code, number, number)]
        try:
            # Streams of another kind may take more memory.
            child = subprocess.Popen(command, env=env, pass_fds=[number],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=errors)
        finally:
            os.close(number)
        try:
            if not ours.recv(1):
                raise Ended("%s ended before it could be looked at" % command[0])
            yield child.pid
        finally:
            ours.close()
            child.wait()
