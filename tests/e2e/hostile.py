#!/usr/bin/python3
"""Files that are no images, damaged images, images made to do harm: pyimage and
pydump info say so and end in good order. pydump info runs under ASan and UBSan
here; a report of theirs is a failure too."""
import os
import random

import lib
from imagefile import Image
from tap import done, equal, run, that

PLACE = lib.folder("hostile")
WHO = "import sys; print('image' if 'frozen_marker' in sys.modules else 'plain')"
PATH = os.path.join(PLACE, "image")
SOUND = lib.image("marked")
SAN = lib.LIB + "/pydump-san"
EMPTY = lib.write(os.path.join(PLACE, "empty.py"), "")


def restore(mode):
    return lib.run([lib.PYIMAGE, PATH, "-c", WHO], env={"PYIMAGE": mode}, limit=60)


def refused_in_order(knows_python, word=None):
    """on: exit 70. auto: plain python3, or 70 where nobody knows which."""
    got = restore("on")
    equal((got.status, got.out), (70, b""), "under PYIMAGE=on, %r" % got.err)
    that(got.err.startswith(b"pyimage: ") and got.err.count(b"\n") <= 2, got.err)
    that(word is None or word.encode() in got.err, "%r is not in %r" % (word, got.err))
    got = restore("auto")
    want = (0, b"plain\n") if knows_python else (70, b"")
    equal((got.status, got.out), want, "under PYIMAGE=auto, %r" % got.err)


def info_in_order(*statuses):
    for option in [], ["--json"]:
        got = lib.run([SAN, "info", PATH, *option], limit=60)
        that(got.status in statuses, "pydump info: %s" % (got,))
        that(b"Sanitizer" not in got.err and b"runtime error" not in got.err, got.err)
        if got.status:
            that(got.err.startswith(b"pydump: ") and got.err.count(b"\n") <= 2, got.err)


def damaged(name, change, word=None, knows_python=True, info=(1,)):
    def check():
        image = Image(SOUND)
        change(image)
        image.write(PATH)
        refused_in_order(knows_python, word)
        info_in_order(*info)
    run(name, check)


run("the image is sound at first", lambda: (
    Image(SOUND).write(PATH), equal(restore("on").out, b"image\n"), info_in_order(0)))

# ------------------------------------------------------------ cut off
whole = len(Image(SOUND).data)
meta = Image(SOUND).field("meta_size")
for size in sorted({0, 1, 4, 16, 63, 64, 0x44, 0x57, 0x58, 0x60, 0x70, 0x80, 0x81, 0x94, 0x9f,
                    0x100, 0x11c, 0x200, 4095, 4096, 4097, meta - 4096, meta - 1, meta,
                    meta + 1, 0x200000, whole // 2, whole - 4096, whole - 4095, whole - 1}):
    def cut():
        image = Image(SOUND)
        image.write(PATH, size)
        prefix = 0x58 + 16 + image.get(0x58 + 16, "I")
        refused_in_order(size >= prefix)
        info_in_order(1)
    run("cut to %d bytes" % size, cut)

# Run by the kernel: the entry code and its data lie in front, so it is exec
# itself that a shorter file is too much for.
for size in whole // 2, whole - 4096, whole - 1:
    def cut_by_kernel():
        Image(SOUND).write(PATH, size)
        os.chmod(PATH, 0o755)
        got = lib.run([PATH, "-c", "print(1)"])
        equal((got.status, got.out, b"truncated" in got.err), (70, b"", True), got.err.decode())
        got = lib.run([PATH, "-c", "print(1)"], env={"PYIMAGE": None})
        equal(got, (0, b"1\n", b""))
    run("cut to %d bytes, by the kernel" % size, cut_by_kernel)

# ------------------------------------------------------------ prefix
damaged("no ELF magic", lambda i: i.put(0, "I", 0), knows_python=True)
damaged("magic", lambda i: i.put(0x58, "B", 0), knows_python=False)
damaged("not whole yet", lambda i: i.data.__setitem__(slice(0x58, 0x60), b"!yimage\n"),
        "whole")
damaged("checksum", lambda i: i.put(0x60, "Q", 0), knows_python=False)
for value in 0, 1, 24, 25, 0xffff, 0x7fffffff, 0xffffffff, 0xfffffff0:
    damaged("size of the prefix is %#x" % value, lambda i: i.put(0x68, "I", value),
            knows_python=False)
for value in 0, 1, 3, 5, 0xffffffff:
    damaged("format %#x" % value, lambda i: i.set_format(value), "format")
for value in 0, 1, whole - 1, whole + 1, 2**63, 2**64 - 1:
    damaged("file size %#x" % value, lambda i: i.set_file_size(value))
damaged("a relative interpreter", lambda i: i.set_python(b"x" * len(i.python())),
        knows_python=False)
damaged("an empty option of the interpreter", lambda i: i.set_python(
    b"/a\0\0" + b"x" * (len(i.python()) - 4)), knows_python=False)
damaged("no NUL behind the interpreter", lambda i: i.put(
    0x58 + 16 + i.get(0x68, "I") - 1, "B", 65).seal(), knows_python=False)
damaged("first note's name", lambda i: i.put(0x50, "Q", 0), knows_python=False)
for value in 0, 1, 0x7fffffff, 0xffffffff, 0xfffffffc:
    damaged("first note's size is %#x" % value, lambda i: i.put(0x48, "I", value),
            knows_python=value > 0x1000)

# ------------------------------------------------------------ header
for value in 0, 1, 4095, meta + 4096, 0x4000000, 0x4001000, 2**63, 2**64 - 4096, 2**64 - 1:
    damaged("meta_size %#x" % value, lambda i: i.set_field("meta_size", value))
for value in 0, 0x1000, 2**47, 2**63, 2**64 - 1:
    damaged("handoff at %#x" % value, lambda i: i.set_field("handoff", value))
for name in "locale", "user_site", "timezone":
    for value in 0, 1, 0x7fffffff, 0xffffffff:
        damaged("%s at %#x" % (name, value), lambda i: i.set_field(name, value))
for name in ("guards", "hot", "reserves", "files", "names", "cpu", "strings", "report",
             "variables"):
    for offset, count in ((0xffffffff, None), (None, 0xffffffff), (meta - 1, None),
                          (meta, 1), (None, meta), (3, 1), (0xfffffff8, 0xfffffff8)):
        if offset == 3 and name in ("strings", "report"):
            continue	# bytes lie anywhere
        damaged("table %s: offset %s, count %s" % (name, offset, count),
                lambda i: i.set_table(name, offset, count))
damaged("strings do not end", lambda i: i.put(sum(i.table("strings")) - 1, "B", 65))
damaged("no strings", lambda i: i.set_table("strings", count=0))
damaged("no CPU", lambda i: i.set_table("cpu", count=0))
damaged("more variables than allowed", lambda i: i.set_table("variables", count=2049))
damaged("more hot ranges than allowed", lambda i: i.set_table("hot", count=1025))

# ------------------------------------------------------------ ELF
for name, values in {
        "class": (0, 1, 3), "data": (0, 2), "type": (0, 1, 3, 4, 0xffff),
        "machine": (0, 3, 183), "entry": (0, 1, 2**47, 2**64 - 1),
        "phoff": (0, 1, 7, meta - 8, meta, 2**63, 2**64 - 56, 2**64 - 1),
        "phnum": (0, 1, 1169, 0xffff), "phentsize": (0, 1, 55, 57, 0xffff)}.items():
    for value in values:
        damaged("ELF header, %s is %#x" % (name, value), lambda i: i.set_elf(name, value))


def segments(name, change, **more):
    """Change an early, a middle and the last segment."""
    count = len(Image(SOUND).segments())
    for n in 1, count // 2, count - 2:
        def this(image):
            change(image, image.segments(), n)
        damaged("segment %d: %s" % (n, name), this, **more)


segments("misaligned", lambda i, s, n: i.set_segment(s[n], "vaddr", i.segment(
    s[n], "vaddr") + 1))
segments("misaligned offset", lambda i, s, n: i.set_segment(s[n], "filesz", i.segment(
    s[n], "memsz")).set_segment(s[n], "offset", 0x200001))
segments("overlaps the one before", lambda i, s, n: i.set_segment(
    s[n], "vaddr", i.segment(s[n - 1], "vaddr")))
segments("overlaps the next one", lambda i, s, n: i.set_segment(s[n], "filesz", 0).set_segment(
    s[n], "memsz", 2**44))
segments("at address 0", lambda i, s, n: i.set_segment(s[n], "vaddr", 0))
segments("above all addresses", lambda i, s, n: i.set_segment(s[n], "vaddr", 2**47))
segments("in the kernel", lambda i, s, n: i.set_segment(s[n], "vaddr", 2**64 - 2**20))
segments("its end wraps", lambda i, s, n: i.set_segment(s[n], "memsz", 2**64 - 4096)
         .set_segment(s[n], "filesz", 0))
segments("its end in the file wraps", lambda i, s, n: i.set_segment(s[n], "filesz", i.segment(
    s[n], "memsz")).set_segment(s[n], "offset", 2**64 - 4096))
segments("behind the file's end", lambda i, s, n: i.set_segment(s[n], "filesz", i.segment(
    s[n], "memsz")).set_segment(s[n], "offset", (whole + 4095) & ~4095))
segments("larger in the file than in memory", lambda i, s, n: i.set_segment(
    s[n], "filesz", i.segment(s[n], "memsz") + 4096))
segments("smaller in the file than in memory", lambda i, s, n: i.set_segment(
    s[n], "filesz", i.segment(s[n], "memsz") - 1).set_segment(s[n], "offset", 0))
segments("empty", lambda i, s, n: i.set_segment(s[n], "memsz", 0).set_segment(s[n], "filesz", 0))
segments("writable and executable", lambda i, s, n: i.set_segment(s[n], "flags", 7))
segments("strange flags", lambda i, s, n: i.set_segment(s[n], "flags", 0x80000004))
segments("on top of pyimage", lambda i, s, n: i.set_segment(s[n], "vaddr", 0x200000000000))
segments("an ELF interpreter", lambda i, s, n: i.set_segment(s[n], "type", 3))
segments("dynamic", lambda i, s, n: i.set_segment(s[n], "type", 2))
damaged("no segments", lambda i: [i.set_segment(p, "type", 0) for p in i.segments()])
damaged("segments out of order", lambda i: i.data.__setitem__(
    slice(i.segments()[1], i.segments()[1] + 56),
    i.data[i.segments()[2]:i.segments()[2] + 56]))


# ------------------------------------------------------------ by chance
def rows(name):
    """Bytes of a table: no crash, whatever the rows say."""
    generator = random.Random(1)
    start, count = Image(SOUND).table(name)
    for _ in range(60):
        image = Image(SOUND)
        for _ in range(3):
            at = start + generator.randrange(max(1, min(count, 40) * 8))
            image.data[at] = generator.choice((0, 0xff, 0x80, 0x7f, generator.randrange(256)))
        image.write(PATH)
        for mode in "on", "auto":
            got = restore(mode)
            that(got.status in (0, 70), "pyimage: %s" % (got,))
        info_in_order(0, 1)


for table in ("guards", "hot", "reserves", "files", "names", "strings", "cpu", "report",
              "variables"):
    run("random bytes in table " + table, rows, table)


def info_of_anything():
    """pydump info never maps or runs anything: every byte may be wrong."""
    generator = random.Random(2)
    for n in range(150):
        image = Image(SOUND)
        for _ in range(generator.choice((1, 1, 2, 8, 64))):
            image.data[generator.randrange(meta)] = generator.randrange(256)
        if n % 2:
            image.seal() if image.get(0x68, "I") < 4096 else None
        image.write(PATH, min(whole, meta + 4096) if n % 3 == 0 else None)
        info_in_order(0, 1)


def info_of_other_files():
    generator = random.Random(3)
    for data in (b"", b"\x7fELF", b"text\n", lib.read("/bin/true"), bytes(5000),
                 generator.randbytes(70000), lib.read(lib.LIB + "/probe.so"),
                 b"\x7fELF\2\1\1" + generator.randbytes(9000)):
        lib.write(PATH, data)
        info_in_order(1)
        refused_in_order(False)


run("pydump info and random bytes", info_of_anything)
run("files of other kinds", info_of_other_files)
done()
