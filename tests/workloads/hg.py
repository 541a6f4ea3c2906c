"""Mercurial: small commands, whose start is nearly all of their time."""
from workloads import command, write

PACKAGES = "mercurial"
ENV = {}

HGRC = """[ui]
username = A Person <person@example.org>
[extensions]
rebase =
strip =
histedit =
purge =
"""


def arrange(home):
    write(home, "repo/README", "one\n")
    hg(home, "init")
    hg(home, "add", "README")
    hg(home, "commit", "-m", "first", "-d", "0 0", "-u", "someone")
    for number in range(1, 6):
        write(home, "repo/file%d" % number, "text %d\n" % number)
        hg(home, "commit", "-A", "-m", "add file %d" % number, "-u", "someone",
           "-d", "%d 0" % (1000000000 + number))
    hg(home, "tag", "v1", "-d", "1100000000 0", "-u", "someone")
    write(home, "repo/README", "one\ntwo\n")
    write(home, "extended.rc", HGRC)


def hg(home, *words):
    command(home, "hg", "--cwd", "repo", "-q", *words, HGPLAIN="1")


def build(home):
    return ["--for", "--", "/usr/bin/hg", "--cwd", "repo", "log", "-v"]


def run(*words, **more):
    return dict(plain=["/usr/bin/hg", *words], image=list(words), **more)


def runs(home):
    return {
        "version": run("version", "-q", bench=True, target=40,
                       build=["--for", "--", "/usr/bin/hg", "version", "-q"]),
        "log": run("--cwd", "repo", "log", bench=True),
        "log of a template": run("--cwd", "repo", "log", "-T", "{rev} {tags} {desc|upper}\n"),
        "status": run("--cwd", "repo", "status", "-A"),
        # Without dates: that of the working folder is the present time.
        "diff": run("--cwd", "repo", "diff", "--nodates"),
        "with extensions": run("--cwd", "repo", "log", "-G",
                               env={"HGRCPATH": home + "/extended.rc"}),
        "an extension's help": run("help", "rebase", env={"HGRCPATH": home + "/extended.rc"}),
        "a commit": run("--cwd", "repo", "commit", "-m", "more", "-d", "1200000000 0",
                        "-u", "someone", files=["repo/README", "repo/.hg/store"]),
        "no such command": run("no-such-command"),
        "no repository": run("log"),
    }
