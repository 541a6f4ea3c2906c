#!/usr/bin/python3
"""-m with the standard library's own programs, each really used: what an image
prints, its status and the files that it leaves are those of plain python3."""
import gzip
import io
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
import zipfile

import lib
import tap

PLACE = os.path.join(lib.WORK, "modules-%d" % os.getpid())
CASES = {}
# What no two runs have alike. Order matters.
NORMAL = [
    # timeit says so on a busy machine; 3.15's begins with an empty line.
    (rb"(?m)^\n?:0: UserWarning: The test results are likely unreliable.*\n", b""),
    (rb"\b0x[0-9a-f]{6,16}", b"0x..."),
    # Whether the result was there already when it was asked for: asyncio's thread.
    (rb'(concurrent/futures/_base\.py", line) \d+, in result', rb"\1 N, in result"),
    (rb"\bin \d+\.\d+ ?s(econds)?\b", b"in N s"),
    (rb"\d+(\.\d+)? (n|u|m)?sec\b", b"N sec"),
    (rb"(\d+) (loops?|calls), best", b"N loops, best"),
    (rb"(?m)^\d+ (loops?), ", b"N loops, "),
    (rb"\d+ function calls \(\d+ prim[a-z]+ calls\)", b"N function calls"),
    (rb"(?<![\w.])\d\.\d{3}(?![\w.])", b"N.NNN"),
]


def case(name, *args, files=None, stdin=b"", env=None, before="", same=True):
    assert name not in CASES, name
    CASES[name] = dict(args=args, files=files or {}, stdin=stdin, env=env or {},
                       before=before, same=same)


def m(module, *args, **more):
    name = " ".join(["-m", module, *args])
    again = sum(c["args"] == ("-m", module, *args) for c in CASES.values())
    case(name + ", again" * again, "-m", module, *args, **more)


SUITE = """
import unittest
def setUpModule(): print("module")
class Good(unittest.TestCase):
    '''A doc string.'''
    def setUp(self): self.n = 1
    def test_equal(self): self.assertEqual(self.n, 1)
    def test_raises(self):
        with self.assertRaisesRegex(ZeroDivisionError, "div"): 1 / 0
    @unittest.skip("a reason")
    def test_skipped(self): pass
    @unittest.expectedFailure
    def test_expected(self): self.fail()
    def test_subs(self):
        for n in range(3):
            with self.subTest(n=n): self.assertLess(n, %d)
class Async(unittest.IsolatedAsyncioTestCase):
    async def test_coroutine(self): self.assertTrue(True)
"""
BAD = SUITE % 1 + """
class Bad(unittest.TestCase):
    def test_fails(self): self.assertEqual([1, 2], [1, 3], "why")
    def test_raises(self): {}["key"]
    def test_warns(self):
        import warnings; warnings.warn("old", DeprecationWarning)
    @unittest.expectedFailure
    def test_unexpected(self): pass
"""
# An import that no image of these has made already: the steps of it are seen.
PROGRAM = """import colorsys
def inner(n):
    total = 0
    for i in range(n):
        total += i
    return total
def outer():
    value = inner(3)
    print("value", value)
    return colorsys.rgb_to_yiq(value, 0, 0)[:1]
print(outer())
"""
DOC = '''"""A module.

>>> 1 + 1
2
>>> double(4)
%d
"""
def double(n):
    """
    >>> double([1])
    [1, 1]
    >>> 1 / 0
    Traceback (most recent call last):
    ZeroDivisionError: division by zero
    """
    return n * 2
if __name__ == "__main__":
    import doctest
    doctest.testmod()
'''


def archive(kind):
    data = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(data, "w") as z:
            z.writestr(zipfile.ZipInfo("a/b.txt"), "text" * 100)
    else:
        with tarfile.open(fileobj=data, mode="w:gz") as t:
            info = tarfile.TarInfo("a/b.txt")
            info.size = 4
            t.addfile(info, io.BytesIO(b"text"))
    return data.getvalue()


# ------------------------------------------------------------ debuggers
for name, script in {
        "break, step, where": "b inner\nc\nw\np n\ns\ns\nn\na\nl\nargs\nup\ndown\nr\nw\nc\n",
        "conditional": "b 5, i == 2\nc\np i, total\ntbreak outer\nclear\ny\nc\nc\nq\n",
        "step into": "s\ns\ns\ns\nw\nll\nwhatis inner\npp locals()\nsource outer\nq\n",
        "commands": "b 9\ncommands\nsilent\np value\nend\nc\nc\nq\n",
        "until, jump, return": "b 4\nc\nunt 6\nj 6\nr\nc\nq\n",
        "statements": "!x = 5\nx + 1\nimport os\nos.getpid() > 0\nundefined\nalias q2 p 7\nq2\n"
                      "interact\nprint(x)\n",
        "end of input": "n\n",
        "run again": "run\nn\nq\n"}.items():
    case("pdb, " + name, "-m", "pdb", "program.py", "arg", files={"program.py": PROGRAM},
         stdin=script.encode())
case("pdb -c", "-m", "pdb", "-c", "b 9", "-c", "c", "-c", "p value", "-c", "q", "program.py",
     files={"program.py": PROGRAM})
case("pdb -m", "-m", "pdb", "-m", "program", files={"program.py": PROGRAM}, stdin=b"c\nq\n")
case("pdb, .pdbrc", "-m", "pdb", "program.py", stdin=b"c\nq\n", env={"HOME": PLACE},
     files={"program.py": PROGRAM, ".pdbrc": "b outer\n"})
case("pdb, post mortem", "-m", "pdb", "program.py", files={"program.py": PROGRAM + "1/0"},
     stdin=b"c\nw\np 1\nq\n")
case("pdb, syntax error", "-m", "pdb", "bad.py", files={"bad.py": "x = ="}, stdin=b"q\n")
case("pdb, sys.exit", "-m", "pdb", "bad.py", files={"bad.py": "import sys\nsys.exit(3)"},
     stdin=b"c\nq\n")
case("pdb, missing file", "-m", "pdb", "nothing.py")
case("pdb, breakpoint()", "-c", "x = 1\nbreakpoint()\nprint(x)", stdin=b"p x\nx = 2\nc\n")
case("pdb, set_trace in a FILE", "p.py", files={"p.py": "import pdb\ndef f(n):\n pdb.set_trace()\n"
     " return n\nprint(f(1))\n"}, stdin=b"w\nn\nn\nc\n")
m("trace", "--trace", "program.py", files={"program.py": PROGRAM})
m("trace", "--count", "-C", "out", "-s", "-m", "program.py", files={"program.py": PROGRAM})
m("trace", "--listfuncs", "program.py", files={"program.py": PROGRAM})
m("trace", "--trackcalls", "program.py", files={"program.py": PROGRAM})

# ------------------------------------------------------------ tests
T = {"test_good.py": SUITE % 9, "test_bad.py": BAD, "__init__.py": ""}
m("unittest", "-v", "test_good", files=T)
m("unittest", "test_bad", files=T)
m("unittest", "-v", "test_bad.Bad.test_fails", "test_good.Good", files=T)
m("unittest", "-f", "test_bad", files=T)
m("unittest", "-b", "--locals", "test_bad", files=T)
m("unittest", "discover", "-v", files=T)
m("unittest", "discover", "-s", "sub", "-p", "*_t.py", files={"sub/x_t.py": SUITE % 9})
m("unittest", "-k", "equal", "-q", files=T)
m("unittest", "test_good.py", files=T)
m("unittest", "no_such_module", files=T)
m("unittest", files={})
m("doctest", "doc.py", files={"doc.py": DOC % 8})
m("doctest", "-v", "doc.py", files={"doc.py": DOC % 8})
m("doctest", "doc.py", files={"doc.py": DOC % 9})
m("doctest", "-o", "ELLIPSIS", "-f", "doc.txt", files={"doc.txt": ">>> 'abcd'\n'a...d'\n>>> 1\n2\n"})
case("doctest.testmod in a FILE", "doc.py", files={"doc.py": DOC % 9})
# ------------------------------------------------------------ time
m("timeit", "-n", "5", "-r", "2", "pass")
m("timeit", "-n", "1", "-r", "1", "-s", "import json", "json.dumps(1)", "print('x')")
m("timeit", "-v", "-n", "2", "-r", "2", "-u", "usec", "pass")
m("timeit", "1/0")
m("timeit", "-p", "-n", "1", "pass")
PROFILED = "def f(): return sorted([3, 1, 2])\nfor n in range(3): f()\n"
m("cProfile", "-s", "name", "program.py", files={"program.py": PROFILED})
m("cProfile", "-o", "out.prof", "program.py", files={"program.py": PROFILED})
m("cProfile", "-s", "stdname", "-m", "program", files={"program.py": PROFILED})
m("cProfile", "-s", "name", "program.py", files={"program.py": "raise SystemExit(3)"})
m("profile", "-s", "name", "program.py", files={"program.py": PROFILED})
m("pstats", "out.prof", files={"out.prof": ""}, stdin=b"help\nquit\n")
# ------------------------------------------------------------ code
FILES = {"a/__init__.py": "", "a/x.py": "x = 1\n", "a/bad.py": "x = =\n", "a/sub/y.py": "y = 1\n"}
m("compileall", "a", files=FILES)
m("compileall", "-q", "-b", "-f", "a/x.py", files=FILES)
m("compileall", "-l", "-r", "1", "-o", "1", "a", files=FILES)
m("compileall", "-q", "-j", "2", "a", files=FILES)
m("compileall", "--invalidation-mode", "checked-hash", "-x", "bad", "a", files=FILES)
m("py_compile", "a/x.py", "a/sub/y.py", files=FILES)
m("py_compile", "-", files=FILES, stdin=b"a/x.py\na/bad.py\n")
m("py_compile", "-q", "a/bad.py", files=FILES)
m("dis", "x.py", files={"x.py": PROGRAM})
m("dis", stdin=b"def f(a, *b): yield [i for i in a if i]\n")
m("ast", "x.py", files={"x.py": PROGRAM})
m("ast", "-m", "eval", "-a", "--indent", "2", stdin=b"f(x)[1:2]")
m("tokenize", "x.py", files={"x.py": PROGRAM})
m("tokenize", "-e", stdin=b"if x:\n  y \xc3\xa4\n")
m("tokenize", stdin=b"'''unclosed")
m("symtable", stdin=b"")
m("tabnanny", "-v", "x.py", "y.py", files={"x.py": PROGRAM, "y.py": "if 1:\n\tx\n        y\n"})
m("inspect", "json.decoder:JSONDecoder")
m("inspect", "--details", "json")
m("inspect", "sys:path")
m("pickletools", "p", files={"p": b"\x80\x04]\x94(K\x01K\x02e."})
m("pickletools", "-a", "-m", "memo", "p", files={"p": b"\x80\x04]\x94(K\x01K\x02e."})
m("pickle", "p", files={"p": b"\x80\x04]\x94(K\x01K\x02e."})
m("code", stdin=b"print(1)\n1/0\nif 1:\n  2\n\nimport sys; sys.exit(3)\n")
m("code", "-q", stdin=b"x = 1\nx\n")
m("asyncio", stdin=b"print(1)\nawait asyncio.sleep(0, 5)\n1/0\nasync def f(): return 7\n\n"
  b"await f()\nimport sys\nsys.exit(2)\n")
m("asyncio", stdin=b"1\n")
m("pydoc", "json.dumps")
m("pydoc", "-k", "zipimport", same=False)
m("pydoc", "-w", "colorsys")
m("pydoc", "no_such_thing")
m("pydoc", "if")
m("pyclbr", "x.py", files={"x.py": SUITE % 3})
m("modulefinder", "x.py", files={"x.py": "import colorsys\n"})
m("zipapp", "app", "-o", "app.pyz", "-m", "x:f", "-p", "/usr/bin/python3",
  files={"app/x.py": "def f(): print('ran')\n"})
m("zipapp", "app.pyz", "--info", files={"app.pyz": b"#!/usr/bin/python3\n" + archive("zip")})
m("zipapp", "nothing", files={})
# ------------------------------------------------------------ files
m("json.tool", "--sort-keys", "--indent", "1", "in.json", "out.json",
  files={"in.json": '{"b": "\\u00e4", "a": [1, 2.50, null]}'})
m("json.tool", "--json-lines", "--compact", "--no-ensure-ascii", stdin=b'{"a": 1}\n"\xc3\xa4"\n')
m("json.tool", "missing.json")
m("tarfile", "-l", "t.tgz", files={"t.tgz": archive("tar")})
m("tarfile", "-v", "-e", "t.tgz", "out", files={"t.tgz": archive("tar")})
m("tarfile", "-v", "-c", "new.tar.gz", "a", files=FILES)
m("tarfile", "-t", "x", files={"x": b"junk"})
m("zipfile", "-t", "z.zip", files={"z.zip": archive("zip")})
m("zipfile", "-e", "z.zip", "out", files={"z.zip": archive("zip")})
m("zipfile", "-c", "new.zip", "a", files=FILES)
m("zipfile", "-l", "x", files={"x": b"junk"})
m("gzip", "x", files={"x": "text\n" * 100})
m("gzip", "-d", "x.gz", files={"x.gz": gzip.compress(b"text")})
m("gzip", "-d", "-", stdin=gzip.compress(b"text\n"))
m("base64", "-d", stdin=b"YWJj")
m("base64", "-t")
m("quopri", "-t", stdin="ä = b\n".encode())
m("quopri", "-d", stdin=b"=C3=A4 =\nx\n")
m("uu", "x", "y", files={"x": "text"})
m("encodings.rot_13", stdin=b"Hello\n")
m("mimetypes", "a.html", "b.tar.gz", "c.unknown")
m("mimetypes", "-e", "text/plain")
m("fileinput", "-b", "x", files={"x": "1\n2\n"})
m("filecmp", "a", "b", files={"a/x": "1", "b/x": "2", "b/y": ""})
m("difflib", files={})
m("netrc", files={})
# ------------------------------------------------------------ the machine
m("site")
m("site", "--user-base", "--user-site")
m("site", "--user-base", env={"HOME": "/nowhere"})
m("site", "--help")
m("sysconfig")
m("platform")
m("platform", "--terse", "nonaliased")
m("locale")
m("getopt")
m("this")
m("calendar", "2024")
m("calendar", "-t", "html", "2024")
m("calendar", "2024", "13")
m("webbrowser")
m("webbrowser", "-x", "url")
m("ensurepip", "--version")
m("ensurepip", "--user", env={"HOME": PLACE})
m("sched")
m("textwrap")
m("colorsys")
m("heapq")
m("bisect")
m("ftplib")
m("imaplib", "-x")
m("smtplib", stdin=b"")
m("turtledemo.nothing")
m("idlelib.nothing")
m("sqlite3")
m("test.nothing")
m("no.such.module")
m("__main__")
m("importlib")
m("encodings.idna")
m("ctypes.util")
m("distutils.version")
m("lib2to3", "-l")
m("lib2to3.pgen2.token")
m("curses.has_key", env={"TERM": "dumb"})
m("wsgiref.simple_server_nothing")
m("xml.sax.nothing")
m("cgitb")
m("zoneinfo")
m("venv")
m("venv", "--help")
m("pip", "--version")
m("pip", "list", "--disable-pip-version-check", env={"PIP_NO_INPUT": "1"})
m("pip", "help")
m("pip", "show", "no-such-distribution")
m("pip", "install", "--no-index", "no-such-distribution")


# ------------------------------------------------------------ running them
def make(files):
    shutil.rmtree(PLACE, ignore_errors=True)
    os.mkdir(PLACE)
    for name, data in files.items():
        path = os.path.join(PLACE, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        lib.write(path, data)
        os.utime(path, (1700000000, 1700000000))


def tree(folder):
    """Names; contents of what is text or bytecode."""
    found = {}
    for where, folders, names in os.walk(folder):
        for name in names + folders:
            path = os.path.join(where, name)
            if os.path.islink(path):
                data = os.readlink(path)
            elif os.path.isdir(path):
                data = None
            elif name.endswith((".gz", ".zip", ".pyz", ".prof")):
                data = os.stat(path).st_mode	# holds times
            else:
                data = os.stat(path).st_mode, lib.read(path)
            found[path[len(folder):]] = data
    return found


def normal(text):
    for pattern, word in NORMAL:
        text = re.sub(pattern, word, text)
    return text


def outcome(command, c):
    make(c["files"])
    status, out, err = lib.shell(c["before"], *command, *c["args"], stdin=c["stdin"],
                                 env=c["env"], cwd=PLACE)
    return status, normal(out), normal(err), tree(PLACE)


def compare(got, want):
    for what, one, other in zip(("status", "stdout", "stderr"), got, want):
        if isinstance(one, bytes) and len(one) + len(other) > 2000 and one != other:
            at = len(os.path.commonprefix([one, other]))
            one, other = one[max(0, at - 80):at + 300], other[max(0, at - 80):at + 300]
        tap.equal(one, other, what)
    tap.equal(sorted(got[3]), sorted(want[3]), "names of files")
    for name in want[3]:
        tap.equal(got[3][name], want[3][name], "file " + name)


def targets():
    return {"bare": [lib.PYIMAGE, lib.image("bare")], "stdlib": [lib.image("stdlib")]}


# ------------------------------------------------------------ on a terminal, or served
def on_terminal(command, lines):
    """What is seen on a terminal where each line is typed at a prompt."""
    make({"program.py": PROGRAM})
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(PLACE)
        env = dict(lib.ENV, TERM="dumb", HOME=PLACE)
        os.execve(command[0], command, env)
    seen = b""
    for line in [*lines, None]:
        while True:
            if not select.select([fd], [], [], 30)[0]:
                os.kill(pid, signal.SIGKILL)
                raise tap.Failed("it hangs after %r" % seen)
            try:
                data = os.read(fd, 4096)
            except OSError:	# the other end is closed
                data = b""
            seen += data
            if not data or line is not None and seen.endswith((b"(Pdb) ", b">>> ", b"... ")):
                break
        if line is not None:
            os.write(fd, line.encode() + b"\n")
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), normal(seen).decode()


def terminals():
    for args, lines in ((["-m", "pdb", "program.py"], ["b inner", "c", "w", "n", "p n", "q"]),
                        (["-m", "pdb", "program.py"], ["u 5", "", "l", "c", "q"]),
                        (["-c", "breakpoint(); print('on')"], ["p 1 + 1", "c"]),
                        (["-m", "code"], ["1 + 1", "def f():", "  return 3", "", "f()",
                                          "import sys", "sys.exit(4)"]),
                        (["-m", "asyncio"], ["await asyncio.sleep(0, 'slept')", "1 / 0",
                                             "exit(5)"])):
        want = on_terminal([lib.PYTHON, *args], lines)
        tap.that(len(want[1]) > 20, "python3 says nothing")
        for target, command in targets().items():
            tap.run("%s on a terminal (%s)" % (" ".join(args), target), lambda: tap.equal(
                on_terminal([*command, *args], lines), want, "what is seen"))


def links_of(pid):
    """What its descriptors are. It is importing: some are closed by the time."""
    links = []
    for number in os.listdir("/proc/%d/fd" % pid):
        try:
            links.append(os.readlink("/proc/%d/fd/%s" % (pid, number)))
        except FileNotFoundError:
            pass
    return links


def serve(command, end):
    make({"page.html": "<p>text", "a b/c.txt": "more"})
    process = subprocess.Popen([
        *command, "-m", "http.server", "0", "--bind", "127.0.0.1"], cwd=PLACE, env=lib.ENV,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # It flushes nothing: its port is found where the kernel knows it.
    port, until = None, time.monotonic() + 30
    while not port and time.monotonic() < until:
        sockets = [x[8:-1] for x in links_of(process.pid) if x.startswith("socket:")]
        for line in open("/proc/net/tcp").read().splitlines()[1:]:
            words = line.split()
            if words[9] in sockets and words[3] == "0A":
                port = int(words[1].rpartition(":")[2], 16)
    fetched = []
    for name in "page.html", "a%20b/c.txt", "a%20b/", "nothing":
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d/%s" % (port, name)) as page:
                fetched.append((page.status, page.headers["Content-Type"], page.read()))
        except urllib.error.HTTPError as error:
            fetched.append((error.code, error.read()))
    process.send_signal(end)
    out, err = process.communicate(timeout=60)
    texts = [re.sub(rb"\[\d\d/.*?\]|port \d+|:\d+/", b"...", t) for t in (out, err)]
    return process.returncode, fetched, *texts


def servers():
    for end in signal.SIGINT, signal.SIGTERM:
        want = serve([lib.PYTHON], end)
        tap.equal([f[0] for f in want[1]], [200, 200, 200, 404], "what python3 serves")
        for target, command in targets().items():
            tap.run("-m http.server, %s (%s)" % (end.name, target), lambda: tap.equal(
                serve(command, end), want, "what it serves and says"))


def environment(command, *options):
    make({})
    made = lib.run([*command, "-m", "venv", "--without-pip", *options, "env"], cwd=PLACE)
    shown = lib.run(["env/bin/python", "-c", "import sys; print(sys.prefix, sys.base_prefix,"
                     " sys.executable, sys.path)"], cwd=PLACE)
    return made, shown, tree(PLACE + "/env")


def environments():
    for options in [], ["--copies"], ["--system-site-packages", "--prompt", "name"]:
        want = environment([lib.PYTHON], *options)
        tap.equal((want[0].status, want[1].status), (0, 0), "python3's status")
        for target, command in targets().items():
            def test():
                for what, one, other in zip(("venv", "its python", "its files"), environment(
                        command, *options), want):
                    tap.equal(one, other, what)
            tap.run("-m venv %s (%s)" % (" ".join(options), target), test)


def table():
    for name, c in CASES.items():
        want = outcome([lib.PYTHON], c)
        if "pip" in c["args"]:
            tap.that(b"No module named" not in want[2], "python3-pip is not installed")
        for target, command in targets().items():
            tap.run("%s (%s)" % (name, target), lambda: compare(outcome(command, c), want))


table()
terminals()
servers()
environments()
shutil.rmtree(PLACE, ignore_errors=True)
tap.done()
