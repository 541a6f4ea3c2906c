#!/usr/bin/python3
"""pydump build -f FILE.toml: the same as its options on the command line; and what
is wrong in such a file."""
import json
import os

import lib
from tap import done, equal, run, test, that

TOP = lib.folder("spec")
OUT = lib.folder("spec-images")
os.mkdir(TOP + "/sub")
lib.write(TOP + "/main.py", "import sys; print(sys.argv[1:], sys.flags.optimize)\n")
lib.write(TOP + "/warm.py", "import colorsys\n")
lib.write(TOP + "/tool", "#!/usr/bin/python3\nimport sys, wave; print(sys.argv[1:])\n", 0o755)
IMAGE = OUT + "/image.pyimage"


def build(text, *options, **more):
    if os.path.exists(IMAGE):
        os.unlink(IMAGE)
    path = lib.write(TOP + "/it.toml", text)
    return lib.run([lib.PYDUMP, "build", "-f", path, *options],
                   env={"PYIMAGE": None, **more.pop("env", {})}, **more)


def built(text, *options, **more):
    got = build(text, *options, **more)
    equal((got.status, got.err), (0, b""), got)
    return json.loads(lib.run([lib.PYDUMP, "info", "--json", IMAGE]).out), got.out.decode()


ALL = """
# each of them
import = ["json", "wave"]
warm-up = ["warm.py"]
entry = "main.py"
output = "../%s/image.pyimage"
python = "/usr/bin/python3"
python-option = ["-O", "-X dev"]
keep-env = ["SPEC_A=1", "SPEC_B"]
freshness = "stat"
quiet = true
""" % os.path.basename(OUT)


@test
def takes_every_key_and_paths_from_its_folder():
    info, out = built(ALL, cwd="/", env={"SPEC_B": "2"})
    equal(out, "")
    equal((info["imports"], info["warm_ups"], info["freshness"], info["python_options"]),
          (["json", "wave"], [TOP + "/warm.py"], "stat", ["-O", "-X", "dev"]))
    equal((info["entry"], info["python"]), (TOP + "/main.py", "/usr/bin/python3"))
    that("colorsys" in info["modules"], info["modules"])
    equal(lib.run([IMAGE, "a"]), (0, b"['a'] 1\n", b""))


@test
def takes_a_command():
    info, _ = built("output = %r\nquiet = true\nfor = ['./tool', './a', '-q']\n" % IMAGE, cwd="/")
    equal((info["entry"], info["command"]), (TOP + "/tool", [TOP + "/tool", "./a", "-q"]))
    that("wave" in info["modules"], info["modules"])
    equal(lib.run([IMAGE, "b"]), (0, b"['b']\n", b""))


@test
def the_command_line_counts_behind_and_instead():
    info, out = built(ALL, "-i", "calendar", "-e", "json.tool", "--freshness", "none")
    equal((info["imports"], info["entry"], info["freshness"]),
          (["json", "wave", "calendar"], "json.tool", "none"))
    other = OUT + "/other.pyimage"
    got = build(ALL, "-o", other)
    equal((got.status, os.listdir(OUT)), (0, ["other.pyimage"]), got)
    os.unlink(other)
    # also where it stands before -f, and between an entry and a command
    path = lib.write(TOP + "/it.toml", ALL)
    got = lib.run([lib.PYDUMP, "build", "-e", "json.tool", "-f", path], env={"PYIMAGE": None})
    equal((got.status, got.err), (0, b""))
    info = json.loads(lib.run([lib.PYDUMP, "info", "--json", IMAGE]).out)
    equal(info["entry"], "json.tool")
    info, _ = built(ALL, "--for", "--", TOP + "/tool")
    equal((info["entry"], info["command"]), (TOP + "/tool", [TOP + "/tool"]))
    info, _ = built("for = ['./tool', 'x']\noutput = %r\n" % IMAGE, "-e", "json.tool")
    equal((info["entry"], info["command"]), ("json.tool", []))


@test
def takes_an_empty_array_and_false():
    info, _ = built("import = []\nquiet = true\nverbose = false\noutput = %r\n" % IMAGE)
    equal((info["imports"], info.get("entry")), ([], None))


# The text of a file, and what is said about it besides its name.
BAD = {
    "imports = ['json']": "unknown key imports; known are: import, warm-up, entry, for,",
    "spec = 'x'": "unknown key spec", "help = true": "unknown key help",
    "[import]\na = 1": "import must be an array of strings, not a table",
    "import = 'json'": "import must be an array of strings, not a string",
    "import = ['json', 1]": "import must be an array of strings, not an array with a number",
    "import = [['json']]": "not an array with an array",
    "import = ['a b']": "--import a b: not a module's name",
    "entry = ['a']": "entry must be a string, not an array",
    "entry = 1979-05-27": "entry must be a string, not a time",
    "entry = true": "entry must be a string, not true or false",
    "entry = 1.5": "not a number", 'entry = "a\\u0000"': "not a string with a NUL in it",
    "entry = 'a:b:c'": "--entry a:b:c: neither", "output = ''": "--output: the name is empty",
    "quiet = 1": "quiet must be true or false, not a number",
    "quiet = 'true'": "quiet must be true or false, not a string",
    "freshness = 'never'": "must be dpkg, stat, libs or none",
    "io = 'junk'": "must be strict, local or network",
    "for = 'hg version'": "for must be an array of strings, not a string",
    "for = []": "the command is missing", "for = ['']": "the command is missing",
    "for = ['a']\nentry = 'b'": "exclude each other",
    "python-option = ['-v']": "no image can hold",
    "import = ": "Invalid value (at end of document)",
    "quiet = true\nquiet = true\n": "(at line 2", "\n\nimport": "(at end of document)",
    "a = 1\n" * 2: "line 2", "entry = 'unended\n'": "(at line 1", "\udcff\n".encode(
        "utf-8", "surrogateescape"): "utf-8", "a = " + "[" * 100000: "recursion",
    "x = 1\n" + "import = []\n": "unknown key x",
}


def refuses(text, words):
    got = build(text, "-o", IMAGE)
    equal((got.status, got.out), (2, b""), got)
    that(words.encode() in got.err, got.err)
    that(b"--for" in got.err or (TOP + "/it.toml").encode() in got.err, got.err)
    equal(os.listdir(OUT), [], "files left")


for name in os.listdir(OUT):
    os.unlink(os.path.join(OUT, name))
for text, words in BAD.items():
    run("refuses %.40r" % text, refuses, text, words)


@test
def refuses_what_is_no_file():
    for path, status in (TOP + "/missing.toml", 74), (TOP, 2):
        got = lib.run([lib.PYDUMP, "build", "-o", IMAGE, "--spec", path])
        equal((got.status, got.out), (status, b""))
        that(path.encode() in got.err, got.err)
    equal(os.listdir(OUT), [], "files left")


done()
