"""pylint on a small file."""
import os
import shutil

from workloads import write

PACKAGES = "pylint"
ENV = {}

CODE = """import os, json
from collections import *
class thing(object):
    def __init__(self):
        self.value = undefined_name
    def method(self, a, b):
        x = 1
        return json.dumps(a, nonsense=1)
def function(items=[]):
    try:
        return thing().mehtod()
    except:
        pass
"""


def arrange(home):
    write(home, "sample.py", CODE)
    write(home, "clean.py", '"""A module."""\nNUMBER = 1\n')
    write(home, "pylintrc", "[MESSAGES CONTROL]\ndisable=all\nenable=unused-import\n")


def build(home):
    return ["--for", "--", "/usr/bin/pylint", "sample.py"]


def run(*words, **more):
    return dict(plain=["/usr/bin/pylint", *words], image=list(words), **more)


def forget(home):
    """What it keeps of a run, to tell the next one how the code was rated."""
    shutil.rmtree(os.path.join(home, ".cache"), ignore_errors=True)


def runs(home):
    return {
        "version": run("--version", bench=True),
        "a file": run("sample.py", bench=True, reset=forget),
        "a clean file": run("clean.py"),
        "a configuration": run("--rcfile=pylintrc", "sample.py"),
        "as json": run("-f", "json", "-sn", "sample.py"),
        "no such file": run("nonsense.py"),
    }
