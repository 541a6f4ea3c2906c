#!/usr/bin/python3
"""What modules keep of their process and computed while they were imported: other in
each process of an image where python3 would make it anew (`renewed`), and as it was
left where the imports chose it (`kept`)."""
import os

import lib
from tap import done, equal, run, that

PLACE = lib.folder("state")
os.chmod(PLACE, 0o755)

# Runs before the freeze; what it leaves in the module `kept` is there afterwards.
KEPT = """
import sys, types
kept = sys.modules["kept"] = types.ModuleType("kept")
"""


def image(name, code):
    path = lib.write("%s/%s.py" % (PLACE, name), KEPT + code, 0o644)
    got = lib.build("%s/%s.pyimage" % (PLACE, name), warmups=[path])
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


def kept(path, code, expression):
    want = python3(code, expression)
    equal(python3(code, expression), want, "what python3 prints again")
    for before in lib.users().values():
        equal(printed(before([path]), expression), want, "what the image prints")


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
""", ["__import__('numpy').random.random()", "kept.new.random()", "kept.old.randn()",
      "[g.random() for g in kept.bits]", "kept.sequence.entropy", "kept.spawned[0].random()",
      "kept.back.random_sample()"],
      ["kept.seeded.random()", "[g.random() for g in kept.given]",
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
done()
