#!/usr/bin/python3
"""What scripts/bench-memory is made of: what it reads from /proc, its crowds of
processes, its table, its targets."""
import mmap
import os
import shutil
import sys

import lib
sys.path.insert(0, lib.ROOT + "/tests")
from tap import Skip, done, equal, run, test, that
from memory import crowd, live, plot, report, sizes

SMAPS = """00400000-00402000 rw-p 00000000 08:01 12 /some/file with: colon
Size:                  8 kB
Anonymous:             4 kB
VmFlags: rd wr mr mw me
7ffc8a000000-7ffc8a021000 rw-p 00000000 00:00 0          [stack]
Anonymous:             0 kB
ProtectionKey:         0
7ffc8b000000-7ffc8b001000 rw-p 00000000 00:00 0
Anonymous:            12 kB
""".splitlines(True)
ROLLUP = """00400000-7ffc8ad90000 ---p 00000000 00:00 0       [rollup]
Rss:               21428 kB
Pss:               21424 kB
Pss_Anon:            712 kB
Anonymous:           713 kB
%s""".lstrip()


@test
def sums_of_a_process():
    got = sizes.parse_sums((ROLLUP % "KSM:  7 kB\n").splitlines(True))
    equal(got, {"rss": 21428, "pss": 21424, "anonymous": 713, "ksm": 7})
    got = sizes.parse_sums((ROLLUP % "").splitlines(True))
    equal(got["ksm"], None)


@test
def page_tables():
    equal(sizes.parse_status(["VmSwap:\t 1 kB\n", "VmPTE:\t     144 kB\n"]), 144)
    try:
        sizes.parse_status(["Name:\tx\n"])
    except ValueError:
        return
    that(False, "a status without VmPTE was taken")


@test
def mappings_with_anonymous_pages():
    equal(sizes.parse_anonymous(SMAPS),
          [(0x400000, 0x402000), (0x7ffc8b000000, 0x7ffc8b001000)])


@test
def entries_of_a_pagemap():
    present, file, exclusive = 1 << 63, 1 << 61, 1 << 56
    equal(sizes.count_private([0, present, present | exclusive, present | exclusive | 99,
                               present | exclusive | file, exclusive]), 2)


@test
def private_memory_of_a_fork():
    """What it shares with its parent is anonymous, but not private; what it wrote is."""
    size = 8 << 20
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.write(b"x" * size)
    reader, writer = os.pipe()
    gate, gate_end = os.pipe()
    child = os.fork()
    if not child:
        os.close(gate_end)
        for page in range(0, size // 2, mmap.PAGESIZE):
            memory[page] = 1
        os.write(writer, b".")
        os.read(gate, 1)
        os._exit(0)
    os.read(reader, 1)
    found = sizes.look(child)
    os.close(gate_end)
    os.waitpid(child, 0)
    kb = size // 1024
    that(found["anonymous"] >= kb and kb // 2 <= found["private"] < kb, found)


# ------------------------------------------------------------ crowds
def place(python=lib.PYTHON):
    folder = lib.folder("memory")
    shutil.copytree(lib.ROOT + "/tests/memory/programs", folder, dirs_exist_ok=True)
    return crowd.Place(folder, python, "numpy", lib.image("numpy"))


def way(name):
    return next(way for way in crowd.WAYS if way.name == name)


def in_step(name):
    """Each of its processes is there, holds what the job made, and ends."""
    if why := crowd.why_not(way(name)):
        raise Skip("optional: " + why)
    with crowd.Crowd(way(name), place(), 3) as many:
        equal(len(set(many.pids)), 3)
        idle = [sizes.look(pid) for pid in many.pids]
        many.step()
        job = [sizes.look(pid) for pid in many.pids]
        many.step()
        pids = [*many.pids, *many.servers]
        for before, after in zip(idle, job):
            that(0 < before["anonymous"] < after["anonymous"], (before, after))
            that(0 < after["private"] <= after["anonymous"] < after["rss"], after)
    equal(set(many.codes), {0})
    equal([pid for pid in pids if os.path.exists("/proc/%d" % pid)], [])


# What merging and crowd say on a machine that refuses these system calls.
ASK = """
import sys
sys.path.insert(0, %r)
from memory import crowd, merging
merging.why_not = %s = lambda: None
print("\\n".join(str(crowd.why_not(way)) for way in crowd.WAYS if way.ksm))
"""


def why_not(*before, less="_"):
    """Of each row with KSM (python3, python3 in one layout, image), where this function
    does nothing."""
    got = lib.run([*before, lib.PYTHON, "-c", ASK % (lib.ROOT + "/tests", less)])
    equal((got.status, got.err), (0, b""))
    return got.out.decode().splitlines()


@test
def rows_that_can_not_be_here():
    deny = lib.LIB + "/deny"
    for found, words in (
            (why_not(deny, "memory_merge"), ("refuses", "refuses", "None")),
            (why_not(less="merging.mark"), ("survive exec", "survive exec", "None")),
            (why_not(deny, "personality", less="merging.why_not_marked"),
             ("None", "setarch -R is not allowed", "None"))):
        that(len(found) == len(words) and all(map(str.__contains__, found, words)), found)


def one_that_ends():
    here = place()
    lib.write(here.folder + "/library_numpy.py", "raise SystemExit(3)")
    try:
        with crowd.Crowd(way("python3"), here, 2):
            that(False, "it is not noticed")
    except crowd.Failed as failed:
        that("ended" in str(failed), failed)


def one_that_does_not_start():
    here = place("/nonexistent/python3")
    try:
        with crowd.Crowd(way("python3"), here, 1):
            that(False, "it is not noticed")
    except crowd.Failed as failed:
        that("can't start" in str(failed), failed)


def small_tables():
    """Of descriptors, however many the bench has open."""
    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(600)]
    try:
        with crowd.Crowd(way("python3"), place(), 2) as many:
            for pid in many.pids:
                size = lib.read("/proc/%d/status" % pid).split(b"FDSize:")[1].split()[0]
                that(int(size) < len(held), size)
    finally:
        for descriptor in held:
            os.close(descriptor)


def alive(count, reserve):
    return live.run(way("image"), place(), count, reserve, lambda text: None)


@test
def live_processes_answer():
    found = alive(3, 1)
    equal((found["answered"], found["processes"]), (3, 3))
    that(found["pss_kb"] > 0 and set(found["available_kb"]) == {
        "before", "started", "answered", "after"}, found)


@test
def live_processes_stop_in_time():
    for count, reserve, words in (3, 1 << 40, "would be left"), (10 ** 9, 1, "below"):
        try:
            alive(count, reserve)
        except live.Refused as refused:
            that(words in str(refused), refused)
        else:
            that(False, "%d processes, %d kB to be left: not refused" % (count, reserve))


@test
def wrong_answers():
    equal(live.check(["7 7\n", "8 9\n", "9 8\n", "", "3 3\n"], [7, 8, 9, 10, 3]), 2)


for each in crowd.WAYS:
    run("in step: " + each.name, in_step, each.name)
run("a process that ends too early", one_that_ends)
run("a process that can't start", one_that_does_not_start)
run("small tables of descriptors", small_tables)


# ------------------------------------------------------------ tables
def state(private, pte=100, rss=2000, total=1000, merged=0.0):
    return {"rss": rss, "pss": total / 100, "anonymous": private, "private": private,
            "ksm": 0, "pte": pte, "total": total, "shared": 1 - private / rss,
            "merged": merged}


def row(way, idle, job, collected, python="3.11.2", count=100, **more):
    return {"python": python, "workload": "pandas", "way": way, "processes": count,
            "allocated": 50, "states": dict(zip(report.STATES, (idle, job, collected))),
            **more}


@test
def medians_and_sums():
    looks = [{"rss": 10, "pss": n, "anonymous": 4, "private": n, "ksm": 1, "pte": 1}
             for n in (1, 2, 6)]
    got = report.combine(looks, looks[:1])
    equal((got["private"], got["total"], got["shared"], got["merged"]), (2, 10, 0.8, 0.25))


def outcome(image, *others):
    targets = report.judge([image, *others])
    return [(one["got"], one["want"], one["reached"]) for one in targets]


@test
def limits_by_version():
    for python, idle, job in ("3.11.2", 500, 1200), ("3.12.1", 500, 1200), ("3.13.5", 400, 600), \
            ("3.14.10", 400, 600), ("3.15.2", 400, 600):
        good = row("image", state(idle - 100), state(job - 50), state(job + 50), python)
        equal(outcome(good), [(idle, idle, True), (job, job, True), (100, 100, True)], python)
        bad = row("image", state(idle - 99), state(job - 49), state(job + 52), python)
        equal([reached for _, _, reached in outcome(bad)], [False] * 3, python)


@test
def a_25th_of_python3():
    plain = row("python3", *[state(900, total=25000)] * 3)
    for total, reached in (1000, True), (1001, False):
        got = outcome(row("image", *[state(100, total=total)] * 3), plain)
        equal(got[3], (total, 1000, reached))


@test
def each_column_against_the_zygote():
    rival = row("zygote, gc.freeze", *[state(300, 110, 1999, 900)] * 3)
    equal(outcome(row("image", *[state(200, 109, 1998, 899)] * 3), rival)[3], (0, 0, True))
    image = row("image", state(300, 110, 1999, 900), *[state(200, 109, 1998, 899)] * 2)
    equal(outcome(image, rival)[3], (5, 0, False))
    lines = report.targets_table(report.judge([image, rival]))
    that("idle rss: 1999, not 1999" in lines and "**missed**" in lines, lines)


@test
def table_of_rows():
    rows = [row("image", *[state(200, merged=0.5)] * 3), row("image, KSM", *[state(
        200, merged=0.5)] * 3), row("image", *[state(200)] * 3, count=10)]
    lines = report.table(rows, 100).splitlines()
    equal(len(lines), 4)
    equal({line.count("|") for line in lines}, {len(report.HEAD) + 1})
    that("250" in lines[2] and "50 %" in lines[3] and "50 %" not in lines[2], lines)


@test
def merged_results():
    one, other = ([row("image", *[state(200)] * 3), row("zygote", *[state(size)] * 3)]
                  for size in (300, 400))
    got = report.merge([{"kernel": "a", "rows": one, "live": []},
                        {"kernel": "b", "rows": other[1:], "live": []}])
    equal(got, {"kernel": "b", "rows": [one[0], other[1]], "live": []})


@test
def picture():
    try:
        import matplotlib
    except ImportError:
        raise Skip("python3-matplotlib is missing")
    rows = [row(name, *[state(200)] * 3, python) for name in ("python3", "image")
            for python in ("3.11.2", "3.13.5")]
    texts = []
    for name in "one", "two":
        path = os.path.join(lib.folder("plot"), name + ".svg")
        plot.draw(rows, 100, path)
        texts.append(lib.read(path))
    that(texts[0].count(b"<svg") == 1, texts[0][:200])
    equal(texts[0], texts[1])


done()
