#!/usr/bin/python3
"""The interactive interpreter on a terminal: the same transcript as python3's."""
import os
import shutil

import lib
import tap
from terminal import IN_PYTHON, INTERRUPT, PRIMARY, SECONDARY, Session, screen


def talk(command, lines, env):
    """lines: what to type, each after a prompt; the answer's prompt is the
    primary one unless the line ends in a backslash-n pair of its own."""
    home = os.path.join(lib.WORK, "repl-home-%d" % os.getpid())
    shutil.rmtree(home, ignore_errors=True)
    os.mkdir(home)
    lib.write(home + "/startup.py", "print('startup'); from_startup = 1\n")
    painted = IN_PYTHON and bool(env.get("TERM"))
    session = Session(command, env, home)
    expect = session.expect_prompt if painted else session.expect
    expect(PRIMARY)
    for line, answer in lines:
        if line == INTERRUPT:
            tap.wait_asleep(session.child.pid)
        session.send(line)
        if answer:
            expect(answer)
    status, text = session.finish()
    history = home + "/.python_history"
    text = screen(text) if painted else text.replace(b"\r", b"")
    return status, text, \
        lib.read(history) if os.path.exists(history) else None


def typed(*lines):
    """Lines and the prompts that answer them; the last one gets none."""
    result = []
    for line in lines:
        prompt = SECONDARY if line.endswith("\\") else PRIMARY
        result.append((line.rstrip("\\").encode() + b"\n", prompt))
    return result


END = [(b"\x04", None)]
CASES = {
    "expressions": typed("1 + 1", "_ * 21", "'text'", "None", "x = 5", "x") + END,
    "a block": typed("for n in range(2):\\", "    print(n)\\", "", "n") + END,
    "a class and a function": typed(
        "def f():\\", "    return 1/0\\", "", "f()",
        "import sys; sys.last_type, sys.last_value") + END,
    "errors": typed("1/0", "x = = 1", "nothing", "import no_such_module",
                    "raise SystemError('s')", "'abc") + END,
    "exit()": typed("print(1)") + [(b"exit()\n", None)],
    "exit(3)": [(b"exit(3)\n", None)],
    "sys.exit with text": typed("import sys") + [(b"sys.exit('bye')\n", None)],
    "end of file": END,
    "the end runs atexit": typed("import atexit", "atexit.register(print, 'atexit')",
                                 "f = open('file', 'w')") + END,
    "what the interpreter says of itself": typed(
        "exit", "import sys", "sys.argv, sys.path[0], sys.ps1, sys.ps2",
        "sys.flags.interactive, sys.stdin.isatty()", "__name__", "sorted(globals())",
        "sys.stdin, sys.stdout, sys.stderr",
        "import readline; readline.get_current_history_length() > 2") + END,
    "another prompt": typed("import sys") + [
        (b"sys.ps1 = 'next> '\n", b"next> "), (b"1\n", b"next> "), (b"\x04", None)],
    "input()": typed("print(1)") + [(b"input('what? ')\n", b"what? "),
                                    (b"that\n", PRIMARY)] + END,
    "an interrupt at the prompt": [(b"unfinished", b"unfinished"), (INTERRUPT, PRIMARY)]
        + typed("print('on')") + END,
    "an interrupt of a program": typed("import sys, time") + [
        (b"print('run'+'ning'); sys.stdout.flush(); time.sleep(600)\n", b"running\r\n"),
        (INTERRUPT, PRIMARY)] + typed("print('on')") + END,
    "a thread": typed("import threading",
                      "t = threading.Thread(target=print, args=('thread',))",
                      "t.start(); t.join()") + END,
}
VARIANTS = {
    "": {},
    ", xterm": {"TERM": "xterm"},
    ", PYTHONSTARTUP": {"PYTHONSTARTUP": "startup.py", "PYIMAGE": "auto"},
}


def main():
    for image, way in (("bare", "pyimage"), ("bare", "kernel"), ("stdlib", "kernel")):
        command = lib.WAYS[way](lib.image(image))
        for variant, env in VARIANTS.items():
            for name, lines in CASES.items():
                if variant and name not in ("expressions", "a block", "errors"):
                    continue
                tap.run("%s%s (%s, %s)" % (name, variant, image, way), lambda: tap.equal(
                    talk(command, lines, env), talk([lib.PYTHON], lines, env),
                    "status, transcript, history"))
    tap.done()


main()
