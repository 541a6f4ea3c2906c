#!/usr/bin/python3
"""Another kernel's vDSO, or none: an image does not depend on the one that it
was built with. A made-up one whose clock stands still shows whose it is."""
import os

import lib
from tap import done, equal, run

RUN = os.path.join(lib.LIB, "vdso_run")
MADE_UP = os.path.join(lib.LIB, "vdso.so")
IMAGE = lib.image("bare")
CODE = ("import time, os\n"
        "print(time.time(), time.clock_gettime(time.CLOCK_MONOTONIC),"
        # localtime() asks time(2), which the made-up one lacks: a system call
        " time.clock_getres(time.CLOCK_REALTIME) < 1, time.localtime().tm_year > 2001)")


def made_up(command):
    got = lib.run([RUN, MADE_UP, *command(IMAGE), "-c", CODE])
    equal(got, (0, b"1000000000.5 1000000000.5 True True\n", b""))


def none(command):
    code = ("import time\nt = time.time()\nassert t > 1.7e9, t\n"
            "assert time.clock_gettime(time.CLOCK_REALTIME) - t < 60\n"
            "assert time.monotonic() <= time.monotonic()\n"
            "assert time.localtime().tm_year >= 2024\nprint('fine')")
    got = lib.run([RUN, "none", *command(IMAGE), "-c", code])
    equal(got, (0, b"fine\n", b""))


for way, command in lib.WAYS.items():
    run("a made-up vDSO (%s)" % way, made_up, command)
    run("no vDSO (%s)" % way, none, command)
done()
