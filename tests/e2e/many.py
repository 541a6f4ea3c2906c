#!/usr/bin/python3
"""Many processes from one image at once, and processes in odd surroundings."""
import os
import shutil
import subprocess

import lib
from tap import Skip, done, equal, run, that


def a_hundred_at_once(way):
    """All of them wait on one pipe, so that all are there together; each writes
    to memory that it shares with none."""
    command = lib.WAYS[way](lib.image("pandas"))
    code = ("import frozen_pandas as f, sys, os; n = int(sys.argv[1])\n"
            "f.frame.loc[0, 'n'] = n; f.frame['new'] = n; cache = list(range(n, n + 20000))\n"
            "os.write(1, b'.'); sys.stdin.read()\n"
            "print(f.frame['n'].sum() - 9 == n, f.frame['new'].sum() == 4 * n,"
            " cache[-1] == n + 19999)")
    gate, gate_end = os.pipe()
    children = [subprocess.Popen([*command, "-c", code, str(n)], env=lib.ENV, stdin=gate,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                for n in range(100)]
    os.close(gate)
    ready = [child.stdout.read(1) for child in children]
    os.close(gate_end)
    results = [(*child.communicate(), child.returncode) for child in children]
    equal(ready, [b"."] * 100)
    equal(set(results), {(b"True True True\n", b"", 0)})


def users_at_once(way):
    """Root's and nobody's processes share an image."""
    command = lib.WAYS[way](lib.image("bare"))
    code = "import os, sys; sys.stdin.read(); print(os.getuid())"
    children = {user: subprocess.Popen(before([*command, "-c", code]), env=lib.ENV,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                for user, before in lib.users().items()}
    got = {user: child.communicate()[0] for user, child in children.items()}
    want = {"root": b"0\n", "nobody": b"65534\n", "user": b"%d\n" % os.getuid()}
    equal(got, {user: want[user] for user in children})


def one_after_the_other(way):
    """What one run writes, the next does not see."""
    command = lib.WAYS[way](lib.image("stdlib"))
    code = ("import frozen_stdlib as f, sys; print(hasattr(f, 'mark'), len(sys.modules));"
            " f.mark = 1")
    first = lib.run([*command, "-c", code])
    for _ in range(5):
        equal(lib.run([*command, "-c", code]), first)
    that(first.out.startswith(b"False"), first)


def images_start_images(way):
    command = lib.WAYS[way](lib.image("bare"))
    # Each runs the rest of its own command line.
    code = ("import os, subprocess, sys\nn = int(os.environ['DEPTH'])\n"
            "if n == 0: print('end')\n"
            "else:\n os.environ['DEPTH'] = str(n - 1); os.environ.pop('LC_CTYPE', None)\n"
            " print(n, subprocess.check_output(sys.argv[1:], text=True).strip())")
    inner = [*command, "-c", code]
    full = inner + inner + inner + [*command, "-c", "print('end')"]
    got = lib.run(full, env={"DEPTH": "3"})
    equal(got, (0, b"3 2 1 end\n", b""))


def exec_of_another_image(way):
    command = lib.WAYS[way](lib.image("bare"))
    code = "import os, sys; os.environ.pop('LC_CTYPE', None); os.execv(sys.argv[1], sys.argv[1:])"
    got = lib.run([*command, "-c", code, *command, "-c", "import sys; print(sys.argv)", "x"])
    equal(got, (0, b"['-c', 'x']\n", b""))


def place(how):
    """A folder in a strange state, as the current one."""
    path = lib.folder("odd")
    if how == "deleted":
        return path, "rmdir \"$PWD\""
    if how == "unreadable":
        os.chmod(path, 0)
        return path, ""
    if how == "long":
        path += ("/" + "x" * 200) * 8
        os.makedirs(path)
        return path, ""
    return how, ""


ODD = ("import os, sys\ntry: print(os.getcwd())\nexcept OSError as e: print(e.strerror)\n"
       "print(sys.path, sys.argv)")


def odd_folders(way):
    command = lib.WAYS[way](lib.image("bare"))
    for how in "deleted", "unreadable", "long", "/", "/proc", "/dev":
        for user, before in lib.users().items():
            results = []
            for program in [lib.PYTHON], command:
                path, script = place(how)
                got = lib.shell(script, *before([*program, "-c", ODD]), cwd=path)
                results.append((got.status, got.out.replace(path.encode(), b"*"), got.err))
            equal(results[1], results[0], "%s as %s" % (how, user))


def closed_descriptors(way):
    command = lib.WAYS[way](lib.image("stdlib"))
    code = ("import os, sys\nfrom frozen_repairs import file\nprint(file.readline().strip())\n"
            "f = open('/dev/null'); print(f.fileno() > 2)")
    for script in "exec <&-", "exec 9</dev/null", "ulimit -n 30":
        got = lib.shell(script, *command, "-c", code)
        that(got.out.startswith(b"line 2\n"), "%s: %s" % (script, got))
        equal((got.status, got.err), (0, b""), script)


def a_frozen_file_s_descriptor_is_in_use(way):
    command = lib.WAYS[way](lib.image("stdlib"))
    number = lib.run([*command, "-c", "from frozen_repairs import file; print(file.fileno())"])
    taken = int(number.out)
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, taken)
    got = lib.run([*command, "-c", "pass"], pass_fds=[taken])
    equal((got.status, got.out), (70, b""))
    that(b"lines.txt" in got.err and b"descriptor" in got.err, got.err)
    got = lib.run([*command, "-c", "import sys; print('frozen_repairs' in sys.modules)"],
                  env={"PYIMAGE": "auto"}, pass_fds=[taken])
    equal(got, (0, b"False\n", b""))
    os.close(taken)
    os.close(null)


def little_of_everything(way):
    command = lib.WAYS[way](lib.image("bare"))
    for limit in "-s 1024", "-s 256", "-d 200000", "-c 0", "-l 0", "-f 0":
        got = lib.shell("ulimit %s" % limit, *command, "-c", "print(sum(range(1000)))")
        equal(got, (0, b"499500\n", b""), "ulimit " + limit)


def names_of_the_image(way):
    """By a link, by a relative name, by another name, from a folder of one's own."""
    folder = lib.folder("names")
    shutil.copy(lib.image("bare"), folder + "/with space")
    os.chmod(folder + "/with space", 0o755)
    os.symlink("with space", folder + "/link")
    os.link(folder + "/with space", folder + "/höre")
    for name in "./with space", "./link", "./höre", folder + "/link":
        got = lib.run([*lib.WAYS[way](name), "-c", "print(1)"], cwd=folder)
        equal(got, (0, b"1\n", b""), name)


def as_a_script_s_first_line():
    folder = lib.folder("line")
    image = lib.write(folder + "/image", lib.read(lib.image("bare")), 0o755)
    script = "#!%s %s\nimport sys\nprint(sys.argv)\n"
    path = lib.write(folder + "/script", script % (lib.PYIMAGE, image), 0o755)
    got = lib.run([path, "a", "-c"])
    equal(got, (0, b"['%s', 'a', '-c']\n" % path.encode(), b""))
    path = lib.write(folder + "/other", "#!%s\nimport sys\nprint(sys.argv)\n" % image, 0o755)
    got = lib.run([path, "a", "-c"])
    equal(got, (0, b"['%s', 'a', '-c']\n" % path.encode(), b""))


def in_the_background(way):
    """Without a terminal, without a parent, in a session of its own."""
    out = lib.folder("background") + "/out"
    command = lib.WAYS[way](lib.image("bare"))
    os.mkfifo(out)
    subprocess.run(["sh", "-c", "setsid \"$@\" >%s 2>&1 </dev/null &" % out, "sh", *command,
                    "-c", "import os; print(os.getsid(0) == os.getpid())"], env=lib.ENV)
    equal(lib.read(out), b"True\n")


def no_proc(way):
    """In a chroot without /proc."""
    if os.getuid():
        raise Skip("optional: only root can chroot")
    if lib.run(["unshare", "-m", "true"]).status:
        raise Skip("optional: mount is refused here")
    folder = lib.folder("chroot")
    for name in "lib", "lib64", "usr", "tmp", "etc", "var", "bin":
        os.makedirs(folder + "/" + name)
    mounts = "".join("mount --rbind /%s %s/%s && " % (n, folder, n)
                     for n in ("lib", "lib64", "usr", "tmp", "etc", "var", "bin"))
    got = lib.run(["unshare", "-m", "sh", "-c", mounts + "exec /usr/sbin/chroot %s \"$@\"" % folder, "sh",
                   *lib.WAYS[way](lib.image("bare")), "-c", "print(1)"],
                  env={"PYIMAGE": "auto"})
    equal(got, (0, b"1\n", b""))


for way in lib.WAYS:
    for case in (a_hundred_at_once, users_at_once, one_after_the_other, images_start_images,
                 exec_of_another_image, odd_folders, closed_descriptors,
                 a_frozen_file_s_descriptor_is_in_use, little_of_everything,
                 names_of_the_image, in_the_background, no_proc):
        run("%s (%s)" % (case.__name__.replace("_", " "), way), case, way)
run("as a script's first line", as_a_script_s_first_line)
done()
