"""N processes of one kind that go in step: all are idle, then all have done their job,
then all have collected. Each kind of row of the table is a way to start them."""
import json
import os
import select
import subprocess

from memory import merging
from memory.starter import PATIENCE, Starter, finish

TOGETHER = os.cpu_count() or 1
LIMIT = 600	# seconds for one step of all; only a hang takes so long
ENV = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
STEPS = "import work; work.run(%r)"
LIVE = "import work; work.live(%r)"	# answers instead


class Failed(Exception):
    pass


class Way:
    """How the processes of a row are started. `zygote`: None, or whether it calls
    gc.freeze(); `ksm`: they may be merged."""

    def __init__(self, name, image=False, ksm=False, zygote=None, before=(), env=()):
        self.name, self.image, self.ksm, self.zygote = name, image, ksm, zygote
        self.before, self.env = list(before), dict(env)


WAYS = [
    Way("python3"),
    Way("zygote", zygote=False),
    Way("zygote, gc.freeze", zygote=True),
    Way("python3, KSM", ksm=True),
    # One layout and one hash seed for all, as processes of an image have them.
    Way("python3, KSM, one layout", ksm=True, before=["setarch", "-R"],
        env={"PYTHONHASHSEED": "0"}),
    Way("image", image=True),
    Way("image, KSM", image=True, ksm=True, env={"PYIMAGE_KSM": "1"}),
]


def why_not(way):
    """Why there can't be processes of this row here, in words, or None."""
    if way.ksm and (why := merging.why_not()):
        return why
    if way.ksm and not way.image and (why := merging.why_not_marked()):
        return why
    if way.before and subprocess.run([*way.before, "true"], stderr=subprocess.DEVNULL).returncode:
        return "%s is not allowed" % " ".join(way.before)
    return None


class Place:
    """Where a workload's processes run: their folder, interpreter, image, and the
    variables that only they have (a display, a bus)."""

    def __init__(self, folder, python, workload, image=None, session=()):
        self.folder, self.python, self.workload = folder, python, workload
        self.image, self.session = image, dict(session)
        self.env = {**ENV, "HOME": folder, "PYIMAGE": "on"}


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
        return [int(word) for word in file.read().split()]


class Crowd:
    def __init__(self, way, place, count, code=STEPS):
        self.way, self.place, self.count, self.code = way, place, count, code
        self.pids, self.servers = [], []	# measured; and what they need besides
        self.ends = []	# (answers, orders) of each
        self.zygote = None
        self.codes = []	# with which all ended, at the end
        self.starter = Starter()

    def __enter__(self):
        try:
            if self.way.zygote is None:
                while len(self.pids) < self.count:
                    self.more(min(TOGETHER, self.count - len(self.pids)))
            else:
                self._fork()
                self.answered(self.ends)
                self.pids = children(self.servers[0])
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *error):
        self.close()

    def more(self, count):
        """So many more, until they are ready."""
        for _ in range(count):
            self._add()
        self.answered(self.ends[-count:])

    def _add(self):
        place, way = self.place, self.way
        command = [*way.before, place.image if way.image else place.python, "-c",
                   self.code % place.workload]
        answers, theirs = os.pipe()
        orders, ours = os.pipe()
        self.ends.append((answers, ours))
        pid = self.starter.start(
            orders, theirs, command=command, cwd=place.folder,
            env={**place.env, **place.session, **way.env},
            merge=way.ksm and not way.image)	# an image asks for itself
        if not pid:
            raise Failed("%s: can't start %s" % (way.name, command[0]))
        self.pids.append(pid)

    def _fork(self):
        pairs, place = [], self.place
        for _ in range(self.count):
            answers, theirs = os.pipe()
            orders, ours = os.pipe()
            self.ends.append((answers, ours))
            pairs.append((orders, theirs))
        code = "import json, sys, work; work.zygote(*json.loads(sys.argv[1]))"
        arguments = json.dumps([place.workload, self.way.zygote, pairs, place.session])
        self.zygote = subprocess.Popen(
            [place.python, "-c", code, arguments], cwd=place.folder,
            env={**place.env, **self.way.env}, stdin=subprocess.DEVNULL,
            pass_fds=[end for pair in pairs for end in pair], start_new_session=True)
        for pair in pairs:
            for end in pair:
                os.close(end)
        self.servers.append(self.zygote.pid)

    def answered(self, ends):
        """Until all of these stand at their next stop."""
        poll = select.poll()
        waiting = {answers for answers, _ in ends}
        for answers in waiting:
            poll.register(answers, select.POLLIN)
        while waiting:
            ready = poll.poll(LIMIT * 1000)
            if not ready:
                raise Failed("%s: %d of %d do not answer" % (
                    self.way.name, len(waiting), self.count))
            for answers, _ in ready:
                if os.read(answers, 1) != b".":
                    raise Failed("%s: a process ended" % self.way.name)
                poll.unregister(answers)
                waiting.remove(answers)

    def step(self):
        """All of them to their next stop, a few at once: others use the machine, too."""
        for first in range(0, len(self.ends), TOGETHER):
            ends = self.ends[first:first + TOGETHER]
            for _, orders in ends:
                os.write(orders, b".")
            self.answered(ends)

    def ask(self, first, last):
        """What each of those in the range says; all are asked first."""
        said = []
        for _, orders in self.ends[first:last]:
            os.write(orders, b"?")
        for answers, _ in self.ends[first:last]:
            line = b""
            while not line.endswith(b"\n"):
                if not (part := os.read(answers, 100)):
                    raise Failed("%s: a process ended" % self.way.name)
                line += part
            said.append(line.decode())
        return said

    def close(self):
        for pair in self.ends:
            for end in pair:
                os.close(end)
        self.ends = []
        self.codes = self.starter.end()
        if self.zygote:
            self.codes.append(finish(self.zygote, PATIENCE))
