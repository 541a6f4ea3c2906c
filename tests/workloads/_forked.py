"""How long a command takes that has nothing left to import:

    _forked.py ROUNDS SCRIPT [ARGUMENT...]

runs the script of a Python program once, then ROUNDS times in a fork of the process,
and prints the median time in ms from before the fork to the first byte of output, or
nothing where a fork does not come to a good end. What then remains is what the program
itself does, and what a fork costs: the pages that it copies, above all."""
import os
import signal
import statistics
import sys
import time

PATIENCE = 10	# seconds; threads of C libraries are not in a fork, and locks of theirs stay


def run(code, words):
    sys.argv = list(words)
    try:
        exec(code, {"__name__": "__main__", "__file__": words[0]})
        return 0
    except SystemExit as end:
        return end.code or 0
    finally:
        sys.stdout.flush()


def fork(code, words):
    """ms to the first byte; None if it did not end well."""
    reader, writer = os.pipe()
    start = time.monotonic_ns()
    pid = os.fork()
    if not pid:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(PATIENCE)
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        os._exit(run(code, words) != 0)
    os.close(writer)
    said = os.read(reader, 1)
    time_of_it = time.monotonic_ns() - start
    while os.read(reader, 65536):
        pass
    os.close(reader)
    return time_of_it / 1e6 if os.waitpid(pid, 0)[1] == 0 and said else None


def main(rounds, *words):
    with open(words[0], "rb") as file:
        code = compile(file.read(), words[0], "exec")
    said = os.dup(1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    run(code, words)
    times = []
    for _ in range(int(rounds)):
        times.append(fork(code, words))
        if times[-1] is None:
            return
    os.write(said, b"%.3f\n" % statistics.median(times))


if __name__ == "__main__":
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[2]))
    main(*sys.argv[1:])
    os._exit(0)
