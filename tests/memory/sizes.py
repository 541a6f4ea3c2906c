"""The memory of one process, in kB, from /proc (proc_pid_smaps(5), pagemap.rst)."""
import array
import os

PAGE = 4096
PRESENT, FILE, EXCLUSIVE = 1 << 63, 1 << 61, 1 << 56
SUMS = {"rss": "Rss:", "pss": "Pss:", "anonymous": "Anonymous:", "ksm": "KSM:"}


def parse_sums(lines):
    """What smaps_rollup says; None for what this kernel does not count."""
    sizes = {}
    for line in lines:
        words = line.split()
        if len(words) == 3 and words[2] == "kB":
            sizes[words[0]] = int(words[1])
    return {name: sizes.get(field) for name, field in SUMS.items()}


def parse_status(lines):
    """Page tables: VmPTE of status."""
    for line in lines:
        if line.startswith("VmPTE:"):
            return int(line.split()[1])
    raise ValueError("no VmPTE")


def parse_anonymous(lines):
    """[(start, end)] of the mappings in smaps that have anonymous pages."""
    found, place = [], None
    for line in lines:
        first, _, rest = line.partition(" ")
        if not first.endswith(":"):
            place = tuple(int(word, 16) for word in first.split("-"))
        elif first == "Anonymous:" and rest.split()[0] != "0":
            found.append(place)
    return found


def count_private(entries):
    """Pages of a pagemap that are anonymous and mapped by one process only."""
    mask = PRESENT | FILE | EXCLUSIVE
    return sum(entry & mask == PRESENT | EXCLUSIVE for entry in entries)


def _private(pid):
    """Anonymous: counts what a fork shares with its parent and what was merged. This
    does not."""
    pages = 0
    with open("/proc/%d/smaps" % pid) as file:
        places = parse_anonymous(file)
    pagemap = os.open("/proc/%d/pagemap" % pid, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for start, end in places:
            entries = array.array("Q")
            entries.frombytes(os.pread(pagemap, (end - start) // PAGE * 8, start // PAGE * 8))
            pages += count_private(entries)
    finally:
        os.close(pagemap)
    return pages * PAGE // 1024


def sums(pid):
    with open("/proc/%d/smaps_rollup" % pid) as file:
        return parse_sums(file)


def look(pid):
    sizes = sums(pid)
    with open("/proc/%d/status" % pid) as file:
        sizes["pte"] = parse_status(file)
    sizes["private"] = _private(pid)
    return sizes


def pss(pid):
    return sums(pid)["pss"]
