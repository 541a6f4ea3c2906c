"""Thousands of processes at once, started in steps. Limits are looked at first, and
memory before each step: the machine is never brought to its end."""
import os
import resource
import time

from memory import crowd, sizes

STEP = 100
SPARE = 1000	# of descriptors and process numbers, for others
KERNEL = "PageTables:", "KernelStack:", "Slab:"


class Refused(Exception):
    pass


def _number(path):
    """What a file of the kernel's says; None: no limit, or no such file."""
    try:
        with open(path) as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def meminfo():
    with open("/proc/meminfo") as file:
        return {line.split()[0]: int(line.split()[1]) for line in file}


def limits(count):
    """What would be in the way of so many processes, in words."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    files, processes = 2 * count + SPARE, count + SPARE
    found = []
    if most != resource.RLIM_INFINITY and most < files:
        found.append("ulimit -n is %d, below %d" % (most, files))
    user = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if user != resource.RLIM_INFINITY and user < processes:
        found.append("ulimit -u is %d, below %d" % (user, processes))
    for path in ("/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max",
                 "/sys/fs/cgroup/pids.max", "/sys/fs/cgroup/pids/pids.max"):
        value = _number(path)
        if value is not None and value < processes:
            found.append("%s is %d, below %d" % (path, value, processes))
    return found


def _room(many, count, before, reserve):
    """Refused where those that are missing would not leave the reserve."""
    now = meminfo()["MemAvailable:"]
    each = (before - now) / max(1, len(many.pids))
    left = now - each * (count - len(many.pids))
    if left < reserve:
        raise Refused("stopped at %d processes of %.0f kB: of %d kB that are available %.0f kB "
                      "would be left, and %d kB have to be" % (
                          len(many.pids), each, now, left, reserve))


def check(said, pids):
    """How many gave the right answer, each for itself."""
    return sum(line.split() == [str(pid)] * 2 for line, pid in zip(said, pids))


def _ask(many, reserve):
    """How many are right. To answer takes memory, too."""
    right = 0
    for first in range(0, len(many.pids), STEP):
        right += check(many.ask(first, first + STEP), many.pids[first:first + STEP])
        if (left := meminfo()["MemAvailable:"]) < reserve:
            raise Refused("stopped when %d of %d had answered: %d kB are available, and %d "
                          "have to be" % (right, len(many.pids), left, reserve))
    return right


def run(way, place, count, reserve, say):
    """A dict of what there was before, with all of them, and after."""
    if found := limits(count):
        raise Refused("; ".join(found))
    before, clock = meminfo(), [time.monotonic()]
    with crowd.Crowd(way, place, 0, crowd.LIVE) as many:
        while len(many.pids) < count:
            many.more(min(STEP, count - len(many.pids)))
            _room(many, count, before["MemAvailable:"], reserve)
            if len(many.pids) % (5 * STEP) == 0:
                say("%d processes, %d MB available" % (
                    len(many.pids), meminfo()["MemAvailable:"] // 1024))
        started = meminfo()
        clock.append(time.monotonic())
        right = _ask(many, reserve)
        answered = meminfo()
        clock.append(time.monotonic())
        pss = sum(sizes.pss(pid) for pid in many.pids)
    return {"workload": place.workload, "way": way.name, "processes": count,
            "answered": right, "pss_kb": pss,
            "seconds": {"start": clock[1] - clock[0], "answer": clock[2] - clock[1]},
            "total_kb": before["MemTotal:"],
            "available_kb": {"before": before["MemAvailable:"],
                             "started": started["MemAvailable:"],
                             "answered": answered["MemAvailable:"],
                             "after": meminfo()["MemAvailable:"]},
            "kernel_kb": {name.rstrip(":"): answered[name] - before[name] for name in KERNEL}}
