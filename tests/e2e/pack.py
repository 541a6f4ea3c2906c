#!/usr/bin/python3
"""pydump build --pack: what a start writes lies together, and all is as without."""
import json
import os
import re
import sys

import lib
sys.path.insert(0, lib.ROOT + "/tests")
from memory import held, sizes
from tap import done, equal, run, test, that

TOP = lib.folder("pack")
OUT = lib.folder("pack-images")
IMPORTS = ["argparse", "asyncio", "email.message", "json", "logging", "sqlite3", "ssl",
           "subprocess", "tempfile", "unittest", "urllib.request"]


def build(name, *options, **more):
    path = os.path.join(OUT, name + ".pyimage")
    got = lib.build(path, options=options, **more)
    equal(got.status, 0, got)
    lines = got.err.decode().splitlines()
    that(not lines or "-q" in options and all(line.startswith("pydump: warning: packed without ")
                                              or " ended with status " in line
                                              for line in lines), got)
    return path, got.out.decode()


def private(path, *words, entry="off"):
    """kB that are the process's own when it comes to its end."""
    with held.held([path, *words], {**lib.ENV, "PYIMAGE_ENTRY": entry}) as pid:
        return sizes.sums(pid)["anonymous"]


PLAIN, _ = build("plain", *(word for name in IMPORTS for word in ("-i", name)))
PACKED, SAID = build("packed", "--pack", *(word for name in IMPORTS for word in ("-i", name)))


@test
def has_fewer_pages_of_its_own():
    before, after = private(PLAIN, "-c", "pass"), private(PACKED, "-c", "pass")
    that(after < before * 0.75, (before, after))


@test
def says_how_many_objects():
    that("\npacked    " in SAID, SAID)
    got = json.loads(build("json", "--pack", "--json")[1])
    that(got["packed_objects"] > 20 and got["packed_size"] > 16 * got["packed_objects"], got)
    equal(got["warnings"], [])


@test
def counts_its_draft_in_the_time():
    """Two dumps and the run that is watched, each of which waits."""
    warm = lib.write(TOP + "/slow.py", "import time\ntime.sleep(1)\n")
    got = json.loads(build("slow", "--pack", "--json", "-q", "-w", warm)[1])
    that(got["build_ms"] >= 3000, got["build_ms"])


@test
def packs_no_memory_that_was_free():
    """What a program makes itself is not there before, wherever it comes to lie."""
    found = []
    for text in "pass", "a = [str(n) * 9 for n in range(3000)]":
        warm = lib.write(TOP + "/new.py", text + "\n")
        words = [word for name in IMPORTS for word in ("-i", name)]
        out = build("new", "--pack", "--json", "-q", "-w", warm, *words)[1]
        found.append(json.loads(out)["packed_objects"])
    that(found[1] < found[0] + 100, found)


FREES = """
import os
blocks = [bytes(3000) for _ in range(1000)]
del blocks
try:
    os.listdir("/")
    outcome = "listed"
except OSError as e:
    outcome = str(e)
with open(%(log)r, "a") as file:
    print(outcome, file=file)
"""


# The kernel writes to each.
FILLS = """\
    reader, writer = os.pipe()
    for buffer in os.buffers:
        os.write(writer, b"x" * 2000)
        count = libc.read(reader, buffer, 2000)
        with open(%(log)r, "a") as file:
            print(count, file=file)
        if count < 0:
            break
"""

# Buffers of C's that the kernel writes to, in a restored process: the first lies where
# freed blocks were, the others begin in the last kB of a page, behind small blocks.
READS = """
import ctypes, os, pyimage
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
libc.read.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
def get(size):
    return libc.malloc(ctypes.c_size_t(size))
if not pyimage.is_restored():
    blocks = [get(1000) for _ in range(400)]
    os.behind = get(1000)
    for block in blocks:
        libc.free(block)
    os.buffers = [get(100000)]
    while len(os.buffers) < 9:
        if 400 <= 4096 - (get(600) + 608) %% 4096 <= 800:
            os.buffers.append(get(2000))
    for _ in range(200):
        get(600)
else:
""" + FILLS


@test
def watches_no_buffers():
    log = TOP + "/counts"
    warm = lib.write(TOP + "/reads.py", READS % {"log": log})
    said = build("reads", "--pack", "-w", warm)[1]
    that("warning" not in said, said)
    equal(lib.read(log), b"2000\n" * 9)


# Lists that malloc() serves and Python makes small, and a buffer of C's behind each.
SHRINKS = """
import ctypes, os, pyimage
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.read.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
if not pyimage.is_restored():
    os.kept, os.buffers = [], []
    for n in range(300):
        items = [None] * (70 if n %% 2 else 700)
        del items[30:]
        os.kept.append(items)
        os.buffers.append(libc.malloc(ctypes.c_size_t(2000)))
else:
""" + FILLS


@test
def watches_no_buffers_beside_what_was_made_small():
    log = TOP + "/shrinks-counts"
    warm = lib.write(TOP + "/shrinks.py", SHRINKS % {"log": log})
    said = build("shrinks", "--pack", "-w", warm)[1]
    that("warning" not in said, said)
    equal(lib.read(log).count(b"2000\n"), 300)


CODE = """
import ctypes
for name in 'malloc', 'calloc', 'realloc':
    function = getattr(ctypes.CDLL('libc.so.6'), name)
    print(ctypes.string_at(ctypes.cast(function, ctypes.c_void_p).value, 16))
"""


@test
def leaves_nothing_in_malloc():
    equal(lib.run([PACKED, "-c", CODE]), lib.run([lib.PYTHON, "-c", CODE]))


# Threads that are in malloc() and free() at once, and have ended by the freeze.
THREADS = """
import ctypes, threading
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
kept = []
def work(number):
    blocks = []
    for n in range(20000):
        blocks.append(libc.malloc(ctypes.c_size_t(40 + (n * 7 + number) % 3000)))
        ctypes.memset(ctypes.c_void_p(blocks[-1]), number, 40)
        if len(blocks) > 50:
            libc.free(blocks.pop(n % 50))
    kept.append((number, blocks))
threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for number, blocks in kept:
    for block in blocks:
        assert ctypes.string_at(block, 40) == bytes([number]) * 40
        libc.free(block)
"""


@test
def packs_what_threads_had():
    warm = lib.write(TOP + "/threads.py", THREADS)
    path, said = build("threads", "--pack", "-w", warm)
    that("warning" not in said, said)
    equal(lib.run([path, warm]), (0, b"", b""))


@test
def watches_no_memory_that_malloc_may_give_to_others():
    """opendir()'s buffer, which the kernel writes to, lies where Python's blocks were."""
    log = TOP + "/outcomes"
    warm = lib.write(TOP + "/list.py", FREES % {"log": log})
    build("list", "--pack", "-q", "-w", warm)
    equal(lib.read(log), b"listed\n" * 3, lib.read(log))


@test
def leaves_out_what_a_full_end_writes():
    """It destroys frozen objects, one by one."""
    warm = lib.write(TOP + "/full.py", "import os\nclass D:\n    def __del__(self): pass\n"
                     "if 'PYIMAGE_WRITES' in os.environ: os.kept = D()\n")
    words = [word for name in IMPORTS for word in ("-i", name)]
    got = json.loads(build("full", "--pack", "--json", "-q", "-w", warm, *words)[1])
    equal(got["warnings"], [])  # it would not come to that end in time
    that(got["packed_objects"] < 2000, got)


# What frees, moves and uses again blocks of the zone, and what looks at it.
USE = """
import collections, gc, json, logging, os, re, sys, threading
def show(*what): print(*what, flush=True)
show(json.dumps({str(n): [n] * 3 for n in range(2000)})[:60], re.findall("a+", "baaac" * 3))
old = sys.argv, sys.orig_argv, os.environ
sys.argv, sys.flags
logging.getLogger("a.b").setLevel(10)
words = [object() for _ in range(20000)] + [str(n) * 9 for n in range(20000)]
del words[::2]
show(len(words), gc.collect() >= 0)
thread = threading.Thread(target=lambda: show(sum(range(10000))))
thread.start(); thread.join()
if not os.fork():
    show("child", len([{} for _ in range(5000)]))
    os._exit(0)
os.wait()
for name in list(sys.modules):
    if name.startswith(("json", "logging", "asyncio", "email", "urllib")):
        vars(sys.modules.pop(name)).clear()
for value in list(vars(os).values()):
    if callable(value) and hasattr(value, "__dict__"):
        try:
            value.__dict__.clear(); value.mark = [1] * 5
        except (AttributeError, TypeError):
            pass
import json
show(json.loads("[1, 2]"), gc.collect() >= 0)
"""


def less_addresses(result):
    return result._replace(err=re.sub(rb"0x[0-9a-f]+", b"0x", result.err))


@test
def runs_as_python3_does():
    script = lib.write(TOP + "/use.py", USE)
    want = lib.run([lib.PYTHON, "-c", "import %s\nexec(open(%r).read())" % (
        ", ".join(IMPORTS), script)])
    equal(want.status, 0, want)
    for before in lib.users().values():
        for end in None, "full":
            got = lib.run(before([PACKED, script]), env={"PYIMAGE_FINALIZE": end})
            equal(less_addresses(got), less_addresses(want))


@test
def counts_blocks_as_without():
    """Those of hot objects, too; and a list of 100000 objects is of as many more."""
    code = "import sys; n = sys.getallocatedblocks(); a = [object() for _ in range(100000)]" \
        "; print(n, sys.getallocatedblocks() - n)"
    (one, more), (other, also) = (map(int, lib.run([path, "-c", code]).out.split())
                                  for path in (PLAIN, PACKED))
    that(abs(one - other) < 0.01 * one, (one, other))
    that(abs(more - also) < 100, (more, also))


@test
def has_a_hash_seed_of_its_own():
    code = ["-c", "import sys; print(hash('some text'), sys.flags.hash_randomization)"]
    other, _ = build("other", "--pack")
    mine, theirs = lib.run([PACKED, *code]).out, lib.run([other, *code]).out
    that(mine != theirs, mine)
    equal(lib.run([PACKED, *code]).out, mine)
    equal(mine.split()[1], b"1")


@test
def command_and_pass_do_not_hurt_each_other():
    command = lib.write(TOP + "/command", "#!/usr/bin/python3\n%s\nimport sys\n"
                        "p = argparse.ArgumentParser(); p.add_argument('-n', type=int)\n"
                        "n = p.parse_args().n\nm = email.message.Message()\n"
                        "m['a'] = 'b'; print(n, json.dumps({'a': [n]}), m.as_string())\n"
                        % "\n".join("import " + name for name in IMPORTS), 0o755)
    words = ["-q", "--measure", "--for", "--", command, "-n", "3"]
    loose, _ = build("loose", *words)
    tight, _ = build("tight", "--pack", *words)
    before, after = (private(path, "-n", "3", entry="on") for path in (loose, tight))
    that(after < before * 0.75, (before, after))
    before, after = (private(path, "-c", "pass") for path in (loose, tight))
    that(after < before * 0.75, (before, after))
    equal(lib.run([tight, "-n", "4"], env={"PYIMAGE_ENTRY": "on"}),
          lib.run([command, "-n", "4"]))


@test
def warm_up_files_show_what_it_is_for():
    warm = lib.write(TOP + "/warm.py", "import email.message, json, logging, re\n"
                     "m = email.message.Message()\nm['a'] = 'b'\n"
                     "text = m.as_string() + json.dumps({'a': [1, 2]})\n"
                     "logging.getLogger('x.y').debug('%s', re.findall('[a-z]+', text))\n")
    words = [word for name in IMPORTS for word in ("-i", name)]
    loose, _ = build("loose", "-w", warm, *words)
    tight, out = build("tight", "--pack", "-w", warm, *words)
    that("warning" not in out, out)
    before, after = private(loose, warm), private(tight, warm)
    that(after < before * 0.75, (before, after))
    less, more = private(PACKED, "-c", "pass"), private(tight, "-c", "pass")
    that(more < less * 1.2, (less, more))


# Blocks of malloc's, each behind others of which nobody writes any.
SCATTERED = """
import ctypes, sys
libc = ctypes.CDLL(None)
for function in libc.malloc, libc.calloc, libc.realloc:
    function.restype = ctypes.c_void_p
def get(n):
    size = ctypes.c_size_t(48 + n % 5 * 100)
    if n % 3 == 2:
        small = libc.malloc(ctypes.c_size_t(24))
        return libc.realloc(ctypes.c_void_p(small), size)
    return libc.malloc(size) if n % 3 else libc.calloc(ctypes.c_size_t(1), size)
blocks = []
for n in range(400):
    others = [get(n) for _ in range(20)]
    blocks.append(get(n))
def write():
    for n, block in enumerate(blocks):
        ctypes.memset(ctypes.c_void_p(block), n % 256, 48)
def use():
    "Moves some, frees the others."
    write()
    for n, block in enumerate(blocks):
        if n % 2:
            libc.free(ctypes.c_void_p(block))
            continue
        block = libc.realloc(ctypes.c_void_p(block), ctypes.c_size_t(1000))
        if ctypes.string_at(block, 48) != bytes([n % 256]) * 48:
            sys.exit("wrong bytes")
        libc.free(ctypes.c_void_p(block))
    kept = [get(n) for n in range(3000)]
    print(len(set(kept)))
"""


def saves(kb, name, warm):
    """The image of this warm-up file, whose run has so much less of its own for --pack."""
    loose, _ = build(name + "-loose", "-w", warm)
    tight, out = build(name, "--pack", "-w", warm)
    that("warning" not in out, out)
    before, after = private(loose, warm), private(tight, warm)
    that(before > after + kb, (before, after))
    return tight


@test
def packs_what_malloc_calloc_and_realloc_gave():
    lib.write(TOP + "/scattered.py", SCATTERED)
    warm = lib.write(TOP + "/scattering.py", "import sys; sys.path[:0] = [%r]\n"
                     "import scattered; scattered.write(); del sys.path[0]\n" % TOP)
    tight = saves(4 * 300, "tight", warm)
    equal(lib.run([tight, "-c", "import scattered; scattered.use()"]), (0, b"3000\n", b""))


# Each beside a buffer of C's, with which its page can't be watched.
BESIDE = """
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
def get(size):
    return libc.malloc(ctypes.c_size_t(size))
blocks = []
for n in range(400):
    blocks.append(get(700))
    get(3300)
def write():
    for n, block in enumerate(blocks):
        ctypes.memset(ctypes.c_void_p(block), n % 255 + 1, 48)
"""


@test
def packs_what_has_changed_on_pages_that_are_not_watched():
    lib.write(TOP + "/beside.py", BESIDE)
    warm = lib.write(TOP + "/besides.py", "import pyimage, sys; sys.path[:0] = [%r]\n"
                     "import beside; del sys.path[0]\n"
                     "if pyimage.is_restored(): beside.write()\n" % TOP)
    saves(4 * 200, "beside", warm)


# Large objects of which the count alone is written, among small ones.
HEADS = """
large = [tuple([n] * 400) for n in range(100)]
small = [(n, n) for n in range(2500)]
def use():
    for one in large: pass
    for one in small: pass
"""


@test
def keeps_what_is_not_written_off_the_pages_that_are():
    """As they are, they fill 120 pages."""
    lib.write(TOP + "/heads.py", HEADS)
    warm = lib.write(TOP + "/use_heads.py", "import sys; sys.path[:0] = [%r]\n"
                     "import heads; heads.use(); del sys.path[0]\n" % TOP)
    image, out = build("heads", "--pack", "-w", warm)
    that("warning" not in out, out)
    code = "import heads; heads.%s"
    before, after = private(image, "-c", code % "use"), private(image, "-c", code % "use()")
    that(after < before + 4 * 85, (before, after))


@test
def what_is_written_first_lies_together():
    """Each of the two halves is on 40 pages."""
    lib.write(TOP + "/halves.py", "import os\nblocks = [(n, n) for n in range(5000)]\n"
              "def use(first):\n    for one in blocks[first::2]: pass\n")
    warm = lib.write(TOP + "/use_halves.py", "import sys; sys.path[:0] = [%r]\n"
                     "import halves; halves.use(1); halves.use(0); del sys.path[0]\n" % TOP)
    image, out = build("halves", "--pack", "-w", warm)
    that("warning" not in out, out)
    code = "import halves; halves.use"
    before, after = private(image, "-c", code), private(image, "-c", code + "(1)")
    that(after < before + 4 * 60, (before, after))


# Another number of objects in each dump; and a module that has nothing to do with it.
DRIFTS = """
import os
with open(%(log)r, "a") as file:
    file.write("x")
os.kept = [bytes(40) for n in range(os.path.getsize(%(log)r) * 5)]
"""
STEADY = """
blocks = []
for n in range(400):
    blocks.append(bytes(40))
    blocks.append([bytes(40) for _ in range(20)])
def use():
    for one in blocks[::2]: pass
"""


@test
def finds_them_again_behind_a_module_that_makes_others_each_time():
    """They are on 8 of 160 pages."""
    lib.write(TOP + "/drifts.py", DRIFTS % {"log": TOP + "/drifts.log"})
    lib.write(TOP + "/steady.py", STEADY)
    warm = lib.write(TOP + "/use_steady.py", "import sys; sys.path[:0] = [%r]\n"
                     "import drifts, steady; steady.use(); del sys.path[0]\n" % TOP)
    equal(lib.run([lib.PYTHON, warm]), (0, b"", b""))  # compiles them
    image, out = build("steady", "--pack", "-w", warm)
    that("warning" not in out, out)
    code = "import steady; steady.use"
    before, after = private(image, "-c", code), private(image, "-c", code + "()")
    that(after < before + 4 * 40, (before, after))


@test
def runs_as_often_as_the_page_says():
    log = TOP + "/log"
    text = "open(%r, 'a').write('x')\n" % log
    warm = lib.write(TOP + "/log.py", text)
    command = lib.write(TOP + "/logs", "#!/usr/bin/python3\n" + text, 0o755)
    for options, count in ((["-w", warm], 3), (["--for", "--", command], 1),
                           (["--measure", "--for", "--", command], 1 + 1 + 4 + 6 * 2)):
        lib.write(log, "")
        build("often", "--pack", "-q", *options)
        equal(lib.read(log), b"x" * count, options)


@test
def says_what_it_could_not_watch():
    warm = lib.write(TOP + "/warm.py", "import os\n"
                     "if 'PYIMAGE_WRITES' in os.environ: os._exit(0)\n")
    _, out = build("unwatched", "--pack", "-w", warm)
    that("\nwarning   packed without what %s writes: " % warm in out and "\npacked " in out, out)


def tolerates(name, text):
    """Such a command shows nothing, or only a part; the image is right."""
    command = lib.write(TOP + "/odd", "#!/usr/bin/python3\nimport json, sys\n"
                        "print(json.dumps(sys.argv[1:]), flush=True)\n%s\n" % text, 0o755)
    path, _ = build("odd", "--pack", "-q", "--measure", "--for", "--", command, "a")
    equal(lib.run([path, "a"], env={"PYIMAGE_ENTRY": "on"}), lib.run([command, "a"]))


for name, text in {
    "ends by os._exit": "import os; os._exit(3)",
    "is killed while it is watched": "import os\n"
        "if 'PYIMAGE_WRITES' in os.environ: os.kill(os.getpid(), 9)",
    "handles the signals of its own": "import faulthandler, signal; faulthandler.enable()\n"
        "signal.signal(signal.SIGTRAP, signal.SIG_IGN); print([[] for _ in range(300)])",
    "has children": "import subprocess; print(subprocess.run(['echo', 'x'], "
        "stdout=-1).stdout); import os\nif not os.fork(): os._exit(0)\nos.wait()",
    "has threads": "import threading\nt = [threading.Thread(target=json.dumps, args=([n],)) "
        "for n in range(9)]\n[x.start() for x in t]; [x.join() for x in t]",
}.items():
    run("a command that " + name, tolerates, name, text)


@test
def other_allocators_are_left_alone():
    traced = lib.write(TOP + "/traced.py", "import tracemalloc\ntracemalloc.start()\n"
                       "import json\ntracemalloc.stop()\n")
    for options, packed in ((["--python-option", "-X dev"], False),
                            (["--keep-env", "PYTHONMALLOC=malloc"], False),
                            (["-w", traced], True)):
        path, out = build("allocator", "--pack", *options)
        equal(("\npacked  " in out, "\nwarning   not packed: no object was found" in out),
              (packed, not packed), out)
        equal(lib.run([path, "-c", "import json; print(json.dumps([1]))"]), (0, b"[1]\n", b""))


@test
def a_draft_that_fails_is_a_warning():
    once = lib.write(TOP + "/once.py", "import os\nif not os.path.exists(%r):\n"
                     "    open(%r, 'w').close(); raise OSError('the first time')\n" % (
                         (TOP + "/been",) * 2))
    path, out = build("draft", "--pack", "-w", once)
    that("\nwarning   not packed: " in out and "the first time" in out, out)
    equal(lib.run([path, "-c", "print(1)"]), (0, b"1\n", b""))
    equal([name for name in os.listdir(OUT) if name.startswith(".")], [])


done()
