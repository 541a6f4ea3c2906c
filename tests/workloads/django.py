"""Django's manage.py of a small project with an application, SQLite and the admin's
site. What is frozen are Django, the project's own modules, which are guarded as
files, and what the first `check` leaves: the registry of applications, parsers,
translations."""
import os
import shutil

from workloads import HERE, command, write

PACKAGES = "python3-django"
ENV = {}

# The variable is the one that manage.py sets, and so has to be unset at the start.
WARM = """
import contextlib, io, os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
from django.core.management import execute_from_command_line
with contextlib.redirect_stdout(io.StringIO()):
    for _ in range(3):
        execute_from_command_line(["manage.py", "check"])
"""
QUERY = """
from goods.models import Thing
for thing in Thing.objects.filter(price__gte=20).order_by("-price"):
    print(thing.pk, thing, thing.price)
"""


def arrange(home):
    shutil.copytree(HERE + "/shop", home, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("__pycache__"))
    command(home, "./manage.py", "migrate")
    os.rename(home + "/db.sqlite3", home + "/full.sqlite3")
    write(home, "warm.py", WARM)


def build(home):
    """Measured, so that the pages that `check` writes are learnt."""
    return ["-w", home + "/warm.py", "--measure", "--for", "--", home + "/manage.py", "check"]


def filled(home):
    shutil.copy(home + "/full.sqlite3", home + "/db.sqlite3")


def runs(home):
    def run(*words, **more):
        return dict(plain=[home + "/manage.py", *words], image=list(words), **more)

    return {
        "check": run("check", bench=True, target=30),
        "migrate": run("migrate"),
        "migrations that are there": run("showmigrations", reset=filled),
        "no new migrations": run("makemigrations", "--check", "--dry-run", reset=filled),
        "SQL of a migration": run("sqlmigrate", "auth", "0001"),
        "a command of the project": run("cheap", "--limit", "20", reset=filled, bench=True),
        "a command's help": run("cheap", "--help"),
        "shell -c": run("shell", "-c", QUERY, reset=filled, bench=True),
        "data as JSON": run("dumpdata", "goods", "--indent", "1", reset=filled),
        # Its own variable is set: python3 takes over.
        "other settings": run("check", env={"DJANGO_SETTINGS_MODULE": "shop.strict",
                                            "PYIMAGE": "auto"}),
        "a command that fails": run("loaddata", "nothing"),
        "no such command": run("no-such-command"),
    }
