"""pytest: a small suite, plugins that it finds by their entry points, its rewriting
of assertions, its cache."""
import re

from workloads import PYTHON, write

PACKAGES = "python3-pytest python3-pytest-xdist python3-pytest-cov"
ENV = {}

CONFTEST = """import pytest

@pytest.fixture
def numbers():
    yield [1, 2, 3]

@pytest.fixture(scope="session")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("place")
"""
GOOD = """import pytest
from code_under_test import double

def test_numbers(numbers, place):
    (place / "file").write_text("text")
    assert sum(numbers) == 6

@pytest.mark.parametrize("n", [0, 1, 5])
def test_double(n):
    assert double(n) == 2 * n

def test_output(capsys, monkeypatch):
    print("said")
    assert capsys.readouterr().out == "said\\n"

@pytest.mark.skip(reason="not now")
def test_skipped():
    pass
"""
BAD = """from code_under_test import double

def test_fails(numbers):
    print("before")
    expected = {"a": 2, "b": [1, 2]}
    assert {"a": double(1), "b": numbers} == expected

def test_raises():
    raise ValueError("this one")
"""


def arrange(home):
    write(home, "suite/conftest.py", CONFTEST)
    write(home, "suite/code_under_test.py", "def double(n):\n    return n + n\n")
    write(home, "suite/test_good.py", GOOD)
    write(home, "suite/test_bad.py", BAD)


def build(home):
    return ["--for", "--", "/usr/bin/py.test-3", "-q", "suite/test_good.py"]


def run(*words, **more):
    return dict(plain=["/usr/bin/py.test-3", *words], image=list(words),
                env={"PYTEST_DEBUG_TEMPROOT": "."}, mask=durations, **more)	# not /tmp


def durations(data):
    """Only the time it took; how long the line is depends on it, too."""
    data = re.sub(rb"in \d+\.\d\ds", b"in TIME", data)
    return re.sub(rb"=+( .*in TIME.*? )=+", rb"=\1=", data)


def runs(home):
    return {
        "suite": run("suite/test_good.py", bench=True, target=20),
        "failures": run("suite", bench=True, files=["suite/.pytest_cache"]),
        "without cache": run("-p", "no:cacheprovider", "-v", "suite", files=["suite"]),
        "asserts as they are": run("--assert=plain", "suite/test_bad.py"),
        "workers": run("-n", "2", "--dist", "loadfile", "-q", "suite/test_good.py",
                       users=["nobody"]),
        "coverage": run("--cov=suite", "-q", "suite/test_good.py", users=["nobody"]),
        "version": run("--version", "--version"),
        "fixtures": run("--fixtures", "suite"),
        "no such file": run("nonsense"),
    }
