#!/usr/bin/python3
"""scripts/check-cpython itself: it sees what differs, tells flaky from different,
refuses an image that is not one, goes on where it was broken off, skips aloud."""
import argparse
import glob
import json
import os
import re
import runpy
import subprocess
import sys

import lib
import tap

sys.path.insert(0, os.path.join(lib.ROOT, "tests/cpython"))
import compare
import report
import runner
import store

PROGRAM = os.path.join(lib.ROOT, "scripts/check-cpython")
FILE = "test_string"
WRONG = "import string\nstring.digits = '0123'\n"
# 3.14 has a folder of that name.
TEST = r"test\.(test_string\.)?test_string\.ModuleTest\.test_attrs"


def check(*arguments, keep):
    done = subprocess.run([PROGRAM, "--keep", keep, *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done


def with_changed(change, *arguments):
    """The same, after some Python that changes its modules."""
    code = ("import runpy, sys; sys.path.insert(0, %r); %s\n"
            "sys.argv = %r; runpy.run_path(%r, run_name='__main__')" % (
                os.path.join(lib.ROOT, "tests/cpython"), change, [PROGRAM, *arguments], PROGRAM))
    return subprocess.run([lib.PYTHON, "-c", code], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)


def need_suite():
    missing = store.suite_missing()
    if missing:
        raise tap.Skip(missing)


def run_of(status=0, **tests):
    return {"status": status, "seconds": 1.0, "output": "", "tests": {
        name: {"outcome": outcome, "details": "traceback"} for name, outcome in tests.items()}}


def table(text):
    return compare.Explained(lib.write(os.path.join(lib.folder("explained"), "table"), text))


def states(python, image, explained=""):
    found = compare.compare("test_x", python, image, table(explained))
    return {d.test: d.state for d in found}


@tap.test
def alike_is_no_difference():
    run = run_of(a="pass", b="skip: no network")
    tap.equal(states([run], [run]), {})


@tap.test
def each_outcome_is_compared():
    python = run_of(a="pass", b="skip: one", c="pass; 3 subtests", d="pass")
    image = run_of(1, a="fail", b="skip: two", c="pass; 4 subtests", e="pass")
    tap.equal(sorted(states([python] * 3, [image] * 3).items()), [
        (name, "different") for name in ("a", "b", "c", "d", "e", "exit status")])


@tap.test
def flaky_and_unsteady_are_told_from_different():
    good, bad = run_of(a="pass"), run_of(a="fail")
    for python, image, want in (
            ([good, bad, good], [bad, good, good], "flaky"),
            ([good, good, bad], [bad, bad, bad], "flaky"),
            ([good, good, good], [bad, good, good], "unsteady"),
            ([good, good, good], [bad, good, bad], "different"),
            ([good], [bad], "different")):
        tap.equal(states(python, image), {"a": want})


@tap.test
def what_follows_from_a_test_is_not_counted():
    good = run_of(a="pass", test_x="Passed")
    for image, want in (
            (run_of(2, a="fail", test_x="Failed"), {"a": "different"}),
            (run_of(2, a="pass", test_x="Failed"),
             {"test_x": "different", "exit status": "different"}),
            (run_of(-11, a="fail", test_x="did not end"),
             {"a": "different", "test_x": "different", "exit status": "different"})):
        tap.equal(states([good], [image]), want)


@tap.test
def an_explanation_is_of_use_or_stale():
    explained = table("# comment\n\ntest_x a*\tit says so\ntest_y a\tit does not\n")
    good, bad = run_of(a="pass", b="pass"), run_of(a="fail", b="fail")
    found = compare.compare("test_x", [good], [bad], explained)
    tap.equal([(d.test, d.why) for d in found], [("a", "it says so"), ("b", "")])
    tap.equal(explained.stale(), ["test_y a"])
    result = report.Result("test_x", [good], [bad], found)
    tap.equal([d.test for d in result.open()], ["b"])
    tap.that(report.tap(1, result).startswith("not ok 1 - test_x"), "it is not ok")
    tap.equal(report.totals([result])["different, explained"], 1)


@tap.test
def a_version_has_a_table_of_its_own():
    path = os.path.join(lib.folder("explained"), "table")
    lib.write(path, "test_x a\tin all of them\n")
    lib.write(path + "-3.13", "test_x b\tin 3.13 alone\n")
    for version, want in ((3, 13), ["a", "b"]), ((3, 14), ["a"]):
        rows = compare.Explained(path, version).rows
        tap.equal([pattern.split()[1] for pattern, _ in rows], want, version)


@tap.test
def the_document_has_a_part_for_each_version():
    results = [report.Result("test_x", [run_of(a="pass")], [run_of(a="pass")], [])]
    def part(version, libc):
        return report.part(results, [], version, {"libc6": libc})
    text = ""
    for version, libc in ((3, 13), "2.41"), ((3, 9), "2.31"), ((3, 13), "2.42"):
        text = report.document(text, version, part(version, libc), "all")
    tap.equal(list(report.parts(text)), [(3, 9), (3, 13)], "parts")
    tap.equal(text.count("# Conformance\n"), 1, "heads")
    tap.that("2.41" not in text and "2.42" in text and "2.31" in text, text)
    again = report.document(text, (3, 9), report.parts(text)[3, 9], "all")
    tap.equal(again, text, "the same part put in again")


@tap.test
def the_tables_have_a_reason_in_each_row():
    tables = [compare.Explained(path, ()) for path in glob.glob(
        os.path.join(compare.HERE, "explained*"))]
    rows = [row for table in tables for row in table.rows]
    tap.that(len(tables) > 1 and len(rows) > len(tables), rows)
    for pattern, why in rows:
        tap.that(len(why) > 20 and pattern.startswith("test_"), "%r: %r" % (pattern, why))


@tap.test
def the_subset_is_of_known_files():
    need_suite()
    with open(os.path.join(lib.ROOT, "tests/cpython/subset")) as file:
        names = [n for line in file for n in line.partition("#")[0].split()]
    tap.equal(sorted(set(names)), sorted(names), "names")
    tap.that(len(names) >= 60, "they are at least 60")
    for name in names:
        store.one_of(name)
    try:
        store.one_of("test_none|test_nothing")
    except store.Unusable:
        return
    raise tap.Failed("a file that is not there was found")


@tap.test
def parts_are_all_of_the_subset():
    need_suite()
    files = runpy.run_path(PROGRAM)["files"]
    def part(*which):
        return files(argparse.Namespace(file=[], subset=True, part=which))
    whole = part(1, 1)
    for n in 1, 2, 7, len(whole):
        dealt = [part(k, n) for k in range(1, n + 1)]
        tap.equal(sorted(sum(dealt, [])), sorted(whole), "files in %d parts" % n)
        sizes = list(map(len, dealt))
        tap.that(max(sizes) - min(sizes) <= 1, sizes)


@tap.test
def what_is_no_part_is_refused():
    for arguments in (["--part", "1/4", FILE], ["--part", "1/4", "--full"],
                      *(["--subset", "--part", p] for p in ("0/4", "5/4", "4", "a/b", "1/4/4"))):
        done = check(*arguments, keep=lib.folder("keep"))
        tap.equal((done.returncode, done.stdout), (2, ""), arguments)
        tap.that(re.search(r"error: (argument --part: invalid|--part is of --subset)",
                           done.stderr), done.stderr)


@tap.test
def scripts_check_runs_each_part_once():
    done = subprocess.run(["make", "-n", "check"], cwd=lib.ROOT, env={"PATH": "/usr/bin:/bin"},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    parts = re.findall(r'"scripts/check-cpython --subset --part (\d+)/(\d+) ', done.stdout)
    tap.that(parts, done.stdout[-2000:])
    tap.equal(sorted(parts), [(str(k), str(len(parts))) for k in range(1, len(parts) + 1)])


@tap.test
def those_side_by_side_share_one_image():
    """The second waits for the lock that the first has, and finds the image made."""
    place = lib.folder("build")
    for name in "pydump", "pyimage":
        lib.write(place + "/" + name, "#!/bin/sh\necho made >>%s/made; sleep 1; "
                  "echo image >\"$4\"\n" % place)
        os.chmod(place + "/" + name, 0o755)
    code = ("import runpy; program = runpy.run_path(%r); names = program['main'].__globals__\n"
            "names.update(BUILD=%r, KEPT=%r); print(open(program['bare_image']()).read())" % (
                PROGRAM, place, place + "/kept"))
    two = [subprocess.Popen([lib.PYTHON, "-c", code], stdout=subprocess.PIPE, text=True)
           for _ in range(2)]
    tap.equal([p.communicate()[0].strip() for p in two], ["image"] * 2, "images")
    with open(place + "/made") as made:
        tap.equal(made.read(), "made\n", "how often it was made")


@tap.test
def what_starts_python_is_known():
    need_suite()
    names = "test_gc", "test_json", "test.test_asyncio.test_subprocess", "test_string"
    tap.equal([store.starts_python(n) for n in names], [True, True, True, False])


@tap.test
def a_wrong_image_is_seen_and_the_result_kept():
    need_suite()
    place = lib.folder("conformance")
    warm_up = lib.write(place + "/wrong.py", WRONG)
    image = place + "/wrong.pyimage"
    result = lib.build(image, [], [warm_up])
    tap.equal(result.status, 0, "build's status")
    done = check("--image", image, FILE, keep=place + "/keep")
    tap.equal(done.returncode, 1, "status")
    tap.that(re.search(r"different: %s %s\n    python3: pass \| pass \| pass\n"
                       r"    image:   fail \| fail \| fail" % (FILE, TEST), done.stdout),
             done.stdout)
    kept = [os.path.join(folder, name) for folder, _, names in os.walk(place + "/keep")
            for name in names if name == FILE + ".json"]
    tap.equal(len(kept), 2, "kept results")
    times = [os.stat(name).st_mtime_ns for name in kept]
    again = check("--image", image, FILE, keep=place + "/keep")
    tap.equal((again.returncode, again.stdout), (1, done.stdout), "from what was kept")
    tap.equal([os.stat(name).st_mtime_ns for name in kept], times, "times")


@tap.test
def tests_run_as_nobody_in_the_image_itself():
    need_suite()
    place = lib.folder("conformance")
    for options in [FILE], ["--pyimage", FILE], [FILE + "/children"]:
        done = check("--image", lib.image("bare"), *options, keep=place)
        tap.equal(done.returncode, 0, "status with %s" % options)
        tap.that("same" in done.stdout, done.stdout)
    names = [os.path.join(folder, name) for folder, _, names in os.walk(place)
             for name in names]
    ran = []
    for name in names:
        with open(name) as file:
            ran.append(os.path.basename(json.load(file)[0]["executable"]))
    # python3 is not run again for an image that is run in another way.
    tap.equal(sorted(ran), ["pyimage"] + ["python-image"] * 2 + [store.NAME] * 2, "what ran")


@tap.test
def what_falls_back_is_refused():
    need_suite()
    place = lib.folder("conformance")
    plain = lib.write(place + "/plain", "#!/bin/sh\nexec %s \"$@\"\n" % lib.PYTHON)
    for path in "/bin/true", plain:
        done = check("--image", path, FILE, keep=place)
        tap.equal(done.returncode, 2, "status with " + path)
        tap.that("ran as" in done.stderr, done.stderr)
    with open(lib.image("bare"), "rb") as file:
        short = lib.write(place + "/short", file.read()[:-4096])
    done = check("--image", short, "--pyimage", FILE, keep=place)
    tap.equal(done.returncode, 2, "status with a short image")


@tap.test
def what_is_not_recorded_is_refused():
    """A recorder that the interpreter's regrtest does not suit: both sides alike."""
    need_suite()
    place = lib.folder("conformance")
    with open(runner.HERE + "/record_regrtest.py") as file:
        text = file.read()
    for line, said in (("    hook_results()\n", "ran as ''"),
                       ("module.RegressionTestResult = ", "status 0, 0 tests recorded")):
        tap.that(line in text, line + " is in the recorder")
        broken = text.replace(line, {"    hook_results()\n": "    1 / 0\n"}.get(line, "_ = "))
        lib.write(place + "/record_regrtest.py", broken)
        done = with_changed("import runner; runner.HERE = %r" % place, FILE,
                            "--image", lib.image("bare"), "--keep", lib.folder("keep"))
        tap.equal((done.returncode, done.stdout), (2, ""), "status and output")
        tap.that(said in done.stderr, done.stderr)


@tap.test
def a_missing_suite_is_a_skip_with_its_reason():
    done = with_changed("import store; store.SUITE = '/nowhere'", "--subset")
    tap.equal(done.stdout, "1..0 # SKIP CPython's tests are not installed "
              "(Debian: lib%s-testsuite)\n" % store.NAME)


tap.done()
