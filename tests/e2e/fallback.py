#!/usr/bin/python3
"""Every refusal: under PYIMAGE=auto the plain interpreter runs with the same
arguments, under PYIMAGE=on the image says why and ends with status 70."""
import os
import shutil
import sys

import lib
from imagefile import Image
from tap import Skip, done, equal, run, that

WHO = "import sys; print('image' if 'frozen_marker' in sys.modules else 'plain', sys.argv[1:])"
AUTO, ON, OFF = ({"PYIMAGE": mode} for mode in ("auto", "on", "off"))


def runs(command, *options, arguments=("a", "-b"), before=(), **more):
    """What runs: "image" or "plain"; the status and stderr where neither does."""
    got = lib.run([*before, *command, *options, "-c", WHO, *arguments], **more)
    for who in "image", "plain":
        if got.status == 0 and got.out.decode() == "%s %s\n" % (who, list(arguments)):
            return who
    return got.status, got.out.decode("utf-8", "replace"), got.err.decode("utf-8", "replace")


def refused(got, *words, status=70):
    """Ended with this status, said why in a line or two, and ran nothing."""
    that(got not in ("image", "plain"), "it ran: %s" % (got,))
    equal(got[0], status, "status of %r" % (got,))
    equal(got[1], "", "stdout")
    that(got[2].startswith("pyimage: "), "stderr: %r" % got[2])
    that(got[2].count("\n") <= 2, "stderr is long: %r" % got[2])
    for word in words:
        that(word in got[2], "%r is not in %r" % (word, got[2]))


def falls_back(command, *words, env=None, auto="plain", **more):
    """Both modes; `words` are in the reason."""
    env = env or {}
    equal(runs(command, env={**env, **AUTO}, **more), auto, "under PYIMAGE=auto")
    refused(runs(command, env={**env, **ON}, **more), *words)
    got = lib.run([*more.get("before", ()), *command, "-c", "pass"],
                  env={**env, **AUTO, "PYIMAGE_VERBOSE": "1"})
    for word in words:
        that(word in got.err.decode(), "PYIMAGE_VERBOSE says %r" % got.err)


def each_way(name, function, *args, image="marked", ways=("pyimage", "kernel")):
    for way in ways:
        run("%s (%s)" % (name, way), function, lib.WAYS[way](lib.image(image)), *args)


def copy(name, image="marked"):
    path = os.path.join(lib.folder("fallback"), name)
    shutil.copy(lib.image(image), path)
    os.chmod(path, 0o755)
    return path


# ------------------------------------------------------------ modes
def modes(command):
    for mode in None, "", "auto", "on":
        equal(runs(command, env={"PYIMAGE": mode}), "image", "PYIMAGE=%s" % mode)
    equal(runs(command, env=OFF), "plain", "PYIMAGE=off")


def junk_mode(command):
    for mode in "junk", "ON", "1", "auto ":
        refused(runs(command, env={"PYIMAGE": mode}), "PYIMAGE", status=2)


def silent_by_default(command):
    got = lib.run([*command, "-O", "-c", "pass"], env=AUTO)
    equal(got, (0, b"", b""))


def verbose(command):
    got = lib.run([*command, "-O", "-c", "pass"], env={**AUTO, "PYIMAGE_VERBOSE": "1"})
    equal((got.status, got.out), (0, b""))
    that(b"-O" in got.err, got.err)


def own_options():
    for option, text in ("--help", b"usage: pyimage"), ("--version", b"pyimage "):
        got = lib.run([lib.PYIMAGE, option])
        equal((got.status, got.err), (0, b""))
        that(text in got.out, got.out)
    for arguments in [], ["--nothing"], ["-c", "pass"]:
        got = lib.run([lib.PYIMAGE, *arguments])
        equal((got.status, got.out), (2, b""), arguments)
        that(b"usage" in got.err, got.err)


each_way("PYIMAGE's values", modes)
each_way("PYIMAGE=junk", junk_mode)
each_way("a fallback is silent", silent_by_default)
each_way("PYIMAGE_VERBOSE=1 tells the reason", verbose)
run("pyimage's own options", own_options)

# ------------------------------------------------------- what it can't honour
# Each option and each variable of python3's: options.py.
for option in ("-O", "-Wd", "-X", "-IS", "--version", "--nothing"):
    def option_falls_back(command, option):
        got = lib.run([*command, option, "-c", "pass"], env=ON)
        refused((got.status, got.out.decode(), got.err.decode()), option)
        want = lib.run([lib.PYTHON, option, "-c", WHO, "x"], env=AUTO, stdin=b"")
        got = lib.run([*command, option, "-c", WHO, "x"], env=AUTO, stdin=b"")
        equal(got, want, "status, stdout, stderr")
    each_way("option " + option, option_falls_back, option)

for variable, value in {
        "PYTHONPATH": "/usr", "PYTHONHASHSEED": "0", "PYTHONUTF8": "",
        "LD_PRELOAD": lib.LIB + "/probe.so", "LD_LIBRARY_PATH": "/nowhere",
        "LD_BIND_NOW": "1", "MALLOC_ARENA_MAX": "1",
        "GLIBC_TUNABLES": "glibc.malloc.arena_max=1"}.items():
    def variable_falls_back(command):
        if value:
            falls_back(command, variable, env={variable: value})
        else:
            equal(runs(command, env={variable: value, **ON}), "image", "empty")
    each_way("variable %s=%s" % (variable, value), variable_falls_back)


def preload_works(command):
    got = lib.run([*command, "-c", "print('probe.so' in open('/proc/self/maps').read())"],
                  env={**AUTO, "LD_PRELOAD": lib.LIB + "/probe.so"})
    equal(got.out, b"True\n")


def other_locales(command):
    for variable in "LC_ALL", "LANG", "LC_CTYPE":
        falls_back(command, "locale", env={variable: "POSIX.UTF-8"})
    falls_back(command, "locale", env={"LC_ALL": "C"})
    equal(runs(command, env={**ON, "LANG": "", "LC_ALL": ""}), "image", "empty")
    equal(runs(command, env={**ON, "LANG": "C"}), "image", "the same")


def coerced_locale(command):
    """What every child of a Python program in the C locale inherits."""
    equal(runs(command, env={**ON, "LC_CTYPE": "C.UTF-8"}), "image")
    code = "import subprocess, sys; print(subprocess.run(sys.argv[1:]).returncode)"
    equal(lib.run([lib.PYTHON, "-c", code, *command, "-c", "pass"]).out, b"0\n")


each_way("LD_PRELOAD is honoured by the fallback", preload_works)
each_way("another locale", other_locales)
each_way("the locale that python3 coerces to", coerced_locale)


# ------------------------------------------------------------ limits
def little_address_space(command):
    # pandas needs far more than this, plain python3 does not.
    before = ["sh", "-c", "ulimit -v 60000; exec \"$@\"", "sh"]
    falls_back(command, before=before)


def enough_address_space(command):
    before = ["sh", "-c", "ulimit -v 4000000; exec \"$@\"", "sh"]
    equal(runs(command, before=before), "image")


def unlimited_stack(command):
    # The vDSO and the stack come near the image's addresses then.
    before = ["sh", "-c", "ulimit -s unlimited; exec \"$@\"", "sh"]
    for _ in range(50):
        that(runs(command, before=before, env=AUTO) in ("image", "plain"), "it ran")


def clash(command):
    """Without randomisation an image lies where an unlimited stack makes the
    kernel put the vDSO, every time."""
    if lib.run(["setarch", "-R", "true"]).status:
        raise Skip("optional: personality() is refused here")
    path = os.path.join(lib.folder("clash"), "image")
    built = lib.run(["setarch", "-R", lib.PYDUMP, "build", "-o", path,
                     "-w", lib.PY + "/marker.py"])
    equal(built.status, 0, built.err)
    before = ["setarch", "-R", "sh", "-c", "ulimit -s unlimited; exec \"$@\"", "sh"]
    command = [lib.PYIMAGE, path]
    equal(runs(command), "image", "without a clash")
    falls_back(command, before=before)


def few_descriptors(command):
    # 0, 1, 2 and one more for the image's file.
    equal(runs(command, before=["sh", "-c", "ulimit -n 5; exec \"$@\"", "sh"]), "image")


def no_descriptor(command):
    before = ["sh", "-c", "ulimit -n 3; exec \"$@\"", "sh"]
    got = runs(command, before=before, env=AUTO)
    # Not even ld.so can open a library then, for the plain interpreter.
    that(got in ("image", "plain", runs([lib.PYTHON], before=before)) or got[0] == 70, got)


each_way("ulimit -v is too small", little_address_space, image="pandas", ways=["pyimage"])
each_way("ulimit -v is large enough", enough_address_space)
each_way("ulimit -s unlimited", unlimited_stack)
each_way("an address is taken", clash, ways=["pyimage"])
each_way("ulimit -n 5", few_descriptors)
each_way("ulimit -n 3", no_descriptor)


# ------------------------------------------------------------ working folder
LINES = "linecache.py"	# from 3.13 on, -c imports it


def imported_by_commands(command):
    place = lib.folder("lines")
    lib.write(place + "/" + LINES, "def _register_code(*what): pass\n")
    if sys.version_info < (3, 13):
        equal(runs(command, cwd=place), "image")
        return
    equal(runs(command, env=AUTO, cwd=place), "plain")
    refused(runs(command, env=ON, cwd=place), "working folder", LINES)
    equal(runs(command, "-P", cwd=place, env=ON), "image", "the folder is not looked into")
    lib.write(place + "/script.py", WHO)
    got = lib.run([*command, "script.py"], cwd=place)
    equal(got, (0, b"image []\n", b""), "a script")


def with_lines():
    path = os.path.join(lib.folder("fallback"), "lines")
    equal(lib.build(path, ["linecache"], ["marker.py"]).status, 0)
    for way in lib.WAYS.values():
        imported_by_commands(way(path))


run("a module of python3's own is in the working folder", with_lines)


# ------------------------------------------------------------ stale images
class Stale:
    """An image of a user's own module, library and site folder."""

    def __init__(self, *options):
        self.top = lib.folder("stale")
        self.site = self.top + "/home" + lib.USER_SITE
        os.makedirs(self.site)
        self.module = lib.write(self.top + "/own_module.py", "value = 1\n")
        self.in_site = lib.write(self.site + "/site_module.py", "value = 1\n")
        self.library = self.top + "/lib.so"
        shutil.copy(lib.LIB + "/probe.so", self.library)
        warmup = lib.write(self.top + "/warmup.py", (
            "import sys, types, ctypes\n"
            "sys.modules['frozen_marker'] = types.ModuleType('frozen_marker')\n"
            "sys.path.append(%r)\nimport own_module, site_module\n"
            "ctypes.CDLL(%r)\nsys.path.remove(%r)\n") % (self.top, self.library, self.top))
        self.warmup = warmup
        os.utime(self.module, (1e9, 1e9))
        self.path = self.top + "/image"
        self.env = {"HOME": self.top + "/home"}
        # Bytecode of the modules is there before: it lies in guarded folders.
        for _ in range(2):
            built = lib.run([lib.PYDUMP, "build", "-o", self.path, "-w", warmup, *options],
                            env={**self.env, "PYIMAGE": None})
            equal(built.status, 0, built.err.decode())

    def state(self, way, **env):
        return runs(lib.WAYS[way](self.path), env={**self.env, **env})


def edited_module(way):
    s = Stale()
    equal(s.state(way), "image", "at first")
    lib.write(s.module, "value = 22\n")
    refused(s.state(way), "own_module.py")
    equal(s.state(way, **AUTO), "plain")
    lib.write(s.module, "value = 1\n")
    os.utime(s.module, (1e9, 1e9))
    equal(s.state(way), "image", "as it was")
    os.unlink(s.module)
    refused(s.state(way), "own_module.py")


def touched_library(way):
    s = Stale()
    os.utime(s.library)
    refused(s.state(way), "lib.so")
    equal(s.state(way, **AUTO), "plain")


def replaced_library(way):
    s = Stale()
    new = s.library + ".new"
    shutil.copy(lib.LIB + "/deny", new)
    os.rename(new, s.library)
    refused(s.state(way), "lib.so")


def new_file_in_site_folder(way):
    s = Stale()
    equal(s.state(way), "image", "at first")
    lib.write(s.site + "/new.py", "")
    refused(s.state(way), "site-packages")
    equal(s.state(way, **AUTO), "plain")


def another_user_s_site_folder(way):
    s = Stale()
    equal(s.state(way), "image", "at first")
    got = s.state(way, HOME=lib.TMP + "/home", **AUTO)
    equal(got, "plain", "another home")


def edited_in_site_folder(way):
    """--freshness stat looks at every file, also those in site folders."""
    s = Stale("--freshness", "stat")
    equal(s.state(way), "image", "at first")
    lib.write(s.in_site, "value = 22\n")
    refused(s.state(way), "site_module.py")


def freshness_libs(way):
    s = Stale("--freshness", "libs")
    lib.write(s.module, "value = 22\n")
    equal(s.state(way), "image", "after an edit of a module")
    os.utime(s.library)
    refused(s.state(way), "lib.so")


def freshness_none(way):
    s = Stale("--freshness", "none")
    lib.write(s.module, "value = 22\n")
    os.utime(s.library)
    equal(s.state(way), "image")


for case in (edited_module, touched_library, replaced_library, new_file_in_site_folder,
             another_user_s_site_folder, edited_in_site_folder, freshness_libs,
             freshness_none):
    for way in lib.WAYS:
        run("stale: %s (%s)" % (case.__name__.replace("_", " "), way), case, way)


# ------------------------------------------------------------ another machine
def another_cpu(way):
    image = Image(lib.image("marked"))
    place, count = image.table("cpu")
    equal(count, 1)
    # Not this boot, and a first leaf that asks for everything there is.
    image.data[place + 24:place + 60] = b"0" * 36
    for offset in 8, 12, 16, 20:
        image.put(place + 64 + offset, "I", 0xffffffff)
    path = image.write(lib.folder("cpu") + "/image")
    falls_back(lib.WAYS[way](path), "CPU")


def another_xcr0(way):
    image = Image(lib.image("marked"))
    place, _ = image.table("cpu")
    image.put(place, "Q", image.get(place, "Q") ^ 0x7)
    path = image.write(lib.folder("cpu") + "/image")
    falls_back(lib.WAYS[way](path))


def another_boot(way):
    image = Image(lib.image("marked"))
    place, _ = image.table("cpu")
    image.data[place + 24:place + 60] = b"0" * 36
    path = image.write(lib.folder("cpu") + "/image")
    equal(runs(lib.WAYS[way](path)), "image")


def another_vdso(way):
    """The kernel's vDSO need not be the one that was there while building:
    its functions are looked up by name. The image's own copy is only code."""
    import re
    text = lib.run(["readelf", "-SW", lib.image("marked")]).out.decode()
    at = re.search(r"\] vdso\s+PROGBITS\s+\w+ (\w+) (\w+)", text)
    that(at, "no section vdso")
    start, size = int(at[1], 16), int(at[2], 16)
    data = Image(lib.image("marked")).data
    with open("/proc/self/maps") as maps:
        line = next(line for line in maps if "[vdso]" in line)
    low, high = (int(n, 16) for n in line.split()[0].split("-"))
    with open("/proc/self/mem", "rb") as memory:
        memory.seek(low)
        code = memory.read(high - low)
    that(bytes(data[start:start + size]).find(code) < 0,
         "the image holds an unchanged vDSO")


for case in another_cpu, another_xcr0, another_boot, another_vdso:
    for way in lib.WAYS:
        run("%s (%s)" % (case.__name__.replace("_", " "), way), case, way)


# ------------------------------------------------------------ file and folder
def other_format(way):
    path = Image(lib.image("marked")).set_format(99).write(lib.folder("format") + "/image")
    falls_back(lib.WAYS[way](path), "format")


def cut_at_the_end(way):
    image = Image(lib.image("marked"))
    path = image.write(lib.folder("cut") + "/image", len(image.data) - 100)
    falls_back(lib.WAYS[way](path), "truncated")


def partial(way):
    image = Image(lib.image("marked"))
    image.data[0x58:0x60] = b"!yimage\n"
    path = image.write(lib.folder("partial") + "/image")
    refused(runs(lib.WAYS[way](path), env=ON), "whole")
    got = runs(lib.WAYS[way](path), env=AUTO)
    that(got == "plain" or got[0] == 70, got)


def damaged_prefix(way):
    for at in 0x58, 0x60, 0x68, 0x6c, 0x70, 0x78, 0x80, 0x82:
        image = Image(lib.image("marked"))
        image.data[at] ^= 0x40
        path = image.write(lib.folder("prefix") + "/image")
        for env in AUTO, ON, OFF:
            refused(runs(lib.WAYS[way](path), env=env))


def interpreter_is_gone(way):
    image = Image(lib.image("marked"))
    path = image.set_python(b"/no/" + b"x" * (len(image.python()) - 4)).set_format(99)
    path = path.write(lib.folder("gone") + "/image")
    got = runs(lib.WAYS[way](path), env=AUTO)
    refused(got, "/no/x")


def strip(way):
    path = copy("image")
    for option in "--strip-all", "--strip-debug", "--strip-unneeded":
        equal(lib.run(["strip", option, "-o", path + option, path]).status, 0)
        command = lib.WAYS[way](path + option)
        got = runs(command, env=AUTO)
        that(got in ("image", "plain") or got[0] == 70, "under auto: %s" % (got,))
        got = runs(command, env=ON)
        if got != "image":
            refused(got)


for case in other_format, cut_at_the_end, partial, damaged_prefix, interpreter_is_gone, strip:
    for way in lib.WAYS:
        run("%s (%s)" % (case.__name__.replace("_", " "), way), case, way)


def writable_by_others(way):
    for mode in 0o775, 0o757, 0o777:
        path = copy("image")
        os.chmod(path, mode)
        for env in AUTO, ON:
            refused(runs(lib.WAYS[way](path), env=env), "write")


def of_another_user(way):
    if os.getuid():
        raise Skip("optional: only root can give files away")
    path = copy("image")
    os.chown(path, lib.NOBODY, lib.NOBODY)
    for env in AUTO, ON:
        refused(runs(lib.WAYS[way](path), env=env), "user")
    equal(runs(lib.as_nobody(lib.WAYS[way](path))), "image", "its owner")


for case in writable_by_others, of_another_user:
    for way in lib.WAYS:
        run("%s (%s)" % (case.__name__.replace("_", " "), way), case, way)


def set_user_id(way):
    if os.getuid():
        raise Skip("optional: needs root and nobody")
    path = copy("image")
    pyimage = os.path.join(os.path.dirname(path), "pyimage")
    shutil.copy(lib.PYIMAGE, pyimage)
    os.chmod(pyimage if way == "pyimage" else path, 0o4755)
    if os.statvfs(path).f_flag & os.ST_NOSUID:
        raise Skip("optional: the file system is mounted nosuid")
    command = [pyimage, path] if way == "pyimage" else [path]
    for env in AUTO, ON, OFF:
        refused(runs(lib.as_nobody(command), env=env))


for way in lib.WAYS:
    run("set-user-ID (%s)" % way, set_user_id, way)


def noexec():
    if os.getuid():
        raise Skip("optional: only root can mount")
    place = lib.folder("noexec")
    mounted = ["unshare", "-m", "sh", "-c",
               "mount -t tmpfs -o noexec,mode=755 tmpfs %s && cp %s %s/image && \"$@\""
               % (place, lib.image("marked"), place), "sh"]
    if lib.run(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", place]).status:
        raise Skip("optional: mount is refused here")
    falls_back([lib.PYIMAGE, place + "/image"], before=mounted)
    got = lib.run([*mounted, place + "/image", "-c", "pass"])
    equal(got.status, 126, "run by the kernel")


run("noexec", noexec)


def not_an_image():
    place = lib.folder("other")
    files = {
        "empty": b"", "text": b"hello\n", "script": b"#!/bin/sh\necho no\n",
        "zeros": bytes(100000), "half a header": b"\x7fELF\2\1\1",
        "another program": lib.read("/bin/true"),
        "a library": lib.read(lib.LIB + "/probe.so")}
    for name, data in files.items():
        path = lib.write(os.path.join(place, name), data, 0o755)
        for env in AUTO, ON:
            refused(runs([lib.PYIMAGE, path], env=env), path)
    os.mkfifo(place + "/fifo")
    for path in place, place + "/fifo", "/dev/null", place + "/missing", place + "/text/x":
        got = runs([lib.PYIMAGE, path], env=AUTO, limit=20)
        refused(got, path, status=got[0])
        that(got[0] in (70, 74), got)


run("not an image", not_an_image)


def unreadable():
    if os.getuid():
        raise Skip("optional: needs root and nobody")
    path = copy("image")
    os.chmod(path, 0o711)
    got = runs(lib.as_nobody([lib.PYIMAGE, path]))
    refused(got, path, status=got[0])
    that(got[0] in (70, 74), got)


run("an image that can't be read", unreadable)

# ------------------------------------------------------------ other kernels
PROGRAM = ("import threading, time, subprocess, sys; time.time()\n"
           "t = threading.Thread(target=print, args=(1,)); t.start(); t.join()\n"
           "x = [bytes(9999) for n in range(9999)]\n"
           "print(subprocess.run(['true']).returncode, len(x),"
           " 'frozen_marker' in sys.modules)")
for calls in ("personality", "ptrace", "personality,ptrace", "set_mm", "process_madvise",
              "pidfd_open,process_madvise", "rseq", "get_robust_list", "memfd_create",
              "clone3", "mremap", "personality,ptrace,set_mm,process_madvise,rseq,clone3"):
    def without_calls(command):
        for user, before in lib.users().items():
            got = lib.run(before([lib.LIB + "/deny", calls, *command, "-c", PROGRAM]))
            equal(got, (0, b"1\n0 9999 True\n", b""), user)
    each_way("without " + calls, without_calls)


def statx_is_refused(command):
    got = runs(command, before=[lib.LIB + "/deny", "statx"], env=AUTO)
    that(got in ("image", "plain") or got[0] in (70, 74), got)


each_way("without statx", statx_is_refused)


def build_without_calls():
    path = os.path.join(lib.folder("deny"), "image")
    built = lib.run([lib.LIB + "/deny", "personality,ptrace", lib.PYDUMP, "build", "-o", path,
                     "-w", lib.PY + "/marker.py"])
    equal(built.status, 0, built.err)
    equal(runs([path]), "image")


run("a build without personality and ptrace", build_without_calls)


def every_mapping_is_w_xor_x():
    for name in "marked", "pandas":
        text = lib.run(["readelf", "-lW", lib.image(name)]).out.decode()
        loads = [line for line in text.splitlines() if line.split()[:1] == ["LOAD"]]
        that(len(loads) > 5, "no segments")
        for line in loads:
            that(" RWE " not in line, line)


run("every mapping is W^X", every_mapping_is_w_xor_x)


def notes_are_named():
    text = lib.run(["readelf", "-nW", lib.image("marked")]).out.decode()
    that(text.count("pyimage") >= 10, text)
    got = lib.run(["readelf", "-lnSW", lib.image("marked")])
    equal((got.status, got.err), (0, b""), "readelf's warnings")


run("readelf shows named notes", notes_are_named)
done()
