"""Warm-up with types from heap as C code makes them: one whose objects the collector
does not know, and one whose tp_traverse does not show them their type."""
import ctypes
import os
import sys
import types


class Slot(ctypes.Structure):
    _fields_ = [("slot", ctypes.c_int), ("function", ctypes.c_void_p)]


class Spec(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("basic_size", ctypes.c_int),
                ("item_size", ctypes.c_int), ("flags", ctypes.c_uint),
                ("slots", ctypes.POINTER(Slot))]


def make(name, flags, **slots):
    # Include/typeslots.h
    numbers = {"dealloc": 52, "traverse": 71}
    rows = [Slot(numbers[key], ctypes.cast(value, ctypes.c_void_p))
            for key, value in slots.items()]
    m.slots.append((Slot * 3)(*rows))
    m.slots.append(Spec(name, 4 * ctypes.sizeof(ctypes.c_void_p), 0, 1 << 18 | flags,
                        m.slots[-1]))
    from_spec = ctypes.pythonapi.PyType_FromSpec
    from_spec.restype = ctypes.py_object
    return from_spec(ctypes.byref(m.slots[-1]))


m = sys.modules["c_types"] = types.ModuleType("c_types")
m.slots = []
here = os.path.dirname(os.path.abspath(sys._getframe().f_code.co_filename))
probe = ctypes.CDLL(os.path.dirname(here) + "/lib/probe.so")
m.Plain = make(b"c_types.Plain", 0, dealloc=probe.probe_dealloc)
m.Collected = make(b"c_types.Collected", 1 << 14, dealloc=probe.probe_dealloc,
                   traverse=probe.probe_traverse)
