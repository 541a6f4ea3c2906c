#!/usr/bin/python3
"""scripts/chroot where there can be no chroot: each reason has its words and its
status, and nothing half-made stays; what .ci/run makes of it. What it does where it
can, `make check-suites` shows."""
import http.server
import os
import shutil
import signal
import threading

import lib
from tap import Skip, done, equal, run, that

CHROOT = os.path.join(lib.ROOT, "scripts/chroot")
CANNOT, USAGE = 77, 2
RELEASES = {}	# path to text


class Mirror(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = RELEASES.get(self.path)
        self.send_response(404 if text is None else 200)
        self.end_headers()
        self.wfile.write((text or "").encode())

    def log_message(self, *_):
        pass


def mirror():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "http://127.0.0.1:%d/debian" % server.server_port


URL = mirror()


def chroot(*words, cache=None, before=(), debootstrap=None, env=(), **options):
    """Status, words, what stands in the cache; debootstrap is a shell script in the
    place of the program, whose fourth argument is the folder to fill."""
    cache = cache or lib.folder("cache")
    command = [*before, "sh", CHROOT, *words]
    if debootstrap is not None:
        fake = lib.write(lib.folder("fake") + "/debootstrap", "#!/bin/sh\n" + debootstrap, 0o755)
        command = ["unshare", "-m", "sh", "-c",
                   'mount --bind "$0" "$(command -v debootstrap)" && exec "$@"', fake, *command]
    env = {"CHROOT_CACHE": cache, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **dict(env)}
    got = lib.run(command, env=env, **options)
    left = sorted(n for n in os.listdir(cache) if not n.endswith((".lock", ".log")))
    return got.status, got.err.decode(), left


def refused(status, words, *command, **options):
    got, said, left = chroot(*command, **options)
    that(words in said, "%r is in %r" % (words, said))
    equal((got, left), (status, []))


def need_root():
    if os.getuid():
        raise Skip("optional: needs root")
    for command in (["true"], ["mount", "-t", "tmpfs", "tmpfs", lib.WORK]):
        if lib.run(["unshare", "-m", *command]).status:
            raise Skip("optional: mounts are not allowed here")


def command_lines():
    for words, said in (([], "which suite?"), (["--mirrors", "x"], "no option --mirrors"),
                        (["--mirror"], "lacks its value"), (["../x"], "no name of a suite"),
                        (["--python"], "lacks its value")):
        refused(USAGE, said, *words)


def not_root():
    before = lib.as_nobody([]) if os.getuid() == 0 else []
    refused(CANNOT, "need root", "trixie", before=before)


def no_debootstrap():
    need_root()
    script = 'mount --bind /dev/null "$(command -v debootstrap)" && exec "$@"'
    refused(CANNOT, "there is no debootstrap", "trixie",
            before=["unshare", "-m", "sh", "-c", script, "sh"])


def no_mounts():
    need_root()
    refused(CANNOT, "no permission to make a mount namespace", "trixie",
            before=["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"])


def unknown_suite():
    need_root()
    refused(USAGE, "debootstrap knows no suite nosuch", "nosuch")


def no_mirror():
    need_root()
    refused(CANNOT, "can't read the mirror file:///srv", "--mirror", "file:///srv", "trixie")
    # Nobody listens at port 1.
    refused(CANNOT, "can't read http://127.0.0.1:1/debian/dists/trixie/InRelease",
            "--mirror", "http://127.0.0.1:1/debian", "trixie")
    refused(CANNOT, "the mirror %s has no suite bookworm" % URL, *FROM, "bookworm")


def past_its_date():
    need_root()
    RELEASES["/debian/dists/sid/InRelease"] = "Valid-Until: Fri, 06 Nov 2015 08:08:01 UTC\n"
    refused(CANNOT, "sid of %s is past its date (Fri, 06 Nov 2015" % URL, *FROM, "sid")
    refused(CANNOT, "debootstrap of sid", *FROM, "--allow-expired", "sid",
            debootstrap="exit 1")
    got = chroot(*FROM, "sid", env={"CHROOT_ALLOW_EXPIRED": "1"}, debootstrap="exit 1")
    that("debootstrap of sid" in got[1], got)


def debootstrap_fails():
    need_root()
    refused(CANNOT, "E: no such thing\nscripts/chroot: debootstrap of trixie from %s failed" % URL,
            *FROM, "trixie", debootstrap='mkdir -p "$4/etc"; echo "E: no such thing" >&2; exit 1')


def what_it_made_is_no_system():
    """There is no shell in it; the mirror has no updates of it."""
    need_root()
    script = 'cd "$4" && mkdir -p proc sys dev tmp etc/apt/apt.conf.d etc/dpkg/dpkg.cfg.d usr/sbin'
    refused(CANNOT, "doing without trixie-updates", *FROM, "trixie", debootstrap=script)


def thrown_away():
    """An older one is no whole one any more from the moment on that it goes."""
    need_root()
    cache = lib.folder("cache")
    os.mkdir(cache + "/trixie")
    lib.write(cache + "/trixie/file", "")
    # What is in the folder can't be removed, as if that had been broken off.
    before = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" "$0" && exec "$@"',
              cache + "/trixie/file"]
    got, said, left = chroot(*FROM, "--new", "trixie", cache=cache, before=before)
    that("cannot remove" in said, said)
    that(got not in (0, CANNOT) and left == ["trixie.new"], (got, left))
    got, said, left = chroot(*FROM, "--new", "trixie", cache=cache, debootstrap="exit 1")
    equal((got, left), (CANNOT, []))


def broken_off():
    """By a signal, or without a chance to clear up: the next run does it."""
    need_root()
    cache = lib.folder("cache")
    for number, left in (signal.SIGTERM, []), (signal.SIGKILL, ["trixie.new"]):
        script = 'mkdir "$4/etc"; kill -%d %s; sleep 1' % (number, "$(cat %s/pid)" % cache)
        lib.write(cache + "/pid", "")
        before = ["sh", "-c", 'echo $$ >%s/pid; exec "$@"' % cache, "sh"]
        got = chroot(*FROM, "trixie", cache=cache, before=before, debootstrap=script)
        os.unlink(cache + "/pid")
        equal(sorted(set(got[2]) - {"pid"}), left)
    got, said, left = chroot(*FROM, "trixie", cache=cache, debootstrap="exit 1")
    equal((got, left), (CANNOT, []))


def ci(here, there):
    """.ci/run, with programs in the places of scripts/check and scripts/chroot that
    say so many passed, failed and skipped, or no count, or (None) nothing at all, and
    end with that status."""
    top = lib.folder("ci")
    os.mkdir(top + "/scripts")
    shutil.copytree(lib.ROOT + "/.ci", top + "/.ci")
    for name, (count, status) in ("check", here), ("chroot", there):
        words = ["#!/bin/sh", "exit %d" % status]
        if count:
            words.insert(1, 'echo "%s passed, %s failed, %s skipped"' % count)
        if count is not None:
            words.insert(1, '[ "$MUST_RUN" = 1 ] && echo why not >&2')
        lib.write(top + "/scripts/" + name, "\n".join(words) + "\n", 0o755)
    got = lib.run([top + "/.ci/run"], env={"MUST_RUN": None})
    lines = got.out.decode().splitlines()
    return got.status, lines[-1], "NOTHING WAS CHECKED" in got.out.decode(), lines[-3]


def what_ci_says():
    good, bad, broken = ((5, 0, 1), 0), ((5, 2, 1), 2), (("x", 1, 0), 1)
    equal(ci(good, good)[:3], (0, "10 passed, 0 failed, 2 skipped", False))
    equal(ci(good, bad)[:3], (2, "10 passed, 2 failed, 2 skipped", False))
    equal(ci(bad, good)[:3], (2, "10 passed, 2 failed, 2 skipped", False))
    equal(ci(good, broken)[:3], (1, "5 passed, 1 failed, 1 skipped", False))
    nothing, silent = ((), CANNOT), (None, 0)
    equal(ci(good, nothing), (0, "5 passed, 0 failed, 1 skipped", True, "why not"))
    equal(ci(bad, nothing), (2, "5 passed, 2 failed, 1 skipped", True, "why not"))
    equal(ci(good, silent)[:3], (1, "5 passed, 1 failed, 1 skipped", False))
    equal(ci(silent, good)[:3], (1, "5 passed, 1 failed, 1 skipped", False))
    equal(ci(silent, nothing)[:3], (1, "0 passed, 1 failed, 0 skipped", True))
    equal(ci(broken, nothing)[:3], (1, "0 passed, 1 failed, 0 skipped", True))


RELEASES["/debian/dists/trixie/InRelease"] = "Suite: stable\n"
FROM = "--mirror", URL

for test in (command_lines, not_root, no_debootstrap, no_mounts, unknown_suite, no_mirror,
             past_its_date, debootstrap_fails, what_it_made_is_no_system, thrown_away,
             broken_off, what_ci_says):
    run(test.__name__.replace("_", " "), test)
done()
