"""SQLAlchemy on SQLite: classes that are mapped at import, and an engine that was made
then without having connected."""
from workloads import PYTHON, write

PACKAGES = "python3-sqlalchemy"
ENV = {}

MODELS = '''
from sqlalchemy import (Column, ForeignKey, Integer, Numeric, String, create_engine, event,
                        func, select)
from sqlalchemy.orm import declarative_base, relationship, sessionmaker

Base = declarative_base()


class Author(Base):
    __tablename__ = "authors"
    id = Column(Integer, primary_key=True)
    name = Column(String(40), unique=True, nullable=False)
    books = relationship("Book", back_populates="author", order_by="Book.title",
                         cascade="all, delete-orphan")


class Book(Base):
    __tablename__ = "books"
    id = Column(Integer, primary_key=True)
    title = Column(String(80))
    price = Column(Numeric(8, 2))
    author_id = Column(ForeignKey("authors.id"))
    author = relationship("Author", back_populates="books")


engine = create_engine("sqlite:///books.sqlite3", future=True)
Session = sessionmaker(engine, future=True)
connected = []


@event.listens_for(engine, "connect")
def connect(connection, record):
    connected.append(1)
    connection.execute("pragma foreign_keys = on")
'''

PROGRAM = '''
import concurrent.futures, os, sys, warnings

import sqlalchemy
from models import *

warnings.simplefilter("ignore", sqlalchemy.exc.SAWarning)


def fill():
    Base.metadata.create_all(engine)
    with Session.begin() as session:
        for a in range(5):
            author = Author(name="author %d" % a)
            author.books = [Book(title="book %d of %d" % (b, a), price=b * 3)
                            for b in range(a + 1)]
            session.add(author)


def show():
    fill()
    with Session() as session:
        for author in session.scalars(select(Author).order_by(Author.name)):
            print(author.name, [(book.title, str(book.price)) for book in author.books])
        total = select(Author.name, func.count(Book.id), func.sum(Book.price)).join(
            Author.books).group_by(Author.id).having(func.count(Book.id) > 2)
        print(total)
        print(session.execute(total.order_by(Author.id)).all())
        session.delete(session.get(Author, 5))
        session.commit()
        print(session.scalar(select(func.count()).select_from(Book)))
    print(engine.pool.__class__.__name__, engine.pool.status(), len(connected))


def raise_and_roll_back():
    fill()
    try:
        with Session.begin() as session:
            session.add(Author(name="author 0"))
    except sqlalchemy.exc.IntegrityError as error:
        print(error.orig)
    with Session() as session:
        print(session.scalar(select(func.count()).select_from(Author)))


def one(number):
    with Session() as session:
        return [book.title for book in session.get(Author, number % 5 + 1).books]


def threads():
    fill()
    with concurrent.futures.ThreadPoolExecutor(4) as executor:
        for titles in executor.map(one, range(40)):
            print(titles)


def forked():
    fill()
    engine.dispose()
    for number in range(4):
        pid = os.fork()
        if not pid:
            print(one(number), flush=True)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


globals()[sys.argv[1]]()
'''

# The mapping is completed by the first query; the database lies in memory.
WARM = '''
import os, sys
sys.path.insert(0, os.getcwd())
import concurrent.futures.thread, models
from sqlalchemy.dialects import sqlite
with models.create_engine("sqlite://", future=True).connect() as connection:
    models.Base.metadata.create_all(connection)
    with models.sessionmaker(connection, future=True)() as session:
        session.add(models.Author(name="x", books=[models.Book(title="y", price=1)]))
        session.flush()
        session.execute(models.select(models.Author).join(models.Author.books)).all()
sys.path.remove(os.getcwd())
'''


def needs(home):
    """create_engine() makes the name of the file an absolute one."""
    return ["working folder %s (module models asked)" % home]


def arrange(home):
    write(home, "models.py", MODELS)
    write(home, "program.py", PROGRAM)
    write(home, "warm.py", WARM)


def build(home):
    return ["-w", home + "/warm.py"]


def run(name, **more):
    return dict(plain=[PYTHON, "program.py", name], image=["program.py", name],
                files=["books.sqlite3"], **more)


def runs(home):
    return {
        "a program": run("show", bench=True, reset=none),
        "a constraint": run("raise_and_roll_back"),
        "threads": run("threads"),
        "after a fork": run("forked"),
    }


def none(home):
    import contextlib, os
    with contextlib.suppress(FileNotFoundError):
        os.unlink(home + "/books.sqlite3")
