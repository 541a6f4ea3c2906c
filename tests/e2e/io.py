#!/usr/bin/python3
"""--io: what imports and warm-up files may touch while building. What a policy
forbids ends the build with the Python stack, whatever the code catches; nothing of
the policy is left in the image."""
import json
import os
import socket

import lib
from tap import done, equal, run, that

FILE = lib.write(lib.WORK + "/io.txt", "text\n", 0o644)
# Where nobody listens; nothing of it is asked before the policy says no.
NOWHERE = "('127.0.0.1', 9)"


def build(code, policy=None, name="io_module"):
    """Build an image that imports the code; its home is where it lies."""
    home = lib.folder("home")
    site = home + lib.USER_SITE
    os.makedirs(site)
    lib.write("%s/%s.py" % (site, name), code)
    got = lib.build(home + "/image", [name], options=["--io", policy] if policy else [],
                    env={"HOME": home})
    return got, home + "/image", site


def refused(code, policy, words, line, hint):
    got, path, site = build(code, policy)
    text = got.err.decode()
    equal((got.status, got.out), (1, b""), text)
    that(not os.path.exists(path), "an image is left")
    for word in (words, "which --io %s forbids" % (policy or "local"), "build with --io " + hint,
                 "Traceback (most recent call last):",
                 'File "%s/io_module.py", line %d, in <module>' % (site, line)):
        that(word in text, "%r is not in %s" % (word, text))
    that("<frozen importlib" not in text, text)


def built(code, policy):
    got, path, _ = build(code, policy)
    equal((got.status, got.err), (0, b""))
    return path


FILES = {
    "open": ("opening the file '%s' for reading" % FILE, "open(%r).close()" % FILE),
    "open to write": ("opening the file '%s.w' for writing" % FILE, "open(%r, 'w')" % (FILE + ".w")),
    "os.open": ("opening the file", "import os\nos.close(os.open(%r, 0))" % FILE),
    "io.FileIO": ("opening the file", "import io\nio.FileIO(%r)" % FILE),
    "io.open_code": ("opening the file", "import io\nio.open_code(%r)" % FILE),
    "pathlib": ("opening the file", "import pathlib\npathlib.Path(%r).read_text()" % FILE),
    "os.listdir": ("reading the folder '/usr'", "import os\nos.listdir('/usr')"),
    "os.scandir": ("reading the folder '/usr'", "import os\nlist(os.scandir('/usr'))"),
    "os.mkdir": ("making the folder", "import os\nos.mkdir(%r)" % (FILE + ".d")),
    "os.rename": ("renaming a file to", "import os\nos.rename(%r, %r)" % (FILE, FILE + ".2")),
    "os.remove": ("removing the file", "import os\nos.remove(%r)" % FILE),
    "tempfile": ("", "import tempfile\ntempfile.TemporaryFile()"),
    "sqlite3": ("opening the database", "import sqlite3\nsqlite3.connect(%r)" % (FILE + ".db")),
    "pkgutil.get_data": ("opening the file", "import pkgutil\npkgutil.get_data('json', '__init__.py')"),
    "inspect": ("opening the file", "import inspect, json\ninspect.getsource(json.loads)"),
    "what is caught": ("opening the file", "try: open(%r)\nexcept: pass\n" % FILE),
    "what is missing": ("opening the file", "try: open('/no/such/file')\nexcept OSError: pass\n"),
    "a bind": ("listening at ('127.0.0.1', 0)",
               "import socket\nsocket.socket().bind(('127.0.0.1', 0))"),
}
CONNECTS = {
    "connect": ("connecting to " + NOWHERE, "import socket\nsocket.socket().connect(%s)" % NOWHERE),
    "connect, caught": ("connecting to " + NOWHERE, "import socket\n"
                        "try: socket.create_connection(%s)\nexcept OSError: pass" % NOWHERE),
    "connect to AF_UNIX": ("connecting to '/no/socket'", "import socket\n"
                           "try: socket.socket(socket.AF_UNIX).connect('/no/socket')\n"
                           "except OSError: pass"),
    "a datagram": ("sending to " + NOWHERE,
                   "import socket\nsocket.socket(type=2).sendto(b'x', %s)" % NOWHERE),
    "getaddrinfo": ("looking up the host 'localhost'",
                    "import socket\nsocket.getaddrinfo('localhost', 80)"),
    "gethostbyname": ("looking up the host 'localhost'",
                      "import socket\nsocket.gethostbyname('localhost')"),
    "urllib": ("connecting to " + NOWHERE, "import urllib.request\n"
               "urllib.request.urlopen('http://127.0.0.1:9/')"),
    "asyncio": ("connecting to", "import asyncio\n"
                "asyncio.run(asyncio.open_connection('127.0.0.1', 9))"),
    "syslog": ("sending to", "import syslog\nsyslog.syslog('from an import')"),
}
SPAWNS = {
    "subprocess": ("running the program ['/bin/true']",
                   "import subprocess\nsubprocess.run(['/bin/true'])"),
    "os.system": ("running the command b'true'", "import os\nos.system('true')"),
    "os.popen": ("running the program", "import os\nos.popen('true').read()"),
    "os.fork": ("forking a process", "import os\nos.fork() or os._exit(0)\nos.wait()"),
    "os.posix_spawn": ("running the program", "import os\nos.posix_spawn('/bin/true', ['true'], {})"
                       "\nos.wait()"),
    "os.execv": ("running the program", "import os\nos.execv('/bin/true', ['true'])"),
    "multiprocessing": ("forking a process", "import multiprocessing as m\n"
                        "p = m.get_context('fork').Process(target=print)\np.start()"),
}


def line_of(code):
    """The line that does it: the last of those that do not begin with a word."""
    lines = code.splitlines()
    return max(n for n, text in enumerate(lines, 1)
               if not text.startswith(("except", "os.wait", "import")) or n == 1)


def refused_in_a_thread(policy):
    got, _, _ = build("import subprocess, threading\nt = threading.Thread("
                      "target=subprocess.run, args=(['/bin/true'],))\nt.start(); t.join()", policy)
    equal(got.status, 1, got.err)
    that(b"running the program" in got.err and b"threading.py" in got.err, got.err)


for name, (words, code) in FILES.items():
    run("strict: " + name, refused, code, "strict", words, line_of(code), "local")
for name, (words, code) in {**CONNECTS, **SPAWNS}.items():
    for policy in "strict", None if name == "connect" else "local":
        run("%s: %s" % (policy or "by default", name), refused, code, policy, words,
            line_of(code), "network")
for policy in "strict", "local":
    run(policy + ": in a thread", refused_in_a_thread, policy)


# ------------------------------------------------------------ what is allowed
def network_allows_all():
    server = socket.create_server(("127.0.0.1", 0))
    built("import os, socket, subprocess\nopen(%r).close()\n"
          "socket.create_connection(%r).close()\n"
          "answer = subprocess.check_output(['echo', 'word'])\nos.system('true')\n"
          "socket.getaddrinfo('localhost', 80)" % (FILE, server.getsockname()), "network")
    server.close()


def local_allows_files():
    place = lib.folder("local")
    path = built("import os, socket, tempfile\ntext = open(%r).read()\nopen(%r, 'w').close()\n"
                 "os.listdir('/usr')\nsocket.socket().bind(('127.0.0.1', 0))\n"
                 "tempfile.TemporaryFile().close()\nsocket.gethostname()\n"
                 # nobody is asked about numbers (ansible tries it so)
                 "socket.getaddrinfo('127.0.0.1', 22); socket.getaddrinfo('::1', 22)\n"
                 "socket.getaddrinfo(None, 22); socket.gethostbyname('127.0.0.1')\n"
                 "a, b = socket.socketpair(); a.send(b'x'); b.recv(1); a.close(); b.close()\n"
                 % (FILE, place + "/made"), "local")
    equal(lib.run([path, "-c", "import io_module; print(io_module.text)"],
                  env={"HOME": os.path.dirname(path)}).out, b"text\n\n")
    that(os.path.exists(place + "/made"), "it was not written")


def local_allows_questions_about_this_machine():
    """By ldconfig and uname, as pandas and ansible ask by the standard library."""
    built("import ctypes.util, platform\nassert ctypes.util.find_library('c')\n"
          "platform.processor()", "local")


def strict_allows_imports():
    """Of Python files with and without cache, libraries, packages, in zip files."""
    home = lib.folder("strict")
    site = home + lib.USER_SITE
    os.makedirs(site + "/a_package/part")
    for name in "a_package/__init__", "a_package/part/__init__", "a_package/part/leaf":
        lib.write("%s/%s.py" % (site, name), "name = __name__\n")
    lib.write(site + "/no_cache.py", "import a_package.part.leaf\nimport importlib.util, sys\n"
              "assert importlib.util.find_spec('json.tool')\nsys.path.append(%r)\n"
              "import zipped\nopen(3, closefd=False) if 0 else 0\nimport sqlite3\n"
              "sqlite3.connect(':memory:').close()\nimport _json, _decimal, ctypes, wsgiref.util\n"
              "try: import not_there\nexcept ImportError: pass\n" % (home + "/z.zip"))
    import zipfile
    with zipfile.ZipFile(home + "/z.zip", "w") as archive:
        archive.writestr("zipped.py", "value = 1\n")
    got = lib.build(home + "/image", ["no_cache", *lib.STDLIB], options=["--io", "strict"],
                    env={"HOME": home})
    equal((got.status, got.err), (0, b""))


def strict_heeds_a_loader():
    """A loader of the workload's own is a part of import; the module is not."""
    loader = ("import importlib.abc, importlib.machinery as m, sys\n"
              "class Loader(importlib.abc.Loader):\n"
              "    def exec_module(self, module):\n"
              "        exec(compile(open(%r).read(), 'x', 'exec'), module.__dict__)\n"
              "class Finder(importlib.abc.MetaPathFinder):\n"
              "    def find_spec(self, name, path, target=None):\n"
              "        if name == 'by_loader': return m.ModuleSpec(name, Loader())\n"
              "sys.meta_path.append(Finder())\nimport by_loader\n")
    place = lib.folder("loader")
    built(loader % lib.write(place + "/one", "x = 1\n"), "strict")
    got, _, _ = build(loader % lib.write(place + "/two", "open(%r)\n" % FILE), "strict")
    equal(got.status, 1, got.err)
    that(FILE.encode() in got.err, got.err)


def strict_and_a_warm_up():
    place = lib.folder("warm")
    for code, status in ("import json\njson.dumps(1)\n", 0), ("open(%r)\n" % FILE, 1):
        path = lib.write(place + "/warm.py", code, 0o644)
        got = lib.build(place + "/image%d" % status, ["json"], options=["--io", "strict", "-w", path])
        equal(got.status, status, got.err)
    that(b'warm.py", line 1, in <module>' in got.err, got.err)


def junk():
    for value in "junk", "", "Strict", "local,network":
        got = lib.run([lib.PYDUMP, "build", "-o", "x", "--io", value], cwd=lib.folder("junk"))
        equal((got.status, got.out), (2, b""), value)
        that(b"strict, local or network" in got.err, got.err)


run("network allows all", network_allows_all)
run("local allows files", local_allows_files)
run("local allows questions about this machine", local_allows_questions_about_this_machine)
run("strict allows imports", strict_allows_imports)
run("strict: a loader of the workload's", strict_heeds_a_loader)
run("strict: a warm-up file", strict_and_a_warm_up)
run("--io junk", junk)


# ------------------------------------------------------------ nothing is left
PROBE = """
import ctypes, os, sys
head = ctypes.c_void_p.from_address(%s)
print(head.value)
heard = []
sys.addaudithook(lambda event, args: heard.append(event))
open("/etc/passwd").close()
os.system("true")
print(heard)
"""
# The head of the list of C's hooks, by what PySys_AddAuditHook() changes.
FIND = """
import ctypes, sys
COUNT = 400 if sys.version_info < (3, 13) else 4000	# it begins with a table there
start = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
words = (ctypes.c_void_p * COUNT).from_address(start)
before = list(words)
ctypes.pythonapi.PySys_AddAuditHook(ctypes.CDLL(None).getpid, None)
changed = [n for n in range(COUNT) if words[n] != before[n] and not before[n]]
print(8 * changed[0] if len(changed) == 1 else changed)
"""


def nothing_is_left():
    found = lib.run(["/usr/bin/python3", "-c", FIND])
    equal(found.status, 0, found.err)
    offset = int(found.out)
    place = "ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, '_PyRuntime')) + %d" % offset
    got = []
    for policy in "strict", "local", "network":
        path = built("import ctypes", policy)
        equal(json.loads(lib.run([lib.PYDUMP, "info", "--json", path]).out)["io"], policy)
        got.append(lib.run([path, "-c", PROBE % place], env={"HOME": os.path.dirname(path)}))
    want = lib.run(["/usr/bin/python3", "-c", "import ctypes\n" + PROBE % place])
    equal((want.status, want.err, want.out.split()[0]), (0, b"", b"None"))
    equal(got, [want] * 3)


def hooks_of_the_workload_stay():
    """What they hear is not disturbed, and they are there again."""
    code = ("import sys\nheard = []\nsys.addaudithook(lambda event, args: heard.append(event))\n"
            "open(%r).close()\nfirst = heard.count('open')\n" % FILE)
    path = built(code, "local")
    got = lib.run([path, "-c", "import io_module as m; n = m.heard.count('open');"
                   " open(%r).close(); print(m.first, m.heard.count('open') - n)" % FILE],
                  env={"HOME": os.path.dirname(path)})
    equal((got.status, got.out, got.err), (0, b"1 1\n", b""))


run("nothing of it is left", nothing_is_left)
run("the workload's own hooks stay", hooks_of_the_workload_stay)
done()
