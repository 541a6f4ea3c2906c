#!/usr/bin/python3
"""The man pages: they are clean, their options are those of the programs, the
tables of pyimage(5) are those of include/, and their examples run."""
import glob
import json
import os
import re
import shutil
import struct

import lib
from imagefile import fnv
from tap import Skip, done, equal, run, that

MAN = os.path.join(lib.ROOT, "docs/man")
PAGES = ["pydump.1", "pyimage.1", "pyimage.5", "pyimage.7"]
ENV = {"PATH": lib.BIN + ":/usr/bin:/bin", "PYIMAGE": None, "LC_ALL": "C.UTF-8"}
BASE = 0x1f0000000000


def need_mandoc():
    if not shutil.which("mandoc"):
        raise Skip("mandoc is not installed")


def text(page):
    """The page as people read it, without bold."""
    need_mandoc()
    got = lib.run(["mandoc", "-T", "ascii", "-O", "width=160", os.path.join(MAN, page)])
    equal((got.status, got.err), (0, b""), page)
    return re.sub(".\b", "", got.out.decode())


def section(page, title):
    match = re.search(r"^%s\n(.*?)(?=^\S)" % title, text(page), re.M | re.S)
    that(match, "%s has no section %s" % (page, title))
    return match[1]


# ------------------------------------------------------------ form
def lint(page):
    need_mandoc()
    got = lib.run(["mandoc", "-T", "lint", "-W", "style", *PAGES], cwd=MAN)
    for line in got.out.decode().splitlines():
        # Pages of other packages need not be installed here.
        foreign = re.search(r"referenced manual not found: Xr (\w+ \d)", line)
        if foreign and foreign[1].replace(" ", ".") not in PAGES:
            continue
        that(page + ":" not in line, line)


def options(command, page):
    told = lib.run([lib.PYDUMP, command, "--help"]).out.decode()
    told = set(re.findall(r"--[a-z-]+", told))
    parts = re.split(r"^   Options of (\w+)\n", section(page, "DESCRIPTION"), flags=re.M)
    part = dict(zip(parts[1::2], parts[2::2]))[command]
    written = set(re.findall(r"--[a-z-]+", "\n".join(
        line for line in part.splitlines() if re.match(r"     -", line))))
    equal(written, told, "options of " + command)


def flags_of_a_file():
    """Those keys of a file of options that are true or false."""
    source = lib.read(lib.ROOT + "/dumper/spec.c").decode()
    told = re.search(r"takes a string;([-\w\s,]+) are\s+true or false", text("pydump.1"))
    that(told, "no list of them in pydump.1")
    equal(re.findall(r"(?!and\b)\b[a-z-]+", re.sub(r"-\n\s+", "-", told[1])),
          re.findall(r'\{"([a-z-]+)", .*\bFLAG\(', source))


for page in PAGES:
    run("mandoc finds no fault in " + page, lint, page)
for command in "build", "info":
    run("options of pydump " + command, options, command, "pydump.1")


run("pydump(1) has the flags of a file of options", flags_of_a_file)


def rows_of_python():
    """pyimage(1) says of each option and variable what the code's tables say."""
    words = {"HONOURED": "honoured", "BAKED": "part of the image", "PLAIN": "python3"}
    header = lib.read(lib.ROOT + "/include/python_options.h").decode()
    options = re.findall(r'\{ "([^"]+)", (?:NULL|"[^"]*"), PYTHON_([A-Z]+),', header)
    after_x = [name for name, _ in options].index("--version") + 1
    want = {("-" + name if len(name) == 1 else name, words[choice])
            for name, choice in options[:after_x] if name != "X"}
    want |= {("-X " + name, words[choice]) for name, choice in options[after_x:]}
    want |= {("-X other", words["BAKED"])}
    want |= {(name, words[choice]) for name, choice in re.findall(
        r'\{ "(PYTHON\w*)", PYTHON_([A-Z]+),', header)}
    told = set()
    for name, choice in re.findall(
            r"^     ((?:-X )?[-\w?]+)(?:[= ]\S+)?  +(honoured|part of the image|python3)$",
            text("pyimage.1"), re.M):
        told.add((name, choice))
    equal(told - {("-c", "honoured"), ("-m", "honoured")}, want)


def own_variables():
    """pyimage(1) has each variable of ours that what runs from an image looks for."""
    found = set()
    for pattern in "restorer/*.c", "dumper/host/*.c", "include/*.h":
        for path in glob.glob(os.path.join(lib.ROOT, pattern)):
            found.update(re.findall(r'"(PYIMAGE(?:_[A-Z]+)?)="', lib.read(path).decode()))
            found.update(re.findall(r'(?:getenv\(|_ENV )"(PYIMAGE_[A-Z]+)"',
                                    lib.read(path).decode()))
    told = re.findall(r"^     (PYIMAGE\w*)(?: |$)", section("pyimage.1", "ENVIRONMENT"), re.M)
    that(len(found) > 5, found)
    equal(set(told), found)


run("pyimage(1) has each option and variable of python3", rows_of_python)
run("pyimage(1) has each variable of pyimage's", own_variables)


# ------------------------------------------------------------ pyimage(5)
def tables():
    """struct: {field: (offset, size or None)}, as the page has them."""
    found, rows = {}, None
    for line in text("pyimage.5").splitlines():
        if match := re.fullmatch(r"\s+struct (\w+)", line):
            rows = found.setdefault(match[1], {})
        elif match := re.match(r"\s+0x([0-9a-f]+) +(\d+|-)  (\w+)( |$)", line):
            rows[match[3]] = (int(match[1], 16), None if match[2] == "-" else int(match[2]))
    return found


def layouts():
    found = tables()
    equal(sorted(found), ["handoff", "image_cpu", "image_cpuid", "image_file", "image_guard",
                          "image_header", "image_prefix", "image_range", "image_variable"])
    lines = ["#include <stddef.h>", '#include "image.h"', '#include "handoff.h"']
    for name, rows in found.items():
        last = 0
        for field, (offset, size) in rows.items():
            that(offset >= last, "%s.%s is out of order" % (name, field))
            last = offset + (size or 0)
            lines.append("_Static_assert(offsetof(struct %s, %s) == %d, \"\");" % (
                name, field, offset))
            if size is not None:
                lines.append("_Static_assert(sizeof(((struct %s *)0)->%s) == %d, \"\");" % (
                    name, field, size))
        if name not in ("image_prefix", "handoff"):	# those end in padding or a path
            lines.append("_Static_assert(sizeof(struct %s) == %d, \"\");" % (name, last))
    path = lib.write(lib.folder("docs") + "/layout.c", "\n".join(lines) + "\n")
    got = lib.run(["gcc", "-fsyntax-only", "-I", lib.ROOT + "/include", path])
    equal((got.status, got.err.decode()), (0, ""))


def note_types():
    with open(lib.ROOT + "/include/image.h") as file:
        want = {(name.lower(), int(number)) for name, number in re.findall(
            r"IMAGE_NOTE_(\w+) = (\d+)", file.read())}
    got = {(name, int(number)) for number, name in re.findall(
        r"^ +(\d+)  \.note\.pyimage\.(\w+)", text("pyimage.5"), re.M)}
    equal(got, want)


class Reader:
    """Reads an image by what the page says, and by nothing else."""

    def __init__(self, data):
        self.data, self.tables = data, tables()
        equal(data[:4], b"\x7fELF")
        self.note(0x44, 1)
        that(self.get("image_prefix", "magic", 0x58) == b"PYIMAGE\n", "magic")
        size = self.number("image_prefix", "size", 0x58)
        equal(fnv(data[0x68:0x68 + size]),
              self.number("image_prefix", "checksum", 0x58), "checksum")
        self.python, *self.options = data[0x80:0x68 + size - 1].decode().split("\0")
        behind = self.note(0x44, 1)
        self.note(behind, 2)
        self.header = behind + 20

    def note(self, at, kind):
        names, size, got = struct.unpack_from("<III", self.data, at)
        equal((names, got, self.data[at + 12:at + 20]), (8, kind, b"pyimage\0"))
        equal((at + 20) % 8, 0)
        return at + 20 + size

    def get(self, name, field, at):
        offset, size = self.tables[name][field]
        return self.data[at + offset:at + offset + size]

    def number(self, name, field, at):
        return int.from_bytes(self.get(name, field, at), "little")

    def field(self, name):
        return self.number("image_header", name, self.header)

    def string(self, at):
        return self.data[at:self.data.index(b"\0", at)].decode()

    def table(self, name):
        return struct.unpack("<II", self.get("image_header", name, self.header))

    def rows(self, table, name):
        size = max(offset + size for offset, size in self.tables[name].values())
        start, count = self.table(table)
        return [start + i * size for i in range(count)]


def worked_example():
    dump = re.findall(r"^ +([0-9a-f]{8}): ((?:[0-9a-f]{4} ){8})", text("pyimage.5"), re.M)
    data = b"".join(bytes.fromhex(line) for _, line in dump)
    equal([int(at, 16) for at, _ in dump], list(range(0, len(data), 16)))
    reader = Reader(data)
    equal((reader.python, reader.options), ("/usr/bin/python3", ["-O"]))
    said = section("pyimage.5", "EXAMPLES")
    for number in (reader.number("image_prefix", "checksum", 0x58), reader.field("meta_size"),
                   reader.number("image_prefix", "file_size", 0x58), reader.field("handoff"),
                   reader.field("locale")):
        that("%#x" % number in said, "%#x is not in the example's text" % number)


def stranger():
    """What a reader written by the page finds is what pydump info tells."""
    path = lib.image("marked")
    info = json.loads(lib.run([lib.PYDUMP, "info", "--json", path]).out)
    reader = Reader(lib.read(path))
    equal((reader.python, reader.options), (info["python"], info["python_options"]))
    equal(len(reader.data), info["file_size"])
    for name in "meta_size", "mapped", "python_hex":
        equal(reader.field(name), info[name], name)
    equal(hex(reader.field("handoff")), info["handoff"])
    equal(reader.string(reader.field("locale")), info["locale"])
    equal([reader.string(reader.number("image_guard", "path", row))
           for row in reader.rows("guards", "image_guard")],
          [guard["path"] for guard in info["guards"]])
    equal([hex(reader.number("image_range", "start", row))
           for row in reader.rows("hot", "image_range")],
          [hot["address"] for hot in info["hot"]])
    start, count = reader.table("report")
    lines = reader.data[start:start + count].decode().split("\0")
    equal([line[7:] for line in lines if line.startswith("module=")], info["modules"])
    # the handoff, through the segment that holds it
    for segment in info["segments"]:
        inside = int(info["handoff"], 16) - int(segment["address"], 16)
        if 0 <= inside < segment["in_file"]:
            at = segment["offset"] + inside
            equal(reader.get("handoff", "magic", at), b"PimHandf")
    equal(next(s for s in lib.run(["readelf", "-lW", path]).out.decode().splitlines()
               if "%#018x" % BASE in s and "LOAD" in s).split()[1], "0x000000")


run("pyimage(5) has the layouts of include/", layouts)
run("pyimage(5) has all note types", note_types)
run("pyimage(5)'s worked example is sound", worked_example)
run("a reader by pyimage(5) agrees with pydump info", stranger)


# ------------------------------------------------------------ examples
def examples(page):
    """[command, what the page shows of its output or None]..."""
    found, inside = [], False
    for line in section(page, "EXAMPLES").splitlines():
        if inside:	# a here-document
            found[-1][0] += "\n" + line[11:]
            inside = line[11:] != "END"
        elif match := re.match(r" {11}\$ (.*)", line):
            found.append([match[1], None])
            inside = match[1].endswith("<<'END'")
        elif found and re.match(r" {11}\S", line):
            found[-1][1] = (found[-1][1] or "") + line.strip() + "\n"
    return found


def example(command, shown, place):
    got = lib.run(["sh", "-c", command], env=ENV, cwd=place)
    equal(got.status, 0, "status; stderr: %s" % got.err.decode())
    if shown is not None:
        equal(got.out.decode(), shown, "stdout")


def all_examples(page):
    list_of = examples(page)
    that(len(list_of) >= 5, "only %d examples were found in %s" % (len(list_of), page))


for page in "pydump.1", "pyimage.1", "pyimage.7":
    run("%s has examples" % page, all_examples, page)
    place = lib.folder("docs")
    for command, shown in examples(page) if shutil.which("mandoc") else []:
        run("%s: %s" % (page, command.split("\n")[0]), example, command, shown, place)
done()
