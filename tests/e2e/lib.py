"""What the end-to-end tests share: one folder for a whole test run, which every
user may read, images that are built once for all, and running commands.

The folder TMP: bin/ tools, lib/ C helpers, py/ the self-checking programs,
img/ images, home/ an empty home, work/ where everyone may write."""
import atexit
import collections
import compileall
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("TEST_BUILD", os.path.join(ROOT, "build"))
sys.path.insert(0, os.path.join(ROOT, "tests/py"))

PYTHON = "/usr/bin/python3"	# which runs the tests, too
VERSION = "%d.%d" % sys.version_info[:2]
# For programs that make another interpreter.
INTERPRETERS = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
USER_SITE = "/.local/lib/python%s/site-packages" % VERSION	# below a home
NOBODY = 65534
LIMIT = 240	# seconds for one command; only a hang takes so long

STDLIB = """argparse asyncio base64 bisect bz2 calendar collections.abc
    concurrent.futures configparser contextvars copy csv ctypes dataclasses
    datetime decimal difflib email.message enum fractions functools getpass
    glob gzip hashlib heapq hmac html http.client inspect io ipaddress itertools
    json logging logging.handlers lzma math mimetypes multiprocessing operator
    os pathlib pickle platform pprint queue random re secrets select shlex
    shutil signal socket socketserver sqlite3 ssl statistics string struct
    subprocess tarfile tempfile textwrap threading time traceback types typing
    unittest urllib.parse urllib.request uuid weakref xml.etree.ElementTree
    zipfile zlib zoneinfo""".split()

# name: (imports, warm-up files in tests/py)
SETS = {
    "bare": ([], []),
    "marked": ([], ["marker.py"]),
    "stdlib": (STDLIB, ["stdlib.py", "repairs.py"]),
    "lasting": ([], ["lasting.py"]),
    "numpy": (["numpy"], ["with_numpy.py"]),
    "pandas": (["pandas"], ["with_pandas.py"]),
    "gi": (["gi", "gi.repository.GLib", "gi.repository.GObject", "dbus",
            "dbus.service", "dbus.mainloop.glib"], ["with_gi.py"]),
}

Result = collections.namedtuple("Result", "status out err")


def _make_tmp():
    folder = os.environ.get("TEST_TMP")
    if not folder:
        folder = tempfile.mkdtemp(prefix="pyimage-test-")
        os.environ["TEST_TMP"] = folder
        atexit.register(shutil.rmtree, folder, True)
    os.chmod(folder, 0o755)
    with open(folder + "/lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(folder + "/work"):
            _fill(folder)
    return folder


def _fill(folder):
    for name in "bin", "lib", "img", "home":
        os.mkdir(os.path.join(folder, name), 0o755)
    for name in os.listdir(BUILD):
        if name in ("pydump", "pyimage") or name.startswith("host-") \
                and name.endswith(".so"):
            shutil.copy(os.path.join(BUILD, name), folder + "/bin")
    for name in os.listdir(BUILD + "/tests"):
        path = os.path.join(BUILD, "tests", name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            shutil.copy(path, folder + "/lib")
    shutil.copytree(ROOT + "/tests/py", folder + "/py",
                    ignore=shutil.ignore_patterns("__pycache__"))
    # Else the first run would write, and change the folder that others guard.
    compileall.compile_dir(folder + "/py", quiet=2)
    subprocess.run(["chmod", "-R", "go+rX,go-w", folder], check=True)
    os.mkdir(folder + "/work")
    os.chmod(folder + "/work", 0o1777)


TMP = _make_tmp()
BIN, LIB, PY, WORK = (os.path.join(TMP, n) for n in ("bin", "lib", "py", "work"))
PYDUMP, PYIMAGE = BIN + "/pydump", BIN + "/pyimage"
ENV = {"PATH": "/usr/bin:/bin", "HOME": TMP + "/home", "PYIMAGE": "on"}
# How an image is run.
WAYS = {"pyimage": lambda path: [PYIMAGE, path], "kernel": lambda path: [path]}


def as_nobody(command):
    return ["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY,
            "--clear-groups", *command]


def users():
    """name: what to put before a command. Root only where we are root."""
    if os.getuid() == 0:
        return {"root": list, "nobody": as_nobody}
    return {"user": list}


def run(command, *, env=None, stdin=b"", cwd=WORK, limit=LIMIT, **options):
    """Run to the end; variables whose value is None are left out."""
    variables = dict(ENV)
    variables.update(env or {})
    variables = {k: v for k, v in variables.items() if v is not None}
    if "stdin_file" in options:
        options["stdin"] = options.pop("stdin_file")
    else:
        options["input"] = stdin
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    done = subprocess.run(command, env=variables, cwd=cwd, timeout=limit, **options)
    return Result(done.returncode, done.stdout, done.stderr)


def shell(script, *command, **options):
    """Run a command after some shell: ulimit, redirections, umask."""
    return run(["sh", "-c", script + '\nexec "$@"', "sh", *command], **options)


def build(output, imports=(), warmups=(), options=(), **more):
    command = [PYDUMP, "build", "-o", output, *options]
    for name in imports:
        command += ["-i", name]
    for path in warmups:
        command += ["-w", os.path.join(PY, path)]
    more.setdefault("env", {})["PYIMAGE"] = None
    return run(command, **more)


def image(name, options=(), suffix=""):
    """The path of an image of SETS, built if it was not yet."""
    path = os.path.join(TMP, "img", name + suffix + ".pyimage")
    with open(path + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            imports, warmups = SETS[name]
            result = build(path, imports, warmups, options)
            if result.status:
                print("Bail out! %s: pydump build ended with status %d" % (
                    name, result.status))
                for line in (result.out + result.err).decode().splitlines():
                    print("# " + line)
                sys.exit(1)
    return path


def folder(name):
    """A new folder where everyone may write."""
    path = tempfile.mkdtemp(prefix=name + "-", dir=WORK)
    os.chmod(path, 0o1777)
    return path


def write(path, text, mode=None):
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    if mode is not None:
        os.chmod(path, mode)
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def read_terminal(fd):
    """All that programs write to a terminal, until none has it open; then our end of
    it is closed, too."""
    text = b""
    try:
        while piece := os.read(fd, 4096):
            text += piece
    except OSError:
        pass	# nobody has it open
    os.close(fd)
    return text


def must_run():
    return os.environ.get("MUST_RUN", "") not in ("", "0")
