"""A display and a message bus of one's own, which end with the block."""
import contextlib
import os
import shutil
import subprocess
import tempfile

SILENT = dict(stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

# Other users may connect: a workload runs as nobody, too.
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
"""


@contextlib.contextmanager
def started(command, option):
    """A server that writes a line to the descriptor in its option when it is ready."""
    reader, writer = os.pipe()
    server = subprocess.Popen([*command, option % writer], pass_fds=[writer],
                              stdout=subprocess.DEVNULL, **SILENT)
    os.close(writer)
    try:
        with open(reader) as file:
            line = file.readline().strip()
        if not line:
            raise RuntimeError("%s: ended with status %s" % (command[0], server.wait()))
        yield line
    finally:
        server.terminate()
        server.wait()


@contextlib.contextmanager
def display(size="800x600x24"):
    """Its name, for DISPLAY; the server takes a free number."""
    command = ["Xvfb", "-screen", "0", size, "-nolisten", "tcp", "-noreset", "-displayfd"]
    with started(command, "%d") as number:
        yield ":" + number


@contextlib.contextmanager
def bus():
    """Its address, for DBUS_SESSION_BUS_ADDRESS."""
    place = tempfile.mkdtemp(prefix="bus-")
    try:
        os.chmod(place, 0o755)
        with open(place + "/bus.conf", "w") as file:
            file.write(BUS % (place + "/socket"))
        command = ["dbus-daemon", "--nofork", "--nopidfile", "--nosyslog",
                   "--config-file=" + place + "/bus.conf"]
        with started(command, "--print-address=%d") as address:
            yield address
    finally:
        shutil.rmtree(place, ignore_errors=True)
