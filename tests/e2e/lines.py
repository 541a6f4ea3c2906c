#!/usr/bin/python3
"""Line editing on a terminal: what GNU readline asks of its process when it is
imported (TERM, inputrc, the window's size, the locale) is asked anew, also where
an image holds it already. Transcripts, history and status are python3's."""
import os

import lib
import tap
import terminal
from terminal import END, INTERRUPT, PRIMARY, SECONDARY

UP, DOWN, LEFT, RIGHT = b"\x1b[A", b"\x1b[B", b"\x1b[D", b"\x1b[C"
OLD = "first = 1\nsecond = 2\nimport os\n"
# What was typed last is on the line twice where the terminal echoes.
BYE = [(END, None)]

CASES = {}


def case(name, *steps, args=(), files=None, start=PRIMARY, end=BYE, imported=None, **env):
    """imported: the files of a plain python3 that is to be like an image which
    holds readline, where the program itself does not import it."""
    assert name not in CASES, name
    CASES[name] = dict(steps=[*steps, *end], args=args, files=files or {}, start=start,
                       env=env, imported=imported)


def typed(*lines):
    return [(line.encode() + b"\n", PRIMARY) for line in lines]


for TERM in "xterm", "xterm-256color", "vt100", "dumb", "linux", "no-such-terminal", "", None:
    case("TERM=%s" % TERM, *typed("print(1)"), (b"prin", b"prin"), (b"\t", b"t("),
         (b"2)\n", PRIMARY), (UP + UP + b"\n", PRIMARY),
         (b"xyz", b"xyz"), (LEFT + LEFT + b"0" + b"\x01" + b"q" + b"\x05" + b"e", None),
         (b"\n", PRIMARY), (b"\x0c", PRIMARY), TERM=TERM)
case("history is read", (UP, b"import os"), (UP, b"second = 2"), (b"\n", PRIMARY),
     *typed("second"), files={".python_history": OLD}, TERM="xterm")
case("history is searched", (b"\x12fir\n\n", PRIMARY),
     *typed("first"), files={".python_history": OLD}, TERM="xterm")
case("history by its functions",
     *typed("import readline as r", "r.get_current_history_length()",
            "r.get_history_item(1), r.get_history_item(4)", "r.get_history_length()",
            "r.add_history('added')", "r.remove_history_item(0)", "r.set_history_length(3)"),
     files={".python_history": OLD})
case("history can't be read", *typed("1"), files={".python_history/x": ""})
case("completion of attributes", *typed("import os"), (b"os.path.absp\t", b"os.path.abspath("),
     (b"'/')\n", PRIMARY), (b"os.getp\t", b"\x07"), (b"\t", b"os.getp"),
     (b"id\x15\n", PRIMARY), TERM="xterm")
case("completion of names and keywords", *typed("some_name = 1"), (b"some_\t", b"some_name"),
     (b"\n", PRIMARY), (b"impo\t", b"import "), (b"sys\n", PRIMARY),
     (b"zip\t", b"zip("), (INTERRUPT, PRIMARY), TERM="xterm")
case("TAB indents", (b"if 1:\n", SECONDARY), (b"\tprint(1)\n", SECONDARY), (b"\n", PRIMARY),
     TERM="xterm")
case("an interrupt in a block", (b"if 1:\n", SECONDARY), (b"    x = 1\n", SECONDARY),
     (b"    y", b"y"), (INTERRUPT, PRIMARY), *typed("x"), TERM="xterm")
case("the end of the file in a block", (b"if 1:\n", SECONDARY), (b"    print(5)\n", SECONDARY),
     (END, PRIMARY), TERM="xterm")
case("the end of the file on a line deletes", (b"abc\x01\x04\x04\n", PRIMARY),
     TERM="xterm")
case("words, killing and yanking", (b"one two three\x17\x17\x19\x01\x0b\x19\x19\n", PRIMARY),
     (b"5 6\x1b[1;5D\x1b[3~+\x1b[H\x1b[3~7\n", PRIMARY), TERM="xterm")
case("a line that is longer than the window", (b"'" + b"0123456789" * 9 + b"'", b"9'"),
     (b"\x01\x05\n", PRIMARY), TERM="xterm")
case("a line in a narrow window", (b"'" + b"abcdefghij" * 4 + b"'\n", PRIMARY), TERM="vt100",
     size=(10, 33))
case("the window's size", *typed("import os", "os.get_terminal_size()",
                                 "os.system('env | grep -E LINES\\|COLUMNS | sort')"),
     size=(33, 111), TERM="xterm")
case("LINES and COLUMNS", *typed("import os", "os.environ.get('LINES'), os.environ['COLUMNS']",
                                 "os.system('env | grep -E LINES\\|COLUMNS | sort')",
                                 "'" + "x" * 50 + "'"),
     LINES="15", COLUMNS="40", TERM="xterm")
case("the window has no size", *typed(
    "import os", "os.system('env | grep -E LINES\\|COLUMNS | sort')"),
     (b"'" + b"x" * 50 + b"'", b"x'"), (b"\n", PRIMARY), size=(0, 0), COLUMNS="40", TERM="xterm")
case("the window changes", (b"'abc", b"'abc"), ("resize", None),
     (b"0123456789" * 5 + b"'", b"9'"), (b"\n", PRIMARY),
     *typed("import os", "os.get_terminal_size()",
            "os.system('env | grep -E LINES\\|COLUMNS | sort')"), TERM="xterm")
INPUTRC = ('"\\C-xh": "hello = 5"\n$if python\n"\\C-xp": "in python"\n$endif\n'
           '$if term=xterm\n"\\C-xt": "in xterm"\n$endif\nset show-all-if-ambiguous on\n')
for at in ".inputrc", "elsewhere":
    case("inputrc: " + at, (b"'\x18h'\n", PRIMARY), (b"'\x18p'\n", PRIMARY),
         (b"'\x18t'\n", PRIMARY), (b"os", b"os"), (b"\t\x15\n", PRIMARY), files={at: INPUTRC},
         TERM="xterm", **({"INPUTRC": at} if at == "elsewhere" else {}))
case("inputrc is missing", *typed("1"), (UP, b"1"), (b"\n", PRIMARY), INPUTRC="/nowhere",
     TERM="xterm")
case("inputrc: vi", (b"abc def\x1b", None), (b"0dwix\n", PRIMARY), (b"1\x1b", None),
     (b"k\n", PRIMARY), files={".inputrc": "set editing-mode vi\n"},
     TERM="xterm")
case("inputrc: colours and a mode's string", (b"zip\t", b"("),
     (INTERRUPT, PRIMARY), TERM="xterm", files={
         ".inputrc": "set colored-completion-prefix on\nset colored-stats on\n"
                     "set bell-style visible\nset horizontal-scroll-mode on\n"},
     LS_COLORS="so=01;36")
case("characters of more bytes", ("'äöü€😀'".encode(), "😀'".encode()), (LEFT + b"x\n", PRIMARY),
     (b"_\n", PRIMARY), TERM="xterm")
case("parse_and_bind", *typed("import readline", "readline.parse_and_bind('tab: tab-insert')",
                              "readline.parse_and_bind('\"\\\\C-xq\": \"bound\"')"),
     (b"'\tx\x18q'\n", PRIMARY), TERM="xterm")
case("a completer of one's own", *typed(
    "import readline", "readline.set_completer(lambda t, n: ['alpha', 'beta', None][n])",
    "readline.set_completer_delims(' ')", "readline.get_completion_type()"),
     (b"x \t", b"\x07"), (b"\t", b"x "), (b"\x15\n", PRIMARY), TERM="xterm")
case("hooks", *typed("import readline"),
     (b"readline.set_startup_hook(lambda: readline.insert_text('# '))\n", PRIMARY + b"# "), (b"x\n", PRIMARY + b"# "), (b"\n", PRIMARY + b"# "), TERM="xterm",
     end=[(b"\x15" + END, None)])
READ = ("import readline, sys\nprint('here')\n"
        "try:\n    while True: print(ascii(input('what? ')))\n"
        "except EOFError: print('end')\n")
case("input() in a script", (b"one\n", b"what? "), (UP, b"one"), (b"x\n", b"what? "),
     (b"\t\n", b"what? "), args=["script.py"], start=b"what? ", files={"script.py": READ},
     TERM="xterm")
case("input() without readline", (b"one\n", b"what? "), (UP + b"\n", b"what? "),
     args=["script.py"], start=b"what? ", TERM="xterm",
     files={"script.py": READ.replace("readline, ", "")}, imported={"script.py": READ})
case("input(), -c", (b"abc\x08\x08X\n", b"what? "), args=["-c", READ], start=b"what? ",
     TERM="xterm")
case("an interrupt of input()", args=["-c", READ], start=b"what? ", end=[(INTERRUPT, None)],
     TERM="xterm")
case("an interrupt of input() that is caught", (INTERRUPT, b"again "), (b"x\n", None),
     args=["-c", "import readline\ntry: input('what? ')\n"
           "except KeyboardInterrupt: print(repr(input('again ')))"], start=b"what? ",
     TERM="xterm", end=[])
case("input() of other streams", (b"one\n", b"two? "), (b"two\n", None), args=["-c", """
import io, sys
print(input('one? '))
sys.stdout = io.TextIOWrapper(sys.stdout.buffer, line_buffering=True)
print(input('two? '))
"""], start=b"one? ", end=[])
case("getpass", (b"secret\n", b"Again: "), (b"other\n", None), args=[
    "-c", "import getpass\nprint(getpass.getpass(), getpass.getpass('Again: '))"],
     start=b"Password: ", end=[])
case("exit, quit, copyright, credits", *typed("exit", "quit", "copyright", "credits"),
     end=[(b"quit()\n", None)])
case("help()", *typed("help('pass')", "help(sys)"), end=[(b"exit(3)\n", None)], PAGER="cat")
case("help(), its prompt", (b"help()\n", b"help> "), (b"pass\n", b"help> "), (b"q\n", PRIMARY),
     TERM="dumb")
case("help(), a pager that waits", (b"import pydoc; pydoc.ttypager('\\n' * 50 + 'last')\n", b"--"),
     (b"q", PRIMARY), TERM="dumb")
case("typed into -", *typed("print(1)", "1 +"), args=["-"], TERM="xterm")
case("curses", args=["-c", """
import curses
def main(w):
    w.addstr(2, 3, 'LINES %d COLS %d %s' % (curses.LINES, curses.COLS, curses.termname()))
    w.refresh(); w.getch()
curses.wrapper(main)
"""], start=b"xterm'", end=[(b"q", None)], TERM="xterm", size=(30, 90))
case("curses' capabilities", args=["-c", """
import curses
curses.setupterm()
print(curses.tigetnum('cols'), curses.tigetstr('cup'), curses.tigetstr('kcuu1'))
"""], start=b"", end=[], TERM="vt100")
for TERM in "xterm", "dumb", None:
    case("what readline says of itself, TERM=%s" % TERM, args=["-c", """
import readline, rlcompleter, subprocess, sys
print(repr(readline.get_line_buffer()), readline.get_completer_delims(), flush=True)
print(readline.get_current_history_length(), readline.get_begidx())
readline.insert_text('text'); print(repr(readline.get_line_buffer()), flush=True)
subprocess.run('env | grep -E LINES\\|COLUMNS | sort', shell=True)
"""], start=b"", end=[], TERM=TERM)


def resize(session):
    session.resize(20, 30)
    tap.wait_asleep(session.child.pid)


def talk(command, c):
    home = terminal.home("lines-home")
    for name, text in c["files"].items():
        path = os.path.join(home, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        lib.write(path, text)
    # The prompt that reads by GNU readline: 3.13 has another one.
    env = {"PYTHON_BASIC_REPL": "1", **c["env"]}
    size = env.pop("size", (24, 80))
    session = terminal.Session([*command, *c["args"]], env, home, size)
    session.expect(c["start"])
    for what, answer in c["steps"]:
        if what == "resize":
            tap.wait_asleep(session.child.pid)
            resize(session)
            continue
        if INTERRUPT in what or b"\x1b" in what:
            tap.wait_asleep(session.child.pid)
        session.send(what)
        if answer:
            session.expect(answer)
    how, text = session.close()
    history = home + "/.python_history"
    return how, text, lib.read(history) if os.path.isfile(history) else None




def frozen():
    """Images that hold readline: as pydump builds them, and built on a terminal
    of another kind by somebody with an inputrc of his own."""
    found = {}
    home = terminal.home("builder")
    lib.write(home + "/.inputrc", '"\\C-xh": "builder"\n"\\C-xz": "builder"\n'
              "set editing-mode vi\n")
    for name, options in (("readline", ["-i", "curses"]),
                          ("elsewhere", ["--keep-env", "TERM=vt100", "--keep-env", "COLUMNS=20"])):
        path = os.path.join(lib.folder("lines"), name)
        built = lib.build(path, ["readline", "rlcompleter"], options=options,
                          env={"HOME": home})
        tap.equal(built.status, 0, built.err.decode())
        found["with %s, kernel" % name] = [path]
        found["with %s, pyimage" % name] = [lib.PYIMAGE, path]
    return found


def main():
    plain = terminal.targets("bare")
    plain["stdlib, kernel"] = [lib.image("stdlib")]
    holding = frozen()
    for name, c in CASES.items():
        want = talk([lib.PYTHON], c)
        for target, command in {**plain, **holding}.items():
            if c["imported"] and target in holding:
                want = talk([lib.PYTHON], {**c, "files": c["imported"]})
            tap.run("%s (%s)" % (name, target), lambda: tap.equal(
                talk(command, c), want, "end, transcript, history"))
    tap.done()


main()
