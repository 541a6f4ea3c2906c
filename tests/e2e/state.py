#!/usr/bin/python3
"""What modules keep of their process and computed while they were imported: other in
each process of an image where python3 would make it anew (`renewed`), and as it was
left where the imports chose it (`kept`)."""
import fcntl
import os
import pty
import shutil
import struct
import termios

import lib
from tap import Skip, done, equal, run, that

PLACE = lib.folder("state")
os.chmod(PLACE, 0o755)

# Runs before the freeze; what it leaves in the module `kept` is there afterwards.
KEPT = """
import sys, types
kept = sys.modules["kept"] = types.ModuleType("kept")
"""


def image(name, code, *options):
    path = lib.write("%s/%s.py" % (PLACE, name), KEPT + code, 0o644)
    got = lib.build("%s/%s.pyimage" % (PLACE, name), warmups=[path], options=options)
    equal((got.status, got.err), (0, b""), "the build")
    return "%s/%s.pyimage" % (PLACE, name)


def printed(command, expression, **more):
    got = lib.run([*command, "-c", "import kept; print(%s)" % expression], **more)
    equal((got.status, got.err), (0, b""), expression)
    return got.out.decode()


def python3(code, expression, **more):
    """What python3 prints that runs the code and then the expression."""
    got = lib.run([lib.PYTHON, "-c", "%s\nprint(%s)" % (KEPT + code, expression)], **more)
    equal((got.status, got.err), (0, b""), "python3, " + expression)
    return got.out.decode()


def renewed(path, expression):
    seen = [printed(before([path]), expression)
            for before in lib.users().values() for _ in range(2)]
    equal(sorted(set(seen)), sorted(seen), "what all runs print")


def kept(path, code, expression, **more):
    want = python3(code, expression, **more)
    equal(python3(code, expression, **more), want, "what python3 prints again")
    for before in lib.users().values():
        equal(printed(before([path]), expression, **more), want, "what the image prints")


def group(name, code, new=(), old=()):
    try:
        path = image(name, code)
    except BaseException as error:
        run(name + " is built", lambda: (_ for _ in ()).throw(error))
        return
    for expression in new:
        run("%s, renewed: %s" % (name, expression), renewed, path, expression)
    for expression in old:
        run("%s, kept: %s" % (name, expression), kept, path, code, expression)


# ------------------------------------------------------------ random
group("random", """
import copy, random
old = random.Random(3)
kept.new, kept.seeded, kept.reseeded = random.Random(), random.Random(5), random.Random()
kept.reseeded.seed(7)
kept.unseeded = random.Random(5)
kept.unseeded.seed()
kept.back = random.Random()
state = kept.back.getstate()
kept.back.seed(1)
kept.back.setstate(state)
kept.set = random.Random()
kept.set.setstate(old.getstate())
kept.copy, kept.copied = copy.copy(kept.new), copy.copy(kept.seeded)
kept.system = random.SystemRandom()
kept.gauss = random.Random()
kept.gauss.gauss(0, 1), kept.seeded.gauss(0, 1)
class Own(random.Random):
    pass
kept.own, kept.own_seeded = Own(), Own(2)
kept.made = [random.Random(n) for n in range(100)]
del kept.made[::2]
""", ["__import__('random').random()", "kept.new.random()", "kept.unseeded.random()",
      "kept.back.random()", "kept.copy.random()", "kept.system.random()",
      "kept.gauss.gauss(0, 1)", "kept.own.random()"],
      ["kept.seeded.gauss(0, 1)", "kept.reseeded.random()", "kept.set.random()",
       "kept.copied.random()", "kept.own_seeded.random()",
       "[r.random() for r in kept.made]"])

group("random, seeded", """
import random
random.seed(5)
random.gauss(0, 1)
""", [], ["__import__('random').random()", "__import__('random').gauss(0, 1)"])

group("random, set back", """
import random
state = random.getstate()
random.seed(0)
random.setstate(state)
""", ["__import__('random').random()"])

NUMPY = "import numpy as np\nfrom numpy.random import *\n"
group("numpy.random", NUMPY + """
kept.new, kept.seeded = default_rng(), default_rng(4)
kept.bits = [Generator(kind()) for kind in (MT19937, PCG64, PCG64DXSM, Philox, SFC64)]
kept.given = [Generator(kind(6)) for kind in (MT19937, PCG64, PCG64DXSM, Philox, SFC64)]
kept.old, kept.old_seeded = RandomState(), RandomState(5)
kept.old.randn(), kept.old_seeded.randn()
kept.sequence = SeedSequence()
kept.spawned = [default_rng(s) for s in kept.sequence.spawn(2)]
kept.twins = [default_rng(SeedSequence(kept.sequence.entropy)) for _ in range(2)]
kept.chosen = SeedSequence(9, spawn_key=(3,))
kept.children = [default_rng(s) for s in kept.chosen.spawn(2)]
kept.back = RandomState()
state = kept.back.get_state()
kept.back.seed(3)
kept.back.set_state(state)
kept.set = RandomState()
kept.set.set_state(RandomState(8).get_state())
kept.new.random(), kept.seeded.random()
import copy, pickle
kept.copies = [copy.deepcopy(g) for g in kept.bits]
kept.given_copies = [copy.deepcopy(g) for g in kept.given]
kept.pickled = pickle.loads(pickle.dumps(kept.seeded))
""", ["__import__('numpy').random.random()", "kept.new.random()", "kept.old.randn()",
      "[g.random() for g in kept.bits]", "[g.random() for g in kept.copies]", "kept.sequence.entropy", "kept.spawned[0].random()",
      "kept.back.random_sample()"],
      ["kept.seeded.random()", "[g.random() for g in kept.given]",
       "[g.random() for g in kept.given_copies]", "kept.pickled.random()",
       "kept.old_seeded.randn()", "kept.chosen", "[g.random() for g in kept.children]",
       "kept.twins[0].random() == kept.twins[1].random()", "kept.sequence.n_children_spawned",
       "kept.set.random_sample()",
       "__import__('numpy').random.default_rng(kept.sequence.spawn(1)[0]).random() < 1"])

group("numpy.random, seeded", NUMPY + "seed(5), randn()\n", [],
      ["__import__('numpy').random.random()", "__import__('numpy').random.randn()"])

group("numpy.random, set back", NUMPY + "state = get_state()\nseed(5)\nset_state(state)\n",
      ["__import__('numpy').random.random()"])


def threads_of_a_generator():
    """Its lock is the one of its bit generator, as before."""
    path = PLACE + "/numpy.random.pyimage"
    code = ("import kept, threading; g = kept.new\n"
            "t = [threading.Thread(target=g.random, args=(100000,)) for _ in range(4)]\n"
            "[x.start() for x in t], [x.join() for x in t]; print(g.bit_generator.lock)")
    that(b"unlocked" in lib.run([path, "-c", code]).out, "locked")


run("numpy.random, threads that share a generator", threads_of_a_generator)


# ------------------------------------------------------------ C libraries
group("GLib", """
from gi.repository import GLib
GLib.random_int(), GLib.uuid_string_random()
""", ["__import__('gi.repository.GLib').repository.GLib.random_int()",
      "__import__('gi.repository.GLib').repository.GLib.uuid_string_random()"])
group("GLib, unused", "from gi.repository import GLib\n",
      ["__import__('gi.repository.GLib').repository.GLib.random_int()"])

group("ssl", """
import ctypes, hashlib, hmac, secrets, ssl, uuid
kept.server, kept.client = (ssl.SSLContext(p) for p in (
    ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT))
kept.drawn = ssl.RAND_bytes(8), secrets.token_hex(), uuid.uuid1(), uuid.uuid4()
kept.hash, kept.hmac = hashlib.sha256(b"begun"), hmac.new(b"key", b"begun", "sha256")
kept.ssl, kept.secrets, kept.uuid = ssl, secrets, uuid
""", ["kept.ssl.RAND_bytes(8)", "kept.secrets.token_hex()", "kept.uuid.uuid1()",
      "kept.uuid.uuid4()", "(c := __import__('ctypes'), k := c.create_string_buffer(80),"
      " c.CDLL('libssl.so.3').SSL_CTX_ctrl(c.c_void_p(c.c_void_p.from_address("
      "id(kept.server) + 16).value), 58, 80, k), k.raw)[2:]"],
      ["kept.hash.update(b'more') or kept.hash.hexdigest()",
       "kept.hmac.update(b'more') or kept.hmac.hexdigest()", "kept.client.protocol"])


# ------------------------------------------------------------ the locale
LOCALE = """
import locale, os, time
kept.tried = []
def take(category, name):
    try:
        locale.setlocale(category, name)
    except locale.Error as error:
        kept.tried.append(str(error))
take(locale.LC_ALL, "")
take(locale.LC_MONETARY, "C")
"""
LOOK = "__import__('locale').setlocale(6), __import__('time').strftime('%c', (2020,) + (1,) * 8)"
MADE = {"de_DE.UTF-8": ("de_DE", "UTF-8"), "fr_FR.UTF-8": ("fr_FR", "UTF-8")}


def made_locales():
    """What to put before a command that is to see locales of ours as the system's."""
    if os.getuid():
        raise Skip("optional: only root can mount")
    folder = lib.folder("locales")
    for name, (source, charmap) in MADE.items():
        got = lib.run(["localedef", "--no-archive", "-i", source, "-f", charmap,
                       os.path.join(folder, name)])
        if got.status > 1:	# 1: warnings
            raise Skip("optional: localedef: %s" % got.err.decode())
    shutil.copytree("/usr/lib/locale/C.utf8", folder + "/C.utf8")
    before = ["unshare", "-m", "sh", "-c",
              'mount --bind "$0" /usr/lib/locale && exec "$@"', folder]
    if lib.run([*before, "true"]).status:
        raise Skip("optional: mount is refused here")
    return before


# They are read while building, so they would be guards.
CATEGORIES = ["LC_TIME", "LC_NUMERIC", "LC_MONETARY", "LC_MESSAGES"]


def free(variables):
    return [word for name in variables for word in ("--no-guard-env", name)]


def of_the_environment():
    """Categories that an import takes from the environment are the process's."""
    before = made_locales()
    path = lib.write(PLACE + "/locale.py", KEPT + LOCALE, 0o644)
    got = lib.run([*before, lib.PYDUMP, "build", "-q", "-o", PLACE + "/locale", "-w", path,
                   "--freshness", "none", *free(CATEGORIES)],
                  env={"LANG": "C.UTF-8", "PYIMAGE": None})
    equal((got.status, got.err), (0, b""), "the build")
    seen = set()
    for env in ({}, {"LC_TIME": "de_DE.UTF-8"}, {"LC_TIME": "fr_FR.UTF-8", "LC_NUMERIC":
                "de_DE.UTF-8"}, {"LC_MONETARY": "de_DE.UTF-8"}, {"LC_MESSAGES": ""}):
        env = {"LANG": "C.UTF-8", **env}
        want = lib.run([*before, lib.PYTHON, "-c", KEPT + LOCALE + "print(%s)" % LOOK], env=env)
        got = lib.run([*before, PLACE + "/locale", "-c", "print(%s)" % LOOK], env=env)
        equal(got, want, env)
        seen.add(got.out)
    equal(len(seen), 3, "of how many kinds")


def that_is_not_there():
    """python3's import fails then: only python3 knows what that leads to."""
    path = image("locale 2", LOCALE, *free(CATEGORIES))
    env = {"LC_TIME": "no_SUCH"}
    got = lib.run([path, "-c", "pass"], env=env)
    equal(got.status, 70)
    that(b"no_SUCH" in got.err, got.err)
    got = lib.run([path, "-c", "import sys; print('kept' in sys.modules)"],
                  env={**env, "PYIMAGE": "auto"})
    equal(got, (0, b"False\n", b""))


def untouched():
    """Where no import took it, and where one chose it by name."""
    for n, code in enumerate(("", "import locale\nlocale.setlocale(locale.LC_ALL, 'C')\n"
                              "locale.setlocale(locale.LC_CTYPE, 'C.UTF-8')\n")):
        path = image("locale 3 %d" % n, code)
        for env in ({"LC_TIME": "C.UTF-8"}, {"LC_TIME": "no_SUCH", "LC_NAME": "C.UTF-8"},
                    {"LC_NAME": "C.UTF-8", "LC_NUMERIC": "POSIX"}):
            # python3 coerces the C locale, and sets all categories then
            kept(path, code, LOOK, env=env)
            kept(path, code, LOOK, env={"LANG": "C.UTF-8", **env})
            kept(path, code, LOOK, env={"LC_ALL": "C.UTF-8", **env})


def catalogue(texts):
    """A .mo file of gettext's."""
    texts = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **texts}.items())
    at, tables, data = 28 + 16 * len(texts), [b"", b""], b""
    for column in 0, 1:
        for pair in texts:
            text = pair[column].encode()
            tables[column] += struct.pack("<II", len(text), at + len(data))
            data += text + b"\0"
    return struct.pack("<7I", 0x950412de, 0, len(texts), 28, 28 + 8 * len(texts), 0, 0) \
        + tables[0] + tables[1] + data


def translations():
    """libc keeps those that it made; the process may want another language."""
    for language in "aa", "bb":
        os.makedirs("%s/%s/LC_MESSAGES" % (PLACE, language))
        lib.write("%s/%s/LC_MESSAGES/words.mo" % (PLACE, language), catalogue(
            {"word": "word in " + language}))
    code = ("import gettext, locale\nlocale.setlocale(locale.LC_ALL, 'C.UTF-8')\n"
            "locale.bindtextdomain('words', %r), gettext.bindtextdomain('words', %r)\n"
            "kept.then = [m.dgettext('words', 'word') for m in (locale, gettext)]\n"
            % (PLACE, PLACE))
    path = image("translations", code, "--keep-env", "LANGUAGE=aa",
                 *free(["LANGUAGE"]))
    # glibc 2.41 takes no language in C.UTF-8
    plain = lib.run([lib.PYTHON, "-c", "import types; kept = types.SimpleNamespace()\n"
                     + code + "print(kept.then)"], env={"LANGUAGE": "aa"})
    equal(printed([path], "kept.then"), plain.out.decode())
    that("'word in aa'" in plain.out.decode(), plain)
    for language in "aa", "bb", "", "no":
        kept(path, code, "[__import__(m).dgettext('words', 'word') for m in"
             " ('locale', 'gettext')]", env={"LANGUAGE": language})


run("the locale that imports take from the environment", of_the_environment)
run("a locale of the environment that is not there", that_is_not_there)
run("the locale that imports leave alone", untouched)
run("translations of libc's and Python's gettext", translations)


# ------------------------------------------------------------ what imports chose
group("settings", """
import asyncio, csv, decimal, mimetypes, socket, tempfile, warnings
socket.setdefaulttimeout(7.5)
tempfile.tempdir = "/var/tmp"
warnings.filterwarnings("ignore", "chosen")
decimal.getcontext().prec = 9
with warnings.catch_warnings():
    warnings.simplefilter("ignore")     # 3.14 is to be the last that has it
    kept.policy = asyncio.get_event_loop_policy()
asyncio.run(asyncio.sleep(0))
loop = asyncio.new_event_loop()
loop.close()
csv.field_size_limit(99)
mimetypes.add_type("x/y", ".xyz")
""", [], [
    "__import__('socket').getdefaulttimeout(), __import__('socket').socket().gettimeout()",
    "__import__('tempfile').gettempdir()", "__import__('warnings').filters[0][0]",
    "[f[0:3:2] for f in __import__('warnings').filters]",
    "__import__('decimal').Decimal(1) / 3", "__import__('csv').field_size_limit()",
    "(__import__('warnings').simplefilter('ignore'), "
    "kept.policy is __import__('asyncio').get_event_loop_policy())",
    "__import__('asyncio').run(__import__('asyncio').sleep(0, 'slept'))",
    "__import__('mimetypes').guess_type('a.xyz')"])


def temporary_folder():
    """It follows TMPDIR where the imports only asked for it."""
    path = image("temporary folder", "import tempfile\ntempfile.gettempdir()\n",
                 *free(["TMPDIR"]))
    for folder in lib.WORK, "/var/tmp":
        equal(printed([path], "__import__('tempfile').gettempdir()",
                      env={"TMPDIR": folder}), folder + "\n")


run("the folder for temporary files", temporary_folder)


# ------------------------------------------------------------ particular modules
def on_terminal(command, env):
    """What it prints where its standard output is a terminal of 132 columns."""
    pid, fd = pty.fork()
    if pid == 0:
        try:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 132, 0, 0))
            os.chdir(lib.WORK)
            os.execve(command[0], command, {**lib.ENV, **env})
        finally:
            os._exit(99)
    seen = lib.read_terminal(fd)
    equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, "status; it said %r" % seen)
    return seen


def need(module):
    if lib.run([lib.PYTHON, "-c", "import " + module]).status:
        raise Skip("there is no " + module)


def same_on_terminal(module, expression, streams="", options=()):
    """As python3's import finds it, on a terminal and elsewhere."""
    need(module)
    code = "import %s as m\n" % module
    path = image(module, code + streams + "\nkept.m = m\n", *options)
    seen = set()
    for env in {"TERM": "xterm-256color"}, {"TERM": "dumb"}:
        want = on_terminal([lib.PYTHON, "-c", code + "print(%s)" % expression], env)
        equal(on_terminal([path, "-c", code + "print(%s)" % expression], env), want, env)
        seen.add(want)
    want = lib.run([lib.PYTHON, "-c", code + "print(%s)" % expression])
    equal(lib.run([path, "-c", code + "print(%s)" % expression]), want, "without a terminal")
    that({want.out} != {s.replace(b"\r", b"") for s in seen}, "a terminal makes no difference")


# ansible's import gives streams another error handler, which no image holds.
PUT_BACK = """
import sys
sys.stdout.reconfigure(errors="surrogateescape")
sys.stderr.reconfigure(errors="backslashreplace")
"""


def environment_of_requests():
    """wsgiref begins each request with a copy of the environment."""
    code = "import wsgiref.handlers as w\nkept.w = w\n"
    path = image("wsgiref", code)
    look = "sorted(kept.w.BaseHandler.os_environ.items())"
    for env in {}, {"MARK": "here", "LC_CTYPE": "C.UTF-8"}:
        kept(path, code, look, env=env)
    chosen = "import wsgiref.handlers as w\nkept.w = w\nw.BaseHandler.os_environ = {'a': 'b'}\n"
    kept(image("wsgiref 2", chosen), chosen, look, env={"MARK": "here"})


def folder_of_ansible():
    """Each process has its own, and removes it."""
    need("ansible.constants")
    path = image("ansible.constants", "import ansible.constants\n")
    code = "import ansible.constants as c, os; p = c.DEFAULT_LOCAL_TMP; print(p, os.path.isdir(p))"
    seen = [lib.run(before([path, "-c", code]), env={"PYIMAGE": "on"})
            for before in (list, list)]
    for got in seen:
        equal((got.status, got.err), (0, b""))
        name, there = got.out.decode().split()
        equal((there, os.path.exists(name)), ("True", False), name)
    that(seen[0] != seen[1], "they share %r" % seen[0].out)


LAZY = """
class Lazy:
    @property
    def __class__(self):
        kept.asked += 1
        raise RuntimeError("not configured")
kept.asked, kept.lazy = 0, Lazy()
"""


def lazy_objects():
    """Django's settings are such: asked for their class, they want to be configured."""
    kept(image("lazy", LAZY), LAZY, "kept.asked")


run("objects that make themselves when they are asked for", lazy_objects)
run("wsgiref.handlers", environment_of_requests)
run("mercurial.utils.procutil", same_on_terminal, "mercurial.utils.procutil",
    "type(m.stdout).__name__")
run("ansible.utils.color", same_on_terminal, "ansible.utils.color", "m.ANSIBLE_COLOR", PUT_BACK)
run("ansible.utils.display", same_on_terminal, "ansible.utils.display", "m.Display().columns",
    "m.Display()\n" + PUT_BACK)
run("ansible.constants", folder_of_ansible)
shutil.rmtree(PLACE, ignore_errors=True)
done()
