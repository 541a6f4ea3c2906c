"""DNF on a repository that is made here; nothing of the system's is looked at."""
from workloads import command, write

PACKAGES = "dnf createrepo-c rpm"
EXTENSION = "libdnf", "_error"
ENV = {}

SPEC = """Name: small
Version: 1.0
Release: 1
Summary: A small package
License: MIT
BuildArch: noarch
Provides: something = 3
Requires: other
%description
Small.
%files
"""
CONFIGURATION = """[main]
cachedir=HOME/cache
persistdir=HOME/persist
logdir=HOME/log
reposdir=HOME/repos.d
varsdir=HOME/vars
pluginpath=HOME/plugins
pluginconfpath=HOME/plugins
installroot=HOME/root
[local]
name=Local
baseurl=file://HOME/repo
gpgcheck=0
metadata_expire=never
"""


def arrange(home):
    write(home, "small.spec", SPEC)
    write(home, "dnf.conf", CONFIGURATION.replace("HOME", home))
    command(home, "rpmbuild", "-bb", "--quiet", "--define", "_topdir %s/top" % home,
            "--define", "_rpmdir %s/repo" % home, "small.spec")
    command(home, "createrepo_c", "-q", "repo")
    # Fetches the metadata: later runs need not, and name no time of it with -C.
    command(home, "dnf", *[word for word in OURS if word != "-C"], "makecache")


OURS = ["-c", "dnf.conf", "-q", "-C", "--releasever=37",
        "--setopt=module_platform_id=platform:f37"]


def build(home):
    return ["--for", "--", "/usr/bin/dnf", *OURS, "repoquery"]


def run(*words, **more):
    words = [*OURS, *words]
    return dict(plain=["/usr/bin/dnf", *words], image=words, **more)


def runs(home):
    return {
        "version": run("--version", bench=True),
        "repoquery": run("repoquery", bench=True),
        "provides": run("repoquery", "--provides", "small"),
        "requires": run("repoquery", "--requires", "small"),
        "info": run("info", "small"),
        "list": run("list", "--available"),
        "refused": run("install", "-y", "small"),
        "no such command": run("nonsense"),
    }
