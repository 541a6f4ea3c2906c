#!/usr/bin/python3
"""scripts/written: the pages of an image that a run writes, and whose they are; and
files of PYIMAGE_WRITES that are not sound."""
import os
import re
import runpy
import struct
import sys

import lib
sys.path.insert(0, lib.ROOT + "/tests")
from memory import held
from tap import done, equal, run, test, that

SCRIPT = os.path.join(lib.ROOT, "scripts/written")
TOP = lib.folder("written")
BOXES = 20000
BOX = """
class Box:
    __slots__ = "value",
boxes = [Box() for _ in range(%d)]
""" % BOXES


def build(name, *options):
    path = os.path.join(lib.folder(name), name + ".pyimage")
    got = lib.build(path, options=["-q", *options])
    equal((got.status, got.err), (0, b""), got)
    return path


def boxes():
    lib.write(TOP + "/written_box.py", BOX)
    return build("box", "-w", lib.write(TOP + "/warm.py", "import sys\n"
                 "sys.path.insert(0, %r)\nimport written_box\ndel sys.path[0]\n" % TOP))


IMAGE = boxes()
LOOK = "import written_box\nfor box in written_box.boxes: pass"
STORE = "import written_box\nfor box in written_box.boxes: box.value = None"


def written(*words):
    """Its lines."""
    got = lib.run([SCRIPT, *words])
    equal((got.status, got.err), (0, b""), got)
    return got.out.decode().splitlines()


def rows(lines):
    """{(zone, kind): [pages, only, lines, blocks, bytes]}"""
    found = {}
    for line in lines:
        if match := re.fullmatch(r"(\S+) +(\S.*?)((?: +\d+){5})", line):
            found[match[1], match[2]] = [int(word) for word in match[3].split()]
    return found


def total(lines):
    """Pages; and {zone: pages}."""
    match = re.fullmatch(r"(\d+) pages: (.*)", lines[-2])
    that(match, lines[-2:])
    return int(match[1]), {name: int(count) for name, count in (
        part.rsplit(" ", 1) for part in match[2].split(", "))}


def own_memory(pid, image):
    """kB of the image's mappings that are the process's own, as smaps has it."""
    size, inside = 0, False
    with open("/proc/%d/smaps" % pid) as file:
        for line in file:
            first, _, rest = line.partition(" ")
            if not first.endswith(":"):
                inside = image.find(int(first.split("-")[0], 16)) is not None
            elif first == "Anonymous:" and inside:
                size += int(rest.split()[0])
    return size


@test
def agrees_with_smaps():
    script = runpy.run_path(SCRIPT)
    for path in lib.image("stdlib"), IMAGE:
        image = script["Image"](path)
        with held.held([path, "-c", "pass"], lib.ENV) as pid:
            pages = script["written"](pid, image)
            equal(len(pages) * 4, own_memory(pid, image), "kB of " + path)
        that(len(pages) > 10, pages.keys())


@test
def names_each_page():
    lines = written("--list", IMAGE)
    count, zones = total(lines)
    listed = [line.split() for line in lines[:count]]
    equal(len({int(words[0], 16) for words in listed}), count)
    equal({name: sum(words[1] == name for words in listed) for name in zones}, zones)
    equal(sum(zones.values()), count)
    that(any(name.startswith("host-") for name in zones), zones)
    that(all(only <= pages <= count for pages, only, *_ in rows(lines).values()), lines)


@test
def runs_the_interpreter_and_not_the_entry():
    """Which comes to python3's own end for one command line only."""
    entry = lib.write(TOP + "/entry.py", "import os, sys\n"
                      "sys.argv[1:] == ['word'] or os._exit(3)\n")
    path = build("entry", "-e", entry)
    that(total(written(path))[0] > 10, path)
    that(total(written(path, "word"))[0] > 10, path)


@test
def names_what_was_changed():
    found = rows(written(IMAGE, "-c", STORE))
    that(("pymalloc", "Box") in found, found)
    equal(found["pymalloc", "Box"][3], BOXES)
    pages = found["pymalloc", "Box"][0]
    that(pages * 4096 > found["pymalloc", "Box"][4] > 16 * BOXES, found)


@test
def hears_what_leaves_no_trace():
    """A count that goes up and down."""
    found = rows(written(IMAGE, "-c", LOOK))
    that(("pymalloc", "Box") not in found, found)
    that(found["pymalloc", "unchanged"][0] * 4096 > 16 * BOXES, found)
    found = rows(written("--watch", IMAGE, "-c", LOOK))
    equal(found["pymalloc", "Box"][3], BOXES)


@test
def says_that_it_came_too_late():
    got = lib.run([SCRIPT, IMAGE, "-c", "import os; os._exit(0)"])
    equal((got.status, got.out), (1, b""))
    that(b"ended before it could be looked at" in got.err, got.err)


# ------------------------------------------------------------ PYIMAGE_WRITES
HEADER = lib.read(lib.ROOT + "/include/allocations.h").decode()
MAGIC = int(re.search(r"GATHER_MAGIC (0x\w+)ull", HEADER)[1], 16)
# All of the two structs, each a word.
FIELDS = [name for struct in ("writes", "range") for name in re.findall(
    r"uint64_t (\w+);", re.search(r"struct gather_%s \{(.*?)\}" % struct, HEADER, re.S)[1])]


def page_of_the_host():
    """One that every run writes to."""
    line = next(line for line in written("--list", IMAGE) if " host-" in line)
    return int(line.split()[0], 16)


def table(page, **changes):
    """Whether a run marks what it writes in a file with this page, changed or shorter."""
    size = 4096
    fields = {"magic": MAGIC, "count": 1, "ended": 0, "start": page, "length": 4096,
              "marks": 64, "rounds": 1024, "cut": size, **changes}
    path = lib.write(lib.folder("table") + "/writes", (struct.pack(
        "<%dQ" % len(FIELDS), *(fields[name] for name in FIELDS)) + bytes(size))[:fields["cut"]])
    with held.held([IMAGE, "-c", "pass"], {**lib.ENV, "PYIMAGE_WRITES": path}):
        return any(lib.read(path)[8 * len(FIELDS):])


@test
def tables_that_are_not_sound_are_not_used():
    page, far = page_of_the_host(), 1 << 40
    that(table(page), "not watched")
    for changes in ({"cut": 24}, {"cut": 7}, {"magic": 1}, {"cut": 1026},
                    {"count": 0}, {"count": 1 << 20}, {"count": 1 << 62}, {"start": page + 8},
                    {"start": 2 ** 64 - 4096}, {"length": 0}, {"length": 8},
                    {"length": 2 ** 64 - 4096}, {"marks": 8}, {"marks": 3841}, {"marks": far},
                    {"marks": 2 ** 64 - 64}, {"rounds": 8}, {"rounds": 1026}, {"rounds": 4096},
                    {"rounds": far}, {"rounds": 2 ** 64 - 4}):
        that(not table(page, **changes), "%s is taken" % changes)


done()
