"""Flask under gunicorn: a page made by Jinja of rows of SQLite, a signed session, JSON;
and Flask's own command line."""
from workloads import write
from workloads.gunicorn import WARM, all_answer, first_page, serve, unordered

PACKAGES = "python3-flask gunicorn"
ENV = {}

APPLICATION = '''
import os
import random
import sqlite3

from flask import Flask, jsonify, render_template, session

app = Flask(__name__)
app.secret_key = b"for a test only"


def rows():
    database = sqlite3.connect(os.path.join(app.root_path, "things.sqlite3"))
    try:
        return database.execute("select name, price from things order by name").fetchall()
    finally:
        database.close()


@app.route("/")
def shelf():
    session["seen"] = session.get("seen", 0) + 1
    return render_template("shelf.html", rows=rows(), seen=session["seen"])


@app.route("/things/<int:number>")
def thing(number):
    name, price = rows()[number]
    return jsonify(name=name, price=price)


@app.route("/random/")
def chance():
    return "%d %s %s" % (os.getpid(), random.random(), os.urandom(8).hex())


@app.cli.command("total")
def total():
    print(sum(price for _, price in rows()))
'''
TEMPLATE = """<!DOCTYPE html>
<title>{{ seen }}</title>
<ul>
{% for name, price in rows %}<li class="{{ loop.cycle('odd', 'even') }}">{{ name|title }}:
{{ "%.2f"|format(price) }}{% else %}<li>nothing{% endfor %}
</ul>
"""


def arrange(home):
    import sqlite3
    write(home, "pages.py", APPLICATION)
    write(home, "templates/shelf.html", TEMPLATE)
    write(home, "warm.py", WARM % {"application": "pages:app",
                                   "end": "import flask.cli, flask.json"})
    database = sqlite3.connect(home + "/things.sqlite3")
    with database:
        database.execute("create table things (name, price)")
        database.executemany("insert into things values (?, ?)",
                             [("thing <%d>" % n, n * 1.25) for n in range(30)])
    database.close()


def build(home):
    return ["-e", "/usr/bin/gunicorn", "-w", home + "/warm.py"]


def command(*words, **more):
    """Another script than the entry: the image is python3 then, too."""
    words = ["/usr/bin/flask", "--app", "pages", *words]
    return dict(plain=words, image=words, env={"PYIMAGE_ENTRY": "off"}, **more)


def runs(home):
    pages = dict(application="pages:app")
    return {
        "four workers": serve("-w", "4", "--log-level", "warning", bench=True,
                              settled=all_answer(4), mask=unordered, **pages),
        "JSON": serve("--log-level", "warning", useful=first_page("/things/7"), **pages),
        "an exception": serve("--log-level", "warning", useful=first_page("/things/99"),
                              **pages),
        "threads": serve("-k", "gthread", "--threads", "4", "--log-level", "warning", **pages),
        "routes": command("routes"),
        "a command": command("total"),
        "no such command": command("nothing"),
    }
