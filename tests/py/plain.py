#!/usr/bin/python3
"""plain.py FILE: both halves of a test in one plain python3, without any image.
What fails here is the test's own mistake."""
import os
import runpy
import sys


def go(path, main):
    runpy.run_path(path, run_name="__arrange__")
    with open(path) as file:
        code = compile(file.read(), path, "exec")
    main.clear()
    main.update(__name__="__main__", __file__=path, __spec__=None)
    exec(code, main)


sys.argv[:] = sys.argv[1:]
sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
go(os.path.abspath(sys.argv[0]), globals())
