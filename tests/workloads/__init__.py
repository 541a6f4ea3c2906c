"""Installed programs that run from an image as they run under python3.

Each module here is one workload. tests/e2e/applications.py runs it and compares,
scripts/bench-workloads measures it. A module has

  PACKAGES       Debian packages, separated by spaces; scripts/setup lists them
  EXTENSION      optional: a package and a module of C's in it, where Debian builds it
                 for one version of python3 alone
  ENV            variables of builds and runs besides PATH, HOME, LANG and PYIMAGE
  arrange(home)  fills an empty folder, which is HOME and the working folder
  build(home)    arguments of pydump build, less -o
  runs(home)     name: what to run, see RUN
  session(home)  optional: a context manager around all runs (a display, a server);
                 what it yields are more variables, for runs only
  needs(home)    optional: what `pydump info` names as needs of a start; else none

Nothing here may depend on the clock, the network or the user's own files."""
import contextlib
import importlib
import importlib.machinery
import importlib.util
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"

# What a run is made of.
RUN = {
    "plain": None,	# the command under python3
    "image": None,	# the arguments of the image that do the same
    "before": (),	# words before both commands
    "env": {},		# more variables, for this run only
    "mode": "on",	# PYIMAGE; "auto" where the image has to give way
    "bench": False,	# a row of scripts/bench-workloads
    "build": None,	# options as build() gives them, of an image for this row alone
    "target": None,	# what plain / image has to reach there
    "files": (),	# files and folders below home that must be equal afterwards
    "mask": None,	# bytes -> bytes, over outputs and files: what differs
			# between two runs of python3
    "useful": None,	# (child, home) -> anything comparable, once the first useful
			# output is there; the program is ended by SIGTERM then
    "settled": None,	# (child, home): after that, waits until SIGTERM ends it in good
			# order; its time does not count
    "reset": None,	# home: before each run
    "users": None,	# those who run it; None is all
}


def preload(home, module):
    """A warm-up file, preload.py, that imports a module of the home's."""
    write(home, "preload.py", "import sys\nsys.path.insert(0, %r)\nimport %s\n"
          "del sys.path[0]\n" % (home, module))


def names():
    return sorted(name[:-3] for name in os.listdir(HERE)
                  if name.endswith(".py") and not name.startswith("_"))


class Workload:
    def __init__(self, name):
        module = importlib.import_module("workloads." + name)
        self.name, self.module = name, module
        self.arrange, self.build = module.arrange, module.build
        self.needs = getattr(module, "needs", lambda home: [])

    def missing(self):
        """Packages that are not installed."""
        return [p for p in self.module.PACKAGES.split() if not _installed(p)]

    def unbuilt(self):
        """Whether there is no such module for this version of python3."""
        package, name = getattr(self.module, "EXTENSION", (None, None))
        spec = package and importlib.util.find_spec(package)
        return bool(spec) and not importlib.machinery.PathFinder.find_spec(
            package + "." + name, spec.submodule_search_locations)

    def environment(self, home, mode="on"):
        return {"PATH": "/usr/bin:/bin", "HOME": home, "LANG": "C.UTF-8",
                "PYIMAGE": mode, **self.module.ENV}

    def runs(self, home):
        found = {}
        for name, run in self.module.runs(home).items():
            unknown = set(run) - set(RUN)
            assert not unknown, "%s, %s: unknown %s" % (self.name, name, unknown)
            found[name] = {**RUN, **run}
        return found

    def session(self, home):
        make = getattr(self.module, "session", None)
        return make(home) if make else contextlib.nullcontext({})

    def image(self, pydump, output, home, learn=False, options=None):
        """Build its image; return what pydump said where that failed. To learn
        from the command itself takes some more runs of it, and another build."""
        variables = {k: v for k, v in self.environment(home).items() if k != "PYIMAGE"}
        options = options or self.build(home)
        if learn and "--for" in options:
            options = ["--measure", "--pack", *options]
        # Options of ours stand first: nothing follows --for's command.
        done = subprocess.run(
            [pydump, "build", "-q", "-o", output, *options], cwd=home,
            env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace")
        return done.stdout if done.returncode else None


class Home:
    """A folder at one place that is made anew for each run: outputs name it. What
    fills it is made once, and copied with its times."""

    def __init__(self, place, workload):
        self.path = os.path.join(place, "home")
        self.template = os.path.join(place, "template")
        os.mkdir(self.path, 0o755)
        workload.arrange(self.path)
        os.rename(self.path, self.template)

    def renew(self, user=None):
        shutil.rmtree(self.path, ignore_errors=True)
        subprocess.run(["cp", "-a", self.template, self.path], check=True)
        if user is not None:
            subprocess.run(["chown", "-hR", "%d:%d" % (user, user), self.path], check=True)


def tree(path):
    """What lies at a path: {name: contents, or None for a folder}."""
    if not os.path.isdir(path):
        return {"": _contents(path)}
    found = {}
    for folder, folders, files in os.walk(path):
        here = os.path.relpath(folder, path)
        found.update({os.path.join(here, name): None for name in folders})
        found.update({os.path.join(here, name): _contents(os.path.join(folder, name))
                      for name in files})
    return found


def write(home, name, text, mode=None):
    """A file below home, and its folders."""
    path = os.path.join(home, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    if mode is not None:
        os.chmod(path, mode)
    return path


def command(home, *words, **variables):
    """Run what arrange() needs; it has to end well."""
    subprocess.run(words, cwd=home, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, env={
                       "PATH": "/usr/bin:/bin", "HOME": home, "LANG": "C.UTF-8",
                       **variables})


def _installed(package):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout == "installed"


def _contents(path):
    if os.path.islink(path):
        return os.readlink(path).encode()
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        return type(error).__name__.encode()
