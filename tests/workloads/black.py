"""Black, which is compiled by mypyc: C extensions that hold most of it."""
import re

from workloads import write

PACKAGES = "black"
ENV = {}

UGLY = """import os
def  function( a,b = 1, *args,
    **more ):
    '''Does   nothing.'''
    if a==1 :   return  {  'key':[1,2,
        3], "other" : lambda x:x+1}
    with open( 'file' ) as one, open("other") as other: print( one , other )
    match a:
        case {"x": [1, *rest]}:
            x = f'{a!r:>{b}}'
    return  not  a
class Empty( ) : pass
"""


def arrange(home):
    write(home, "ugly.py", UGLY)
    write(home, "fine.py", "x = 1\n")
    write(home, "broken.py", "def :\n")
    write(home, "project/pyproject.toml",
          '[tool.black]\nline-length = 40\nskip-string-normalization = true\n')
    write(home, "project/ugly.py", UGLY)
    write(home, "notes.pyi", "def f( ): ...\n\n\n\ndef g( ): ...\n")


def build(home):
    return ["--for", "--", "/usr/bin/black", "--diff", "ugly.py"]


def run(*words, **more):
    return dict(plain=["/usr/bin/black", *words], image=list(words), **more)


def times(data):
    """--diff names the file's and the present time."""
    return re.sub(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", b"TIME", data)


def runs(home):
    return {
        "version": run("--version", bench=True),
        "check": run("--check", "fine.py", "ugly.py"),
        "diff": run("--diff", "ugly.py", bench=True, mask=times),
        "format": run("ugly.py", "notes.pyi", files=["ugly.py", "notes.pyi"]),
        "a project's settings": run("project", files=["project"]),
        "what does not parse": run("broken.py", "fine.py"),
        "standard input": run("-c", "x  =  'y'"),
    }
