#!/usr/bin/python3
"""pydump build --venv DIR --install: an image in place of a virtual environment's
python, for all that starts there; and --uninstall."""
import base64
import hashlib
import json
import os
import shutil
import zipfile

import lib
from tap import Skip, differ, done, equal, run, that

PLACE = lib.folder("venv")
AUTO, ON, OFF = ({"PYIMAGE": mode, "LANG": "C.UTF-8"} for mode in ("auto", "on", "off"))
NAMES = "python", "python3", "python" + lib.VERSION
LOOK = ("import sys, json; print(json.dumps([sys.executable, sys.prefix, sys.base_prefix, "
        "sys.exec_prefix, sys.path, sys.flags, 'frozen_marker' in sys.modules]))")
count = 0


def make(*options, pip=False):
    """A new environment's folder."""
    global count
    count += 1
    path = os.path.join(PLACE, "env%d" % count)
    got = lib.run([lib.PYTHON, "-m", "venv", *([] if pip else ["--without-pip"]), *options,
                   path])
    equal(got.status, 0, got.err)
    return path


def pydump(*arguments, env=None):
    return lib.run([lib.PYDUMP, "build", *arguments],
                   env={"PYIMAGE": None, "LANG": "C.UTF-8", **(env or {})})


def install(path, *options):
    got = pydump("--venv", path, "--install", "-q", "-w", lib.PY + "/marker.py", *options)
    equal((got.status, got.out, got.err), (0, b"", b""))
    return path


def uninstall(path):
    equal(pydump("--venv", path, "--uninstall"), (0, b"", b""))


def tree(path):
    """name: what it is, for all names of bin and of the environment's top."""
    found = {}
    for folder in path, path + "/bin":
        for name in os.listdir(folder):
            at = os.path.join(folder, name)
            found[at[len(path):]] = os.readlink(at) if os.path.islink(at) else \
                "folder" if os.path.isdir(at) else hashlib.sha1(lib.read(at)).hexdigest()
    return found


def look(command, env=ON, cwd="/"):
    got = lib.run([*command, "-c", LOOK], env=env, cwd=cwd)
    equal((got.status, got.err), (0, b""), command)
    *about, image = json.loads(got.out)
    return about, image


# ------------------------------------------------------------ --python
def python_option():
    for options in [], ["--system-site-packages"], ["--copies"]:
        python = make(*options) + "/bin/python"
        image = os.path.join(PLACE, "image")
        got = pydump("--python", python, "-q", "-o", image, "-w", lib.PY + "/marker.py")
        equal((got.status, got.out, got.err), (0, b"", b""))
        equal(look([image]), (look([python])[0], True), options)
        cfg = os.path.dirname(os.path.dirname(python)) + "/pyvenv.cfg"
        with open(cfg, "a") as file:
            file.write("prompt = x\n")
        equal(look([image], AUTO)[1], False, "pyvenv.cfg changed")


# ------------------------------------------------------------ what starts
def every_name():
    for options in [], ["--system-site-packages"], ["--copies"]:
        path = make(*options)
        plain = look([path + "/bin/python"])
        install(path)
        for name in NAMES:
            equal(look([path + "/bin/" + name]), (plain[0], True), name)
            # by PATH, and relative to a folder
            equal(look(["env", "PATH=%s/bin:/usr/bin:/bin" % path, name]), (plain[0], True))
            equal(look(["bin/" + name], cwd=path), (plain[0], True))
        equal(look([lib.PYIMAGE, path + "/bin/python"]), (plain[0], True))


def names_of_the_process():
    """It is known by the file that was executed, here as there."""
    path = make()
    show = ["-c", "print(open('/proc/self/comm').read())"]
    want = [lib.run([path + "/bin/" + name, *show], env=ON) for name in NAMES]
    equal([got.out for got in want], [name.encode() + b"\n\n" for name in NAMES])
    install(path)
    equal([lib.run([path + "/bin/" + name, *show], env=ON) for name in NAMES], want)
    equal(lib.run([lib.PYIMAGE, path + "/bin/python3", *show], env=ON), want[1])


def scripts():
    path = install(make())
    for name in NAMES:
        script = lib.write(path + "/bin/script", "#!%s/bin/%s\n%s\nprint(sys.argv)\n" % (
            path, name, LOOK), 0o755)
        got = lib.run([script, "a", "b c"], env=ON)
        equal(got.err, b"")
        about, argv = got.out.decode().splitlines()
        equal(json.loads(about)[-1], True)
        equal(argv, repr([script, "a", "b c"]))


CHILDREN = """
import subprocess, sys, multiprocessing, os
sys.path.insert(0, %r)
if __name__ == "__main__":
    child = "import sys; print(sys.executable, 'frozen_marker' in sys.modules)"
    for command in ([sys.executable], ["python"], ["python3"]):
        print(subprocess.run([*command, "-c", child], capture_output=True, text=True).stdout)
    import target
    sys.stdout.flush()
    child_process = multiprocessing.get_context("spawn").Process(target=target.show)
    child_process.start()
    child_process.join()
    os.execv(sys.executable, [sys.executable, "-c", child])
"""


def children():
    path = install(make())
    lib.write(PLACE + "/target.py", "import sys\ndef show():\n"
              "    print(sys.executable, 'frozen_marker' in sys.modules)\n")
    script = lib.write(PLACE + "/children.py", CHILDREN % PLACE)
    env = {**ON, "PATH": path + "/bin:/usr/bin:/bin"}
    got = lib.run([path + "/bin/python", script], env=env)
    me = path + "/bin/python"
    equal(got.err, b"")
    equal(got.out.decode().split("\n"), ["%s True" % me, ""] * 3 + ["%s True" % me] * 2 + [""])


def as_others_see_it():
    """What python3 prints and what the image prints, but for the marker."""
    path = make("--system-site-packages")
    cases = (["-m", "site"], ["-c", "import sysconfig as s; print(s.get_paths())"],
             ["-c", "import sys; print(sys._base_executable, sys.orig_argv, sys.argv)"],
             ["-c", "import os, sys; print(os.path.realpath(sys.prefix), sys.warnoptions)"],
             ["-m", "json.tool", "/nowhere"], ["/nowhere.py"], ["-c", "1/0"])
    run_all = lambda: [lib.run([path + "/bin/python", *case], env=ON) for case in cases]
    want = run_all()
    install(path)
    for case, got, plain in zip(cases, run_all(), want):
        equal(got, plain, case)


for test in python_option, every_name, names_of_the_process, scripts, children, as_others_see_it:
    run(test.__name__.replace("_", " "), test)


# ------------------------------------------------------------ the fallback
def fallback():
    """The original runs, as DIR/bin/python, and never the image again."""
    path = make()
    plain = look([path + "/bin/python"])
    install(path)
    same = lambda command, env, why: equal(look(command, env), (plain[0], False), why)
    for name in NAMES:
        command = [path + "/bin/" + name]
        same(command, OFF, "PYIMAGE=off")
        equal(look([*command, "-b"], AUTO)[1], False, "an option")
        equal(look([*command, "-b"], AUTO)[0][:4], plain[0][:4], "an option")
    os.utime(path + "/lib/python%s/site-packages" % lib.VERSION, (1, 1))
    for name in NAMES:
        same([path + "/bin/" + name], AUTO, "stale")
        got = lib.run([path + "/bin/" + name, "-c", "pass"], env=ON)
        equal((got.status, got.out), (70, b""))
        that(b"stale" in got.err, got.err)
    got = lib.run([path + "/bin/python", "-c", "import subprocess, sys; print(subprocess.run("
                   "[sys.executable, '-c', 'print(5)'], capture_output=True).stdout)"], env=AUTO)
    equal(got, (0, b"b'5\\n'\n", b""), "a stale image's children")
    # made anew from the original, not from itself
    install(path)
    equal(look([path + "/bin/python"]), (plain[0], True), "installed again")


def late_fallback():
    """What only libc can tell is found out after the restore has begun."""
    path = make()
    plain = look([path + "/bin/python"])
    file = lib.write(PLACE + "/late.py", "import os; os.environ['LATE'] = 'set'\n")
    install(path, "-w", file)
    equal(look([path + "/bin/python"], {**AUTO, "LATE": "otherwise"}), (plain[0], False))


def damaged():
    path = make()
    plain = look([path + "/bin/python"])
    install(path)
    data = bytearray(lib.read(path + "/bin/python"))
    data[0x58 + 20:0x58 + 24] = (99).to_bytes(4, "little")	# another format
    value = 0xcbf29ce484222325
    for byte in data[0x68:0x68 + int.from_bytes(data[0x68:0x6c], "little")]:
        value = (value ^ byte) * 0x100000001b3 % 2**64
    data[0x60:0x68] = value.to_bytes(8, "little")
    lib.write(path + "/bin/python.tmp", bytes(data), 0o755)
    os.rename(path + "/bin/python.tmp", path + "/bin/python")
    equal(look([path + "/bin/python3"], AUTO), (plain[0], False))
    install(path)
    equal(look([path + "/bin/python3"]), (plain[0], True), "installed again")
    os.truncate(path + "/bin/python", 8192)
    uninstall(path)
    equal(look([path + "/bin/python"], AUTO), plain, "uninstalled")


def not_by_a_link():
    """Root is led by nobody's link to nothing of its own."""
    path, victim = make(), lib.folder("victim")
    lib.write(victim + "/python", "precious")
    os.symlink(victim, path + "/.pyimage")
    for verb in "--uninstall", "--install":
        got = pydump("--venv", path, verb, "-q")
        equal((got.status, got.out), (1, b""), got.err)
        that(b"another user could" in got.err, got.err)
    equal(lib.read(victim + "/python"), b"precious")


def moved():
    path = install(make())
    new = path + "-moved"
    for way in shutil.copytree, os.rename:
        way(path, new, **({"symlinks": True} if way is shutil.copytree else {}))
        about, image = look([new + "/bin/python3"], AUTO)
        equal((about[0], about[1], image), (new + "/bin/python", new, False), way)
        got = lib.run([new + "/bin/python", "-c", "pass"], env=ON)
        equal(got.status, 70)
        that(b"moved or copied" in got.err, got.err)
        if way is shutil.copytree:
            equal(look([path + "/bin/python"])[1], True, "the first one")
            shutil.rmtree(new)
    install(new)
    about, image = look([new + "/bin/python3"])
    equal((about[0], about[1], image), (new + "/bin/python", new, True))
    uninstall(new)
    equal(look([new + "/bin/python3"])[0][:2], [new + "/bin/python3", new])


for test in fallback, late_fallback, damaged, not_by_a_link, moved:
    run(test.__name__.replace("_", " "), test)


# ------------------------------------------------------------ back again
def back():
    for options in [], ["--copies"]:
        path = make(*options)
        before = tree(path)
        install(path)
        differ(tree(path), before)
        equal(sorted(os.listdir(path + "/.pyimage")), sorted(NAMES))
        install(path)
        install(path)
        uninstall(path)
        equal(tree(path), before, "after --uninstall")
        got = pydump("--venv", path, "--uninstall")
        equal((got.status, got.out), (1, b""))
        that(b"no image is installed" in got.err, got.err)
        equal(tree(path), before)


def other_layouts():
    """python may be the link that leads out, and others may lead to it."""
    path = make()
    for name in NAMES:
        os.unlink(path + "/bin/" + name)
    os.symlink(lib.PYTHON, path + "/bin/python")
    os.symlink("python", path + "/bin/python3")
    os.symlink("/bin/true", path + "/bin/python2")
    before = tree(path)
    plain = look([path + "/bin/python"])
    install(path)
    equal(os.readlink(path + "/bin/python2"), "/bin/true")
    equal(look([path + "/bin/python3"]), (plain[0], True))
    uninstall(path)
    equal(tree(path), before)


def cut_short():
    """Whatever step was the last: each name is some python, and a second --install or
    --uninstall goes on from there."""
    path = make()
    before = tree(path)
    plain = look([path + "/bin/python"])
    install(path)
    image = lib.read(path + "/bin/python")
    uninstall(path)
    steps = [lambda: os.mkdir(path + "/.pyimage")]
    for name in NAMES:
        steps.append(lambda name=name: os.symlink(os.readlink(path + "/bin/" + name),
                                                  path + "/.pyimage/" + name))
    steps.append(lambda: (lib.write(path + "/bin/tmp", image, 0o755),
                          os.rename(path + "/bin/tmp", path + "/bin/python")))
    steps.append(lambda: (os.symlink("python", path + "/bin/python3.new"),
                          os.rename(path + "/bin/python3.new", path + "/bin/python3")))
    for last in range(len(steps)):
        for step in steps[:last + 1]:
            step()
            for name in NAMES:
                equal(look([path + "/bin/" + name], AUTO)[0][1], path, "step %d" % last)
        if last >= 1:		# .pyimage/python is there
            uninstall(path)
        else:
            equal(pydump("--venv", path, "--uninstall").status, 1)
            shutil.rmtree(path + "/.pyimage")
        equal(tree(path), before, "after step %d" % last)
    for step in steps[:3]:
        step()
    install(path)
    equal(look([path + "/bin/python3"]), (plain[0], True))
    uninstall(path)
    equal(tree(path), before)


def upgrade():
    path = install(make())
    for who in lib.PYTHON, path + "/bin/python":
        got = lib.run([who, "-m", "venv", "--without-pip", "--upgrade", path], env=AUTO)
        equal((got.status, got.err), (0, b""), who)
        for name in NAMES:
            equal(look([path + "/bin/" + name], AUTO)[0][1], path)
    install(path)
    equal(look([path + "/bin/python3"])[1], True)
    got = lib.run([lib.PYTHON, "-m", "venv", "--without-pip", "--clear", path], env=AUTO)
    equal((got.status, got.err), (0, b""))
    equal(look([path + "/bin/python3"], AUTO)[1], False)
    install(path)
    equal(look([path + "/bin/python3"])[1], True)


def wheel(name):
    """A small wheel, by hand: no network, no setuptools."""
    path = "%s/%s-1-py3-none-any.whl" % (PLACE, name)
    info = name + "-1.dist-info/"
    files = {name + ".py": "def main(): print('%s runs')\n" % name,
             info + "METADATA": "Metadata-Version: 2.1\nName: %s\nVersion: 1\n" % name,
             info + "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
             info + "entry_points.txt": "[console_scripts]\n%s = %s:main\n" % (name, name)}
    record = ["%s,sha256=%s,%d" % (file, base64.urlsafe_b64encode(
        hashlib.sha256(text.encode()).digest()).decode().rstrip("="), len(text))
        for file, text in files.items()]
    files[info + "RECORD"] = "\n".join(record + [info + "RECORD,,", ""])
    with zipfile.ZipFile(path, "w") as file:
        for member, text in files.items():
            file.writestr(member, text)
    return path


def pip_works():
    try:
        path = make(pip=True)
    except AssertionError:
        raise Skip("optional: ensurepip's wheels are not installed")
    install(path, "-i", "json")
    pip = [path + "/bin/python", "-m", "pip", "--disable-pip-version-check", "-q"]
    got = lib.run([*pip, "install", "--no-index", wheel("tool")], env=AUTO)
    equal((got.status, got.err.decode()), (0, ""))
    # what pip installed is found: the image is stale, so it is python's turn
    equal(lib.run([path + "/bin/tool"], env=AUTO), (0, b"tool runs\n", b""))
    that(lib.read(path + "/bin/tool").startswith(b"#!%s/bin/python" % path.encode()), "its #!")
    equal(lib.run([path + "/bin/tool"], env=ON).status, 70)
    install(path, "-i", "tool")
    equal(lib.run([path + "/bin/tool"], env=ON), (0, b"tool runs\n", b""))
    got = lib.run([*pip, "uninstall", "-y", "tool"], env=AUTO)
    equal(got.status, 0, got.err)
    got = lib.run([path + "/bin/python", "-c", "import tool"], env=AUTO)
    that(b"ModuleNotFoundError" in got.err, got.err)


for test in back, other_layouts, cut_short, upgrade, pip_works:
    run(test.__name__.replace("_", " "), test)


# ------------------------------------------------------------ refusals
def refused(path, word, status=1, options=(), before=None):
    before = tree(path) if before is None and os.path.isdir(path + "/bin") else before
    got = pydump("--venv", path, "--install", *options)
    equal((got.status, got.out), (status, b""), got.err)
    that(word.encode() in got.err, got.err)
    that(got.err.startswith(b"pydump: "), got.err)
    if before is not None:
        equal(tree(path), before, "the environment after a refusal")


def no_environment():
    refused(PLACE + "/nowhere", "No such file", 74)
    plain = lib.folder("no-venv")
    os.mkdir(plain + "/bin")
    refused(plain, "is no virtual environment")
    refused(lib.PYTHON, "is no virtual environment")
    got = pydump("--venv", plain, "--uninstall")
    equal((got.status, got.out), (1, b""))
    path = make()
    for name in NAMES:
        os.unlink(path + "/bin/" + name)
    refused(path, "bin/python", 74)


def another_python():
    """An interpreter that there is no host for: a script, and a program that says so."""
    path = make()
    for name in NAMES:
        os.unlink(path + "/bin/" + name)
    other = lib.write(PLACE + "/other", "#!/bin/sh\necho 2.7\n", 0o755)
    os.symlink(other, path + "/bin/python")
    refused(path, "is no program but a script")
    build = shutil.which("gcc")
    that(build, "gcc is there: it built this")
    source = lib.write(PLACE + "/other.c", '#include <stdio.h>\nint main(void) '
                       '{ puts("2.7"); return 0; }\n')
    equal(lib.run([build, "-o", PLACE + "/python2.7", source]).status, 0)
    os.unlink(path + "/bin/python")
    os.symlink(PLACE + "/python2.7", path + "/bin/python")
    refused(path, "Python 2.7, for which there is no host")
    equal(os.path.exists(path + "/.pyimage"), False)


def a_build_that_fails():
    path = make()
    refused(path, "no such module", options=["-i", "no_such_module"])
    install(path)
    before = tree(path)
    refused(path, "no such module", options=["-i", "no_such_module"], before=before)
    equal(look([path + "/bin/python"])[1], True, "the image that was there")


def not_writable():
    if os.getuid() != 0:
        raise Skip("needs root, to be somebody else")
    path = make()
    before = tree(path)
    got = lib.run(lib.as_nobody([lib.PYDUMP, "build", "--venv", path, "--install"]),
                  env={"PYIMAGE": None})
    equal((got.status, got.out), (74, b""))
    that(b"Permission denied" in got.err, got.err)
    equal(tree(path), before)
    install(path)
    before = tree(path)
    for what in "--install", "--uninstall":
        got = lib.run(lib.as_nobody([lib.PYDUMP, "build", "--venv", path, what]),
                      env={"PYIMAGE": None})
        equal((got.status, got.out), (74, b""), got.err)
        equal(tree(path), before)
    # who may not write there still runs it
    got = lib.run(lib.as_nobody([path + "/bin/python3", "-c", LOOK]), env=ON)
    equal((json.loads(got.out)[-1], got.err), (True, b""))


def usage():
    path = make()
    for options in (["--venv", path], ["--install"], ["--uninstall"],
                    ["--venv", path, "--install", "--uninstall"],
                    ["--venv", path, "--install", "-o", PLACE + "/x"],
                    ["--venv", path, "--install", "--python", lib.VERSION],
                    ["--venv", path, "--install", "-e", "json.tool"],
                    ["--venv", path, "--install", "--for", "--", "true"],
                    ["--venv", path, "--uninstall", "-i", "json"], ["--venv", ""]):
        got = pydump(*options)
        equal((got.status, got.out), (2, b""), options)
    equal(os.path.exists(path + "/.pyimage"), False)


for test in no_environment, another_python, a_build_that_fails, not_writable, usage:
    run(test.__name__.replace("_", " "), test)
done()
