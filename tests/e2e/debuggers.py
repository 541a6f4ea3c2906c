#!/usr/bin/python3
"""Debuggers that look into another process: they find the interpreter's state in a file
that is mapped there and has "python" in its name, by its section .PyRuntime (3.13+);
that of module _asyncio likewise (3.15+)."""
import os
import re
import shutil
import subprocess
import sys

import lib
from tap import Skip, done, equal, run, that

PLACE = lib.folder("debuggers")
# Ends as soon as somebody tells it to.
WAITS = """
import sys
told = None
print("ready", flush=True)
while told is None:
    pass
print(told, flush=True)
"""
TELLS = "import __main__, threading\n__main__.told = threading.current_thread().name\n"
TASKS = """
import asyncio, sys
async def asked():
    print("ready", flush=True)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: protocol, sys.stdin)
    await ended.wait()
class Protocol(asyncio.Protocol):
    def connection_lost(self, error): ended.set()
protocol = Protocol()
async def main():
    global ended
    ended = asyncio.Event()
    await asyncio.create_task(asked(), name="asked by a debugger")
asyncio.run(main())
"""


def since(version):
    if sys.version_info < version:
        raise Skip("optional: python3 has it since %d.%d" % version)


def named():
    """As a user would call it that means to look into it."""
    path = PLACE + "/my-python"
    if not os.path.exists(path):
        shutil.copy(lib.image("bare"), path)
    return path


def start(way, code, image=None):
    child = subprocess.Popen([*lib.WAYS[way](image or named()), "-c", code], env=lib.ENV,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    equal(child.stdout.readline(), "ready\n")
    return child


def the_section_is_where_the_state_is():
    since((3, 13))
    text = lib.run(["readelf", "-SW", named()])
    equal(text.err, b"", "readelf's warnings")
    found = re.findall(rb"\.PyRuntime\s+NOBITS\s+([0-9a-f]+) [0-9a-f]+ ([0-9a-f]+)", text.out)
    equal(len(found), 1, "sections")
    code = ("import ctypes; state = ctypes.c_char.in_dll(ctypes.pythonapi, '_PyRuntime');"
            "print('%x' % ctypes.addressof(state), ctypes.string_at("
            "ctypes.addressof(state), 8))")
    equal(lib.run([named(), "-c", code]).out.decode(),
          "%x %r\n" % (int(found[0][0], 16), b"xdebugpy"))
    that(int(found[0][1], 16) > 4096, found)


def a_script_is_run_there(way):
    since((3, 14))
    script = lib.write(PLACE + "/script.py", TELLS)
    child = start(way, WAITS)
    try:
        sys.remote_exec(child.pid, script)
        equal((child.communicate(timeout=lib.LIMIT)[0], child.returncode), ("MainThread\n", 0))
    finally:
        child.kill()


def with_asyncio():
    # 3.14 looks for a file with _asyncio.cpython in its name.
    since((3, 15))
    path = PLACE + "/asyncio-python"
    if not os.path.exists(path):
        equal(lib.build(path, ["asyncio"]).status, 0)
    return path


def its_tasks_are_listed(way, image=None):
    since((3, 14))
    child = start(way, TASKS, image and image())
    try:
        listed = lib.run(["/usr/bin/python3", "-m", "asyncio", "ps", str(child.pid)])
        equal((listed.status, listed.err), (0, b""))
        that(b"asked by a debugger" in listed.out, listed.out)
        equal(child.communicate(timeout=lib.LIMIT), ("", None))
        equal(child.returncode, 0)
    finally:
        child.kill()


run("the section is where the state is", the_section_is_where_the_state_is)
for way in lib.WAYS:
    run("a script is run there, %s" % way, a_script_is_run_there, way)
    run("its tasks are listed, %s" % way, its_tasks_are_listed, way)
    run("tasks of a frozen asyncio are listed, %s" % way, its_tasks_are_listed, way,
        with_asyncio)
done()
