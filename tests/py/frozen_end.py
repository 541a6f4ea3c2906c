"""Warm-up whose objects wait for their end: only PYIMAGE_FINALIZE=full gives it
to them. As python3's usercustomize it is what that is compared with. Functions
must not need globals: those of a warm-up are gone after it."""
import atexit
import os
import sys
import types
import weakref


class Frozen:
    def __init__(self, name):
        self.name = name

    def __del__(self, write=os.write):
        write(1, b"del %s\n" % self.name)


class Ending:
    pass


def generator(write):
    try:
        yield
    finally:
        write(1, b"generator\n")


m = sys.modules["frozen_end"] = types.ModuleType("frozen_end")
m.Frozen = Frozen
m.thing, m._thing = Frozen(b"module's"), Frozen(b"_module's")
m.cycle = Frozen(b"cycle's")
m.cycle.self = m.cycle
m.generator = generator(os.write)
next(m.generator)
m.ending = Ending()
m.finalize = weakref.finalize(m.ending, os.write, 1, b"finalize\n")
sys.held = Frozen(b"sys's")
os.held = Frozen(b"os's")
atexit.register(os.write, 1, b"atexit\n")
# What python3 keeps by functions' globals, and an image does not.
del atexit, m, os, sys, types, weakref
